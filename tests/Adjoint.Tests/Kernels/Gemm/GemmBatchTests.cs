using System.Numerics;
using Adjoint.Kernels;

namespace Adjoint.Tests.Kernels;

/// <summary>Products over leading axes: as plain loops in float64, and each as it is alone, to the bit.</summary>
public unsafe class GemmBatchTests
{
    public static TheoryData<int, int, int> Shapes() => new()
    {
        // One element, no terms, around the tiles, few columns (computed as the transpose), one row, large ones.
        { 1, 1, 1 }, { 5, 3, 0 }, { 4, 4, 4 }, { 11, 31, 17 }, { 12, 32, 8 }, { 13, 33, 9 }, { 61, 1, 67 }, { 1, 65,
            40 },
        { 25, 9, 70 }, { 64, 64, 63 }, { 64, 64, 65 }, { 3, 40, 600 },
    };

    [Theory, MemberData(nameof(Shapes))]
    public void Products_agree_with_plain_loops_and_with_each_alone_on_any_number_of_threads(int m, int n, int k)
    {
        foreach (var transA in (bool[])[false, true])
            foreach (var transB in (bool[])[false, true])
            {
                foreach (var batch in ((int[])[3, 17, 1, 2, 4, 5, 6, 7])[..IsaTiers.Fewer(8)])
                    Check(transA, transB, m, n, k, [batch], [1], [1]);
                Check(transA, transB, m, n, k, [3], [0], [1]);
                Check(transA, transB, m, n, k, [18], [1], [0]);
            }
    }

    [Fact]
    public void Every_leading_axis_has_steps_of_its_own()
    {
        Check(false, false, 5, 7, 3, [], [], []);
        Check(false, true, 5, 7, 3, [2, 3, 4], [12, 4, 1], [4, 0, 1]);
        Check(true, false, 33, 20, 40, [3, 7], [0, 1], [1, 0]);
        Check(false, false, 33, 20, 40, [4, 5], [1, 4], [0, 0]);
    }

    [Fact]
    public void Nothing_is_written_where_there_is_nothing()
    {
        var c = new float[] { 5 };
        float* none = null;
        fixed (float* pc = c)
        {
            GemmBatch.Run([0], false, false, 1, 1, 1, none, 1, [1], none, 1, [1], pc, none, new NoActivation());
            GemmBatch.Run([3, 0, 2], false, false, 9, 9, 9, none, 9, [1, 1, 1], none, 9, [1, 1, 1], pc, none,
                new NoActivation());
            GemmBatch.Run([70_000, 70_000], false, false, 0, 9, 9, none, 9, [1, 1], none, 9, [1, 1], pc, none,
                new NoActivation());
        }
        Assert.Equal([5], c);
    }

    [Fact]
    public void NaN_stays_in_the_product_and_row_that_it_is_of()
    {
        const int m = 13, n = 33, k = 40, batch = 5;
        var (a, b, c) = (DriverTests.Values(batch * m * k, 1), DriverTests.Values(batch * k * n, 2),
            new float[batch * m * n]);
        a[3 * m * k + 2 * k + 7] = float.NaN;
        fixed (float* pa = a, pb = b, pc = c)
            GemmBatch.Run([batch], false, false, m, n, k, pa, k, [m * k], pb, n, [k * n], pc, null, new NoActivation());
        for (var i = 0; i < c.Length; i++) Assert.Equal(i / n == 3 * m + 2, float.IsNaN(c[i]));
    }

    [Fact]
    public void Tensors_are_multiplied_in_every_layout()
    {
        var generator = new Generator(5);
        var a = Tensor.Randn([3, 1, 9, 20], generator, dtype: DType.Float64);
        var b = Tensor.Randn([4, 7, 20], generator, dtype: DType.Float64);
        var expected = new double[3 * 4 * 9 * 7];
        for (var at = 0; at < expected.Length; at++)
        {
            var (i, j, row, column) = (at / 252, at / 63 % 4, at / 7 % 9, at % 7);
            for (var l = 0; l < 20; l++) expected[at] += a.ItemAt(i, 0, row, l) * b.ItemAt(j, column, l);
        }
        foreach (var left in (Tensor[])[a, a.Transpose().Contiguous().Transpose(), Spread(a)])
            foreach (var right in (Tensor[])[b, b.Transpose().Contiguous().Transpose(), Spread(b)])
            {
                var found = left.MatMul(right.Transpose()).ToArray<double>();
                for (var at = 0; at < expected.Length; at++) Assert.Equal(expected[at], found[at], 1e-12);
            }

        // With gaps between rows and columns.
        static Tensor Spread(Tensor x) => Tensor.Stack([x, x, x], -1).Select(-1, 1);
    }

    // Steps count matrices.
    private static void Check(
        bool transA, bool transB, int m, int n, int k, int[] sizes, nint[] stepsA, nint[] stepsB)
    {
        Check<float>(transA, transB, m, n, k, sizes, stepsA, stepsB, 2e-6);
        Check<double>(transA, transB, m, n, k, sizes, stepsA, stepsB, 1e-14);
    }

    private static void Check<T>(
        bool transA, bool transB, int m, int n, int k, int[] sizes, nint[] stepsA, nint[] stepsB, double tolerance)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var count = sizes.Aggregate(1, (product, size) => product * size);
        var (a, b, bias) = (Values<T>(count * m * k, 1), Values<T>(count * k * n, 2), Values<T>(n, 3));
        var (lda, ldb) = (transA ? m : k, transB ? k : n);
        var alone = new T[count * m * n];
        fixed (T* pa = a, pb = b, pbias = bias, pc = alone)
            for (var i = 0; i < count; i++)
            {
                var (atA, atB) = (At(i, stepsA), At(i, stepsB));
                Gemm.Run(transA, transB, m, n, k, T.One, pa + atA * m * k, lda, pb + atB * k * n, ldb, T.Zero,
                    pc + i * m * n, n, pbias, new Positive());
                for (var row = 0; row < m; row++)
                    for (var column = 0; column < n; column++)
                    {
                        var (sum, size) = (double.CreateChecked(bias[column]), 1.0);
                        for (var l = 0; l < k; l++)
                        {
                            var x = a[atA * m * k + (transA ? l * m + row : row * k + l)];
                            var y = b[atB * k * n + (transB ? column * k + l : l * n + column)];
                            var term = double.CreateChecked(x) * double.CreateChecked(y);
                            (sum, size) = (sum + term, size + Math.Abs(term));
                        }
                        var found = double.CreateChecked(alone[i * m * n + row * n + column]);
                        if (!(Math.Abs(Math.Max(0, sum) - found) <= tolerance * size))
                            Assert.Fail($"product {i}, row {row}, column {column}: {found} instead of {sum}");
                    }
            }
        var before = Workers.ThreadCount;
        try
        {
            foreach (var threads in (int[])[1, 2, 3, 8])
            {
                Workers.ThreadCount = threads;
                var together = new T[alone.Length];
                Array.Fill(together, T.NaN);
                fixed (T* pa = a, pb = b, pbias = bias, pc = together)
                    GemmBatch.Run(sizes, transA, transB, m, n, k, pa, lda, Elements(stepsA, m * k), pb, ldb,
                        Elements(stepsB, k * n), pc, pbias, new Positive());
                Assert.True(alone.AsSpan().SequenceEqual(together), $"{count} products on {threads} threads");
            }
        }
        finally
        {
            Workers.ThreadCount = before;
        }

        int At(int i, nint[] steps)
        {
            nint at = 0;
            for (var axis = sizes.Length - 1; axis >= 0; i /= sizes[axis], axis--) at += i % sizes[axis] * steps[axis];
            return (int)at;
        }
    }

    private static nint[] Elements(nint[] steps, int matrix) => Array.ConvertAll(steps, step => step * matrix);

    private static T[] Values<T>(int length, int seed) where T : unmanaged, INumberBase<T> =>
        Array.ConvertAll(DriverTests.Values(length, seed), T.CreateChecked);

    private readonly struct Positive : IUnaryOperator
    {
        public V Invoke<V>(V x) where V : struct, ILanes<V> => V.Max(x, V.Splat(0));
    }
}
