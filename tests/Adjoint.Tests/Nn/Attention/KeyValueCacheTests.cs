using Adjoint.Nn;

namespace Adjoint.Tests.Nn;

public class KeyValueCacheTests
{
    [Fact]
    public void Keys_and_values_come_back_in_order()
    {
        var cache = new KeyValueCache(2, 3, 5, 4);
        var (k, v) = (Tensor.Randn([2, 3, 5, 4], new Generator(1)), Tensor.Randn([2, 3, 5, 4], new Generator(2)));
        foreach (var (start, count) in ((int, int)[])[(0, 2), (2, 0), (2, 3)])
        {
            // Of any layout: what comes from a projection is a view.
            var (keys, values) = cache.Append(k.Slice(2, start, count), v.Slice(2, start, count));
            Assert.Equal(start + count, cache.Length);
            Assert.Equal(k.Slice(2, 0, start + count).ToArray<float>(), keys.ToArray<float>());
            Assert.Equal(v.Slice(2, 0, start + count).ToArray<float>(), values.ToArray<float>());
        }
        cache.Truncate(1);
        var (again, _) = cache.Append(k.Slice(2, 4, 1), v.Slice(2, 4, 1));
        Assert.Equal(Tensor.Concat([k.Slice(2, 0, 1), k.Slice(2, 4, 1)], 2).ToArray<float>(), again.ToArray<float>());
    }

    [Fact]
    public void What_does_not_fit_is_refused_and_leaves_it_as_it_was()
    {
        var cache = new KeyValueCache(1, 1, 2, 2);
        var one = Tensor.Ones(1, 1, 1, 2);
        cache.Append(one, one);
        AssertRefused("2 more positions do not fit: there are 1 of its capacity of 2; create it with a larger "
            + "capacity, or Truncate it", () => cache.Append(Tensor.Ones(1, 1, 2, 2), Tensor.Ones(1, 1, 2, 2)));
        AssertRefused(
            "keys and values must be (1, 1, t, 2) float32: found (1, 1, 1, 3) float32 and (1, 1, 1, 2) float32",
            () => cache.Append(Tensor.Ones(1, 1, 1, 3), one));
        AssertRefused("found (1, 1, 1, 2) float64", () => cache.Append(one.To(DType.Float64), one));
        AssertRefused("compute within using (new NoGrad())",
            () => cache.Append(Tensor.Ones(1, 1, 1, 2).RequireGrad(), one));
        AssertRefused("from 0 to all of its 1 positions can be kept: found 2", () => cache.Truncate(2));
        Assert.Equal((1, 2), (cache.Length, cache.Capacity));
    }

    [Fact]
    public void A_captured_function_cannot_have_it()
    {
        var attention = new MultiHeadAttention(4, 2).Eval();
        var cache = attention.CreateCache(1, 8);
        var captured = CapturedFunction.Create((Tensor x) =>
        {
            using var _ = new NoGrad();
            return attention.Forward(x, AttentionMask.Causal, cache);
        });
        captured.Run(Tensor.Ones(1, 1, 4));
        AssertRefused("a key-value cache grows with each call, and a replay would not move on",
            () => captured.Run(Tensor.Ones(1, 1, 4)));
        Assert.Equal(1, cache.Length);
    }

    private static void AssertRefused(string part, Action act) =>
        Assert.Contains(part, Assert.ThrowsAny<AdjointException>(act).Message, StringComparison.Ordinal);
}
