using static Adjoint.Tests.Ops.Naive;

namespace Adjoint.Tests.Ops;

/// <summary>Attention at sizes of several tiles, all options together, and at its edges.</summary>
public class AttentionTests
{
    private static readonly double[] Odd = [double.NaN, double.PositiveInfinity, double.NegativeInfinity];

    public static TheoryData<int> Seeds() => [.. To(24)];

    // Sizes around those of tiles and blocks, in float64 and float32, with and without every option.
    [Theory, MemberData(nameof(Seeds))]
    public void Values_and_gradients_agree_with_the_definition(int seed)
    {
        var random = new Random(7000 + seed);
        int Of(params int[] choices) => choices[random.Next(choices.Length)];
        var g = Of(1, 2);
        var naive = new NaiveAttention(Of(1, 2), g * Of(1, 2, 3), g, Of(1, 3, 16, 33, 70), Of(1, 5, 64, 193, 230),
            Of(1, 4, 20), Of(2, 7, 33))
        { IsCausal = random.Next(2) == 0 };
        double[] slopes = [.. To(naive.H).Select(h => 1.0 / (h + 2))];
        int[] mask = [Of(1, naive.N), Of(1, naive.H), Of(1, naive.T), Of(1, naive.S)];
        var bias = Numbers(random, Count(mask));
        var lengths = To(naive.N).Select(_ => (long)random.Next(naive.S + 1)).ToArray();
        var (hasSlopes, hasBias, hasLengths, drops) =
            (random.Next(3) == 0, random.Next(2) == 0, random.Next(3) == 0, random.Next(3) == 0);
        // Some are not seen.
        for (var i = 0; i < bias.Length; i++) if (random.Next(4) == 0) bias[i] = double.NegativeInfinity;
        double Bias(int n, int h, int i, int j) => bias[
            ((n % mask[0] * mask[1] + h % mask[1]) * mask[2] + i % mask[2]) * mask[3] + j % mask[3]];
        naive = naive with
        {
            Bias = (n, h, i, j) => (hasBias ? Bias(n, h, i, j) : 0)
                - (hasSlopes ? slopes[h] * Math.Abs(i + naive.S - naive.T - j) : 0),
            Sees = (n, h, i, j) => (!hasBias || !double.IsInfinity(Bias(n, h, i, j)))
                && (!hasLengths || j < lengths[n]),
        };
        if (drops)
        {
            var key = Tensor.Rand([2], new Generator((ulong)seed), DType.Float64).ToArray<double>();
            naive = naive with { Factor = NaiveAttention.Dropped(0.3, key[0], key[1], naive.H, naive.T, naive.S) };
        }
        double[][] x = [.. naive.Shapes.Select(shape => Numbers(random, Count(shape)))];
        var above = Numbers(random, naive.N * naive.H * naive.T * naive.E);
        var (expected, gradients) = (naive.Value(x), naive.Gradients(x, above));
        var dbias = new double[bias.Length];
        for (var at = 0; at < gradients[3].Length; at++)
        {
            var (j, i, h, n) = (at % naive.S, at / naive.S % naive.T, at / naive.S / naive.T % naive.H,
                at / naive.S / naive.T / naive.H);
            dbias[((n % mask[0] * mask[1] + h % mask[1]) * mask[2] + i % mask[2]) * mask[3] + j % mask[3]]
                += gradients[3][at];
        }
        foreach (var type in (DType[])[DType.Float64, DType.Float32])
        {
            Tensor Leaf(double[] values, int[] shape) =>
                Tensor.From(values.AsSpan(), shape).To(type).Detach().RequireGrad();
            var leaves = x.Select((values, i) => Leaf(values, naive.Shapes[i])).ToArray();
            var learned = Leaf(bias, mask);
            var y = leaves[0].ScaledDotProductAttention(leaves[1], leaves[2], new()
            {
                IsCausal = naive.IsCausal,
                Mask = hasBias ? learned : null,
                AlibiSlopes = hasSlopes ? Tensor.From(slopes.AsSpan()) : null,
                KeyLengths = hasLengths ? Tensor.From(lengths.AsSpan()) : null,
                Dropout = drops ? 0.3 : 0,
                Generator = new Generator((ulong)seed),
            });
            var what = $"seed {seed}, {naive}, {type.Label()}";
            AssertClose(expected, y, type, what);
            y.Backward(Tensor.From(above.AsSpan(), [.. y.Shape.Sizes]).To(type));
            for (var i = 0; i < 3; i++) AssertClose(gradients[i], leaves[i].Grad!, type, $"{what}, gradient {i}");
            if (hasBias) AssertClose(dbias, learned.Grad!, type, $"{what}, gradient of the mask");
        }
    }

    // pytorch #41508, #103963, #101967.
    [Theory, InlineData(DType.Float64), InlineData(DType.Float32)]
    public void What_is_not_seen_may_be_anything(DType type)
    {
        var naive = new NaiveAttention(1, 2, 1, 37, 41, 5, 6)
        {
            // Query 3 sees nothing; no one sees key 7.
            Sees = (_, _, i, j) => i != 3 && j != 7 && (i + j) % 5 != 0,
        };
        var random = new Random(17);
        double[][] x = [.. naive.Shapes.Select(shape => Numbers(random, Count(shape)))];
        var above = Numbers(random, 2 * 37 * 6);
        var (expected, gradients) = (naive.Value(x), naive.Gradients(x, above));
        foreach (var odd in Odd)
        {
            for (var c = 0; c < 5; c++) x[0][3 * 5 + c] = x[0][(37 + 3) * 5 + c] = x[1][7 * 5 + c] = odd;
            for (var c = 0; c < 6; c++) x[2][7 * 6 + c] = above[3 * 6 + c] = above[(37 + 3) * 6 + c] = odd;
            Tensor[] leaves = [.. x.Select((values, i) =>
                Tensor.From(values.AsSpan(), naive.Shapes[i]).To(type).Detach().RequireGrad())];
            var mask = Tensor.From([.. from i in To(37) from j in To(41) select naive.Sees(0, 0, i, j)], 37, 41);
            var y = leaves[0].ScaledDotProductAttention(leaves[1], leaves[2], new() { Mask = mask });
            AssertClose(expected, y, type, $"{odd}");
            y.Backward(Tensor.From(above.AsSpan(), 1, 2, 37, 6).To(type));
            for (var i = 0; i < 3; i++) AssertClose(gradients[i], leaves[i].Grad!, type, $"{odd}, gradient {i}");
        }
    }

    // Where some see it, it reaches those alone.
    [Fact]
    public void A_NaN_reaches_those_who_see_it()
    {
        var (q, k, v) = (Randn(1, 1, 40, 4), Randn(1, 1, 40, 4), Randn(1, 1, 40, 4));
        var values = v.ToArray<double>();
        values[20 * 4 + 1] = double.NaN;
        (q, k, v) = (q.RequireGrad(), k.RequireGrad(), Tensor.From(values.AsSpan(), 1, 1, 40, 4).RequireGrad());
        var y = q.ScaledDotProductAttention(k, v, new() { IsCausal = true });
        var found = y.ToArray<double>();
        for (var i = 0; i < found.Length; i++) Assert.Equal(i / 4 >= 20 && i % 4 == 1, double.IsNaN(found[i]));
        y.Sum().Backward();
        var dq = q.Grad!.ToArray<double>();
        for (var i = 0; i < dq.Length; i++) Assert.Equal(i / 4 >= 20, double.IsNaN(dq[i]));
        Assert.All(v.Grad!.ToArray<double>(), g => Assert.True(double.IsFinite(g)));
    }

    // Parts of one projection (n, t, 3, h, d), and layouts of every other kind.
    [Theory, InlineData(1), InlineData(40)]
    public void Layouts_are_read_as_they_are(int queries)
    {
        var all = Tensor.Randn([2, 40, 3, 4, 6], new Generator(1)).RequireGrad();
        Tensor Part(Tensor from, int part) => from.Select(2, part).Permute(0, 2, 1, 3);
        var (q, k, v) = (Part(all, 0).Slice(2, 0, queries), Part(all, 1), Part(all, 2));
        var options = new AttentionOptions { IsCausal = true };
        var y = q.ScaledDotProductAttention(k, v, options);
        Assert.False(k.IsContiguous);
        Tensor[] copies = [.. new[] { q, k, v }.Select(x => x.Detach().Contiguous().RequireGrad())];
        var other = copies[0].ScaledDotProductAttention(copies[1], copies[2], options);
        Assert.Equal(other.ToArray<float>(), y.ToArray<float>());
        // A gradient whose heads and positions changed places, as that of a projection behind it.
        var above = Tensor.Randn([2, queries, 4, 6], new Generator(2)).Permute(0, 2, 1, 3);
        y.Backward(above);
        other.Backward(above.Contiguous());
        for (var part = 0; part < 3; part++)
            Assert.Equal(copies[part].Grad!.ToArray<float>(),
                (part == 0 ? Part(all.Grad!, 0).Slice(2, 0, queries) : Part(all.Grad!, part)).ToArray<float>());
    }

    [Fact]
    public void Captured_dropout_draws_what_the_eager_one_would()
    {
        double[][] Losses(bool isCaptured)
        {
            var generator = new Generator(8);
            var (q, k) = (Randn(1, 2, 5, 4).RequireGrad(), Randn(1, 2, 9, 4).RequireGrad());
            Tensor Step()
            {
                q.ZeroGrad();
                k.ZeroGrad();
                var loss = q.ScaledDotProductAttention(k, k, new() { Dropout = 0.5, Generator = generator }).Square()
                    .Sum();
                loss.Backward();
                return loss;
            }

            var captured = CapturedFunction.Create(Step);
            return [.. To(5).Select(_ =>
                (double[])[(isCaptured ? captured.Run() : Step()).Item(), .. q.Grad!.ToArray<double>(),
                    .. k.Grad!.ToArray<double>()])];
        }

        var eager = Losses(false);
        Assert.Equal(eager, Losses(true));
        Assert.Equal(5, eager.Select(step => step[0]).Distinct().Count());
    }

    // Of tensors; and with all that one thread allocates for the first time, scores of all pairs would not fit.
    [Fact]
    public void Memory_grows_with_the_length_alone()
    {
        foreach (var _ in Threads.Of(1))
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            var bytes = new[] { 256, 512, 1024 }.Select(Rented).ToArray();
            Assert.All(bytes.Zip(bytes[1..]), pair => Assert.InRange(pair.Second, pair.First, 2.1 * pair.First));
            var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.True(allocated < 1024 * 1024 * sizeof(float), $"{allocated} bytes");
        }

        static long Rented(int length)
        {
            var before = TensorMemory.RentedBytes;
            var x = Tensor.Randn([1, 1, length, 16], new Generator(1)).RequireGrad();
            var y = x.ScaledDotProductAttention(x, x);
            var most = TensorMemory.RentedBytes;
            y.Backward(Tensor.Ones(1, 1, length, 16));
            most = Math.Max(most, TensorMemory.RentedBytes);
            GC.KeepAlive(x);
            return most - before;
        }
    }

    private static Tensor Randn(params int[] shape) => Tensor.Randn(shape, new Generator(3), DType.Float64);

    private static double[] Numbers(Random random, int count) =>
        [.. To(count).Select(_ => Math.Round(random.NextDouble() * 4 - 2, 3))];

    private static void AssertClose(double[] expected, Tensor found, DType type, string what)
    {
        var values = found.Detach().To(DType.Float64).ToArray<double>();
        Assert.Equal(expected.Length, values.Length);
        var tolerance = (type == DType.Float64 ? 1e-12 : 2e-5) * expected.Select(Math.Abs).Append(1).Max();
        for (var i = 0; i < expected.Length; i++)
            Assert.True(Math.Abs(expected[i] - values[i]) <= tolerance,
                $"{what}: element {i} is {values[i]}, not {expected[i]}");
    }
}
