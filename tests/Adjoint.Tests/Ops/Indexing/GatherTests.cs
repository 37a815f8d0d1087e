namespace Adjoint.Tests.Ops;

/// <summary>Elements and rows by an index in memory, and the sums on the way back.</summary>
public class GatherTests
{
    private static readonly long[] Places = [2, 0, 1, 1, 0, 0, 2, 2, 1, 1, 1, 0, 2, 0, 0, 1];

    // The literal values are those of PyTorch 1.13.
    [Fact]
    public void Elements_along_the_middle_axis_as_in_PyTorch()
    {
        var (x, index) = (Tensor.Arange(0, 24).Reshape(2, 3, 4), Tensor.From(Places, 2, 2, 4));
        double[] expected = [8, 1, 6, 7, 0, 1, 10, 11, 16, 17, 18, 15, 20, 13, 14, 19];
        foreach (var places in (Tensor[])[index, index.Transpose(0, 2).Clone().Transpose(0, 2)])
        {
            foreach (var type in (DType[])[DType.Float32, DType.Float64, DType.Int64])
                Assert.Equal(expected, x.To(type).Gather(1, places).To(DType.Float64).ToArray<double>());
            var turned = x.To(DType.Float64).Transpose(1, 2).Clone().Transpose(1, 2);
            Assert.Equal(expected, turned.Gather(1, places).ToArray<double>());
            Assert.Equal(expected.Select(value => value > 10), x.Greater(10).Gather(1, places).ToArray<bool>());
            Assert.Equal([4, 6, 0, 0, 0, 0, 2, 3, 0, 0, 6, 7, 0, 13, 14, 11, 8, 9, 10, 15, 12, 0, 0, 0],
                Op.Apply(new ScatterAddOp(1, (int[])[2, 3, 4]), Tensor.Arange(0, 16).Reshape(2, 2, 4), places)
                    .ToArray<float>());
        }
    }

    [Theory, InlineData(1, 1), InlineData(1, 70), InlineData(5, 1), InlineData(3, 17), InlineData(2, 130)]
    public void Sums_have_the_naive_order_and_meet_in_pairs_where_many_do(int outer, int inner)
    {
        var random = new Random(outer * inner);
        foreach (var (size, count) in ((int, int)[])[(4, 9), (300, 5), (2, 600), (3, 1500), (1, 257)])
        {
            float[] values = [.. Enumerable.Range(0, outer * count * inner).Select(_ => random.NextSingle() - 0.3f)];
            long[] shared = [.. Enumerable.Range(0, count).Select(_ => (long)random.Next(size))];
            long[] own = [.. Enumerable.Range(0, values.Length).Select(_ => (long)random.Next(size))];
            var (x, rows) = (Tensor.From(values, outer, count, inner), Tensor.From(shared, count));
            var elements = Tensor.From(own, outer, count, inner);
            var expected = Naive(values, i => shared[i / inner % count], outer, size, count, inner);
            var expectedOwn = Naive(values, i => own[i], outer, size, count, inner);
            var (sums, shape) = (Tensor.From(expected, outer, size, inner), (int[])[outer, size, inner]);
            float At(int i, long row) => expected[(i / (count * inner) * size + (int)row) * inner + i % inner];
            foreach (var _ in Threads.Of(1, 2, 3))
            {
                Assert.Equal(expected, Op.Apply(new IndexAddOp(1, shape), x, rows).ToArray<float>());
                Assert.Equal(expectedOwn, Op.Apply(new ScatterAddOp(1, shape), x, elements).ToArray<float>());
                Assert.Equal(own.Select((row, i) => At(i, row)), sums.Gather(1, elements).ToArray<float>());
                Assert.Equal(own.Select((_, i) => At(i, shared[i / inner % count])),
                    sums.IndexSelect(1, rows).ToArray<float>());
            }
        }
    }

    [Theory, InlineData(DType.Int64), InlineData(DType.Int32), InlineData(DType.UInt8)]
    public void Sums_of_whole_numbers_wrap(DType type)
    {
        var random = new Random(9);
        foreach (var (outer, inner, size, count) in ((int, int, int, int)[])
            [(2, 70, 3, 9), (1, 1, 2, 700), (3, 5, 4, 300)])
        {
            long[] values = [.. Enumerable.Range(0, outer * count * inner).Select(_ => random.NextInt64())];
            var x = Tensor.From(values, outer, count, inner).To(type);
            // The lower bits of a sum are those of the sum of the lower bits.
            var wide = x.To(DType.Int64).ToArray<long>();
            var (rows, places) = (new long[outer * size * inner], new long[outer * size * inner]);
            long[] shared = [.. Enumerable.Range(0, count).Select(_ => (long)random.Next(size))];
            long[] own = [.. values.Select(_ => (long)random.Next(size))];
            for (var i = 0; i < values.Length; i++)
            {
                rows[(i / (count * inner) * size + shared[i / inner % count]) * inner + i % inner] += wide[i];
                places[(i / (count * inner) * size + own[i]) * inner + i % inner] += wide[i];
            }
            var shape = (int[])[outer, size, inner];
            foreach (var (expected, found) in ((long[], Tensor)[])
            [
                (rows, Op.Apply(new IndexAddOp(1, shape), x, Tensor.From(shared))),
                (places, Op.Apply(new ScatterAddOp(1, shape), x, Tensor.From(own, outer, count, inner))),
            ])
                Assert.Equal(Tensor.From(expected).To(type).To(DType.Int64).ToArray<long>(),
                    found.To(DType.Int64).ToArray<long>());
        }
    }

    [Fact]
    public void Rows_of_every_type()
    {
        var index = Tensor.From(new long[] { 2, 0, 2 });
        var x = Tensor.From(new[,] { { 0L, 1 }, { 2, 3 }, { 0, 5 } });
        Assert.Equal([0L, 5, 0, 1, 0, 5], x.IndexSelect(0, index).ToArray<long>());
        Assert.Equal([false, true, false, true, false, true], x.To(DType.Bool).IndexSelect(0, index).ToArray<bool>());
        Assert.Equal([0, 5, 0, 1, 0, 5],
            x.To(DType.Float64).Transpose().IndexSelect(1, index).Transpose().ToArray<double>());
        Assert.Equal([0, 5, 0, 1, 0, 5f], x.To(DType.Float32).Embedding(index).ToArray<float>());
    }

    [Fact]
    public void An_index_outside_is_named_with_its_place()
    {
        var x = Tensor.Zeros(2, 3);
        foreach (var outside in (long[])[-1, 3, long.MinValue, long.MaxValue, 1L << 32])
        {
            var index = Tensor.From(new long[] { 0, 2, outside, 1 }, 2, 2);
            Assert.Equal($"Gather: index {outside} at element 2 is outside axis 1 of (2, 3); use 0..2",
                Assert.Throws<AdjointException>(() => x.Gather(1, index)).Message);
            Assert.Equal($"IndexSelect: {outside} is outside axis 1 of (2, 3); use 0..2",
                Assert.Throws<AdjointException>(() => x.IndexSelect(1, index.Reshape(-1))).Message);
            Assert.Equal($"Embedding: index {outside} at (1, 0) is not a row of (3, 2); use 0..2",
                Assert.Throws<AdjointException>(() => x.Reshape(3, 2).Embedding(index)).Message);
        }
        Assert.Equal("Gather: index 0 at element 0 is outside axis 0 of (0,); use 0..-1",
            Assert.Throws<AdjointException>(() => Tensor.Zeros(0).Gather(0, Tensor.From(new long[1]))).Message);
    }

    // One after another up to 256 terms, beyond that the two halves of a balanced tree over 256 at a time.
    private static float[] Naive(float[] x, Func<int, long> place, int outer, int size, int count, int inner)
    {
        var terms = new List<float>[outer * size * inner];
        for (var i = 0; i < terms.Length; i++) terms[i] = [];
        for (var i = 0; i < x.Length; i++)
            terms[(i / (count * inner) * size + (int)place(i)) * inner + i % inner].Add(x[i]);
        return [.. terms.Select(each => Sum(each.ToArray()))];

        static float Sum(ReadOnlySpan<float> terms)
        {
            if (terms.Length > 256)
            {
                var left = 256;
                while (left * 2 < terms.Length) left *= 2;
                return Sum(terms[..left]) + Sum(terms[left..]);
            }
            var sum = 0f;
            foreach (var term in terms) sum += term;
            return sum;
        }
    }
}
