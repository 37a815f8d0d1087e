using Adjoint.Kernels;
using CsCheck;

namespace Adjoint.Tests.Kernels;

public unsafe class DriverTests
{
    public static TheoryData<int> Lengths() =>
        [0, 1, 3, 4, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 1000, 16384, 16385, 40000];

    [Theory, MemberData(nameof(Lengths))]
    public void Map_and_Zip_agree_with_a_plain_loop_at_every_length(int length)
    {
        var (x, y) = (Values(length, 1), Values(length, 2));
        var (mapped, zipped) = (new float[length], new float[length]);
        fixed (float* px = x, py = y, pm = mapped, pz = zipped)
        {
            Map.Run(new Tanh(), px, pm, length);
            Zip.Run(new Hypotenuse(), px, py, pz, length);
        }
        for (var i = 0; i < length; i++)
        {
            Assert.Equal(Math.Tanh(x[i]), mapped[i], 3e-7);
            Assert.Equal(Math.Sqrt((double)x[i] * x[i] + (double)y[i] * y[i]), zipped[i], 1e-6 * (1 + zipped[i]));
        }
    }

    [Theory, MemberData(nameof(Lengths))]
    public void Reduce_agrees_with_a_plain_loop_over_any_axis(int length)
    {
        var x = Values(length * 3, 3);
        float total;
        var (rows, columns) = (new float[3], new float[3]);
        fixed (float* px = x, pr = rows, pc = columns)
        {
            Reduce.Run(new SumOperator(), px, &total, 1, length * 3, 1);
            Reduce.Run(new SumOperator(), px, pr, 3, length, 1);
            Reduce.Run(new MaxOperator(), px, pc, 1, length, 3);
        }
        Assert.Equal(x.Sum(value => (double)value), total, 1e-4 * (1 + Math.Sqrt(length)));
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(x.Skip(i * length).Take(length).Sum(value => (double)value), rows[i],
                1e-4 * (1 + Math.Sqrt(length)));
            Assert.Equal(x.Where((_, at) => at % 3 == i).DefaultIfEmpty(float.NegativeInfinity).Max(), columns[i]);
        }
    }

    [Fact]
    public void Long_folds_of_rows_and_columns_keep_their_digits()
    {
        const int length = 1 << 20;
        var x = new float[2 * length];
        Array.Fill(x, 0.1f);
        var (rows, columns) = (new float[2], new float[2]);
        float total;
        fixed (float* px = x, pr = rows, pc = columns)
        {
            Reduce.Run(new SumOperator(), px, pr, 2, length, 1);
            Reduce.Run(new SumOperator(), px, pc, 1, length, 2);
            Reduce.Run(new SumOperator(), px, &total, 1, 2 * length, 1);
        }
        // Without vectors 2,048 terms are added one after another.
        foreach (var sum in (float[])[.. rows, .. columns, total / 2])
            Assert.Equal(0.1f * (double)length, sum, 2e-5 * 0.1f * length);
    }

    [Theory, MemberData(nameof(Lengths))]
    public void Cumulative_sum_agrees_with_a_plain_loop_along_any_axis(int length)
    {
        foreach (var (outer, inner) in ((int, int)[])[(1, 1), (3, 1), (2, 3), (1, 63), (2, 65), (0, 2), (2, 0)])
            foreach (var isReversed in (bool[])[false, true])
            {
                if (length * inner > 100_000) continue;
                var x = Values(outer * length * inner, 5);
                var (single, wide, expected) = (new float[x.Length], new double[x.Length], new double[x.Length]);
                for (var o = 0; o < outer; o++)
                    for (var i = 0; i < inner; i++)
                    {
                        var sum = 0.0;
                        for (var k = 0; k < length; k++)
                        {
                            var at = (o * length + (isReversed ? length - 1 - k : k)) * inner + i;
                            expected[at] = sum += x[at];
                        }
                    }
                fixed (float* px = x, ps = single)
                fixed (double* pw = Array.ConvertAll(x, value => (double)value), pd = wide)
                {
                    CumulativeSum.Run(px, ps, outer, length, inner, isReversed);
                    CumulativeSum.Run(pw, pd, outer, length, inner, isReversed);
                }
                Assert.Equal(expected, wide);
                Assert.Equal(Array.ConvertAll(expected, value => (float)value), single);
            }
    }

    [Fact]
    public void A_cumulative_sum_is_NaN_from_the_first_NaN_on_and_keeps_the_sign_of_zero()
    {
        double[] x = [-0.0, -0.0, 0, 1, double.NaN, 2], y = new double[6];
        fixed (double* px = x, py = y)
        {
            CumulativeSum.Run(px, py, 1, 6, 1, isReversed: false);
            Assert.Equal([-0.0, -0.0, 0, 1, double.NaN, double.NaN], y);
            Assert.True(double.IsNegative(y[1]) && !double.IsNegative(y[2]));
            CumulativeSum.Run(px, py, 2, 1, 3, isReversed: false);
            Assert.Equal(x, y);
            Assert.True(double.IsNegative(y[0]));
        }
    }

    [Theory, MemberData(nameof(Lengths))]
    public void Squared_norm_agrees_with_a_plain_loop_for_any_number_of_threads(int length)
    {
        var (single, wide) = (Values(length, 1), Array.ConvertAll(Values(length, 2), value => value * 1e200));
        var before = Workers.ThreadCount;
        try
        {
            double? first = null;
            foreach (var threads in (int[])[1, 2, 3, 8])
            {
                Workers.ThreadCount = threads;
                fixed (float* px = single)
                fixed (double* pw = wide)
                {
                    var found = SquaredNorm.Run(1, px, length);
                    Assert.Equal(single.Sum(value => (double)value * value), found, 1e-13 * found);
                    Assert.Equal(first ??= found, found);
                    var scaled = SquaredNorm.Run(1e-200, pw, length);
                    Assert.Equal(wide.Sum(value => value * 1e-200 * (value * 1e-200)), scaled, 1e-13 * scaled);
                }
            }
        }
        finally
        {
            Workers.ThreadCount = before;
        }
    }

    [Fact]
    public void Squared_norm_has_the_same_bits_at_any_width_of_vectors()
    {
        var x = Values(20_000, 3);
        fixed (float* px = x)
        {
            // Eight lanes of four chains, in pieces that meet in pairs: ((0, 1), 2).
            var expected = Piece(0, 8192) + Piece(8192, 8192) + Piece(16384, 20_000 - 16384);
            Assert.Equal(expected, SquaredNorm.Run(1, px, x.Length));
        }

        double Piece(int start, int length)
        {
            var chains = new double[4, 8];
            for (var i = 0; i < length; i++) chains[i / 8 % 4, i % 8] += (double)x[start + i] * x[start + i];
            double Lane(int lane) => chains[0, lane] + chains[1, lane] + (chains[2, lane] + chains[3, lane]);
            double Two(int lane) => Lane(lane) + Lane(lane + 4);
            return Two(0) + Two(1) + (Two(2) + Two(3));
        }
    }

    [Fact]
    public void A_squared_norm_is_NaN_or_infinite_where_an_element_is()
    {
        for (var at = 0; at < 40; at++)
            foreach (var wrong in (float[])[float.NaN, float.NegativeInfinity])
            {
                var x = Values(40, 4);
                x[at] = wrong;
                fixed (float* px = x) Assert.Equal(wrong * wrong, SquaredNorm.Run(1, px, 40));
            }
    }

    [Fact]
    public void NaN_passes_through_every_lane_and_fold()
    {
        for (var at = 0; at < 40; at++)
        {
            var x = Values(40, 4);
            x[at] = float.NaN;
            var y = new float[40];
            float max;
            fixed (float* px = x, py = y)
            {
                Map.Run(new Tanh(), px, py, 40);
                Reduce.Run(new MaxOperator(), px, &max, 1, 40, 1);
            }
            Assert.Equal(at, Array.FindIndex(y, float.IsNaN));
            Assert.True(float.IsNaN(max));
        }
    }

    [Fact]
    public void Special_values_of_the_composed_functions()
    {
        double[] x = [0, double.PositiveInfinity, double.NegativeInfinity, double.NaN, 1e-300, 710, -746, 1e-10];
        var y = new double[x.Length];
        fixed (double* px = x, py = y)
        {
            Map.Run(new Tanh(), px, py, x.Length);
            Assert.Equal([0, 1, -1, double.NaN, 1e-300, 1, -1, 1e-10], y);
            Map.Run(new Expm1(), px, py, x.Length);
            Assert.Equal([0, double.PositiveInfinity, -1, double.NaN], y[..4]);
            Assert.Equal(1.00000000005e-10, y[7], 1e-25);
            Map.Run(new Log1p(), px, py, x.Length);
            Assert.Equal([0, double.PositiveInfinity, double.NaN, double.NaN, 1e-300], y[..5]);
            Map.Run(new Sigmoid(), px, py, x.Length);
            Assert.Equal([0.5, 1, 0, double.NaN], y[..4]);
        }
    }

    [Fact]
    public void Exp_in_single_precision_is_within_two_units_of_the_last_place()
    {
        var x = Enumerable.Range(0, 400_000).Select(i => -110f + i * (200f / 400_000))
            .Concat([0f, -0f, float.NaN, float.PositiveInfinity, float.NegativeInfinity, 88.72283f, 88.8f, -87.4f,
                -103.9f, -1000, 1000, float.Epsilon]).ToArray();
        var y = new float[x.Length];
        fixed (float* px = x, py = y) Map.Run(new ExpOperator(), px, py, x.Length);
        for (var i = 0; i < x.Length; i++)
        {
            var exact = Math.Exp(x[i]);
            if (double.IsNaN(exact)) Assert.True(float.IsNaN(y[i]));
            else if ((float)exact is var nearest && float.IsInfinity(nearest)) Assert.Equal(nearest, y[i]);
            else Assert.True(Math.Abs(y[i] - exact) <= 2 * (MathF.BitIncrement(nearest) - nearest),
                $"exp({x[i]:R}) = {y[i]:R}, exactly {exact:R}");
        }
    }

    private readonly struct ExpOperator : IUnaryOperator
    {
        public V Invoke<V>(V x) where V : struct, ILanes<V> => V.Exp(x);
    }

    [Fact]
    public void Parallel_kernels_have_the_same_bits_for_any_number_of_threads_at_random_lengths()
    {
        var before = Workers.ThreadCount;
        try
        {
            Gen.Select(Gen.Int[1, 60], Gen.Int[1, 3000]).Sample((rows, columns) =>
            {
                float[]? first = null;
                foreach (var threads in (int[])[1, 2, 3, 8])
                {
                    Workers.ThreadCount = threads;
                    var n = rows * columns;
                    var (x, y, all) = (Values(n, 1), Values(n, 2), new float[5 * n]);
                    var labels = Enumerable.Range(0, rows).Select(i => (long)(i * 31 % columns)).ToArray();
                    fixed (float* px = x, py = y, to = all)
                    fixed (long* pl = labels)
                    {
                        Map.Run(new Tanh(), px, to, n);
                        Softmax.Rows(px, to + n, rows, columns);
                        Softmax.LogRows(px, to + 2 * n, rows, columns);
                        SoftmaxCrossEntropy.Run(px, pl, to + 3 * n, to + 4 * n, rows, columns, 0.1, 0.5);
                        Reduce.Run(new SumOperator(), py, to + 3 * n, 1, n, 1);
                    }
                    Assert.Equal(first ??= all, all);
                }
            }, iter: 40);
        }
        finally
        {
            Workers.ThreadCount = before;
        }
    }

    [Fact]
    public void Philox_gives_the_published_answers()
    {
        // Random123, kat_vectors: philox4x32 10.
        Assert.Equal((0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u), Philox.Block(0, 0, 0, 0, 0, 0));
        Assert.Equal((0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu), Philox.Block(~0u, ~0u, ~0u, ~0u, ~0u, ~0u));
        Assert.Equal((0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u),
            Philox.Block(0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0));
    }

    [Fact]
    public void Random_numbers_have_the_moments_of_their_distribution_and_permutations_are_permutations()
    {
        var normal = Tensor.Randn([200_000], new Generator(5), DType.Float64).ToArray<double>();
        var uniform = Tensor.Rand([200_000], new Generator(6)).ToArray<float>();
        Assert.Equal(0, normal.Average(), 0.01);
        Assert.Equal(1, normal.Average(x => x * x), 0.02);
        Assert.Equal(3, normal.Average(x => x * x * x * x), 0.1);
        Assert.Equal(0.5, uniform.Average(), 0.005);
        Assert.All(uniform, x => Assert.InRange(x, 0, 0.99999999f));
        Assert.Equal(Enumerable.Range(0, 1000), new Generator(7).Permutation(1000).Order());
        Assert.NotEqual(new Generator(7).Permutation(1000), new Generator(8).Permutation(1000));
    }

    internal static float[] Values(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() * 4 - 2)];
    }

    private readonly struct Tanh : IUnaryOperator
    {
        public V Invoke<V>(V x) where V : struct, ILanes<V> => LaneMath.Tanh(x);
    }

    private readonly struct Expm1 : IUnaryOperator
    {
        public V Invoke<V>(V x) where V : struct, ILanes<V> => LaneMath.Expm1(x);
    }

    private readonly struct Log1p : IUnaryOperator
    {
        public V Invoke<V>(V x) where V : struct, ILanes<V> => LaneMath.Log1p(x);
    }

    private readonly struct Sigmoid : IUnaryOperator
    {
        public V Invoke<V>(V x) where V : struct, ILanes<V> => LaneMath.Sigmoid(x);
    }

    private readonly struct Hypotenuse : IBinaryOperator
    {
        public V Invoke<V>(V x, V y) where V : struct, ILanes<V> => V.Sqrt(V.Fma(x, x, y * y));
    }
}
