using Adjoint.Kernels;
using CsCheck;

namespace Adjoint.Tests.Kernels;

public unsafe class GemmTests
{
    public static TheoryData<int, int, int> Shapes() => new()
    {
        { 1, 1, 1 }, { 1, 7, 3 }, { 12, 32, 8 }, { 13, 33, 5 }, { 11, 31, 300 }, { 24, 64, 256 }, { 25, 65, 257 },
            { 128, 10, 79 }, { 4, 120, 400 }, { 5, 3, 0 }, { 97, 101, 103 }, { 61, 1, 67 },
        // Around the blocks of depth, in place and packed, few columns (computed as the transpose), several groups of
        // rows.
        { 13, 64, 512 }, { 25, 33, 513 }, { 24, 96, 1025 }, { 36, 32, 40 }, { 37, 95, 64 }, { 200, 16, 530 },
            { 200, 17, 30 }, { 17, 16, 9 }, { 400, 40, 70 },
    };

    [Theory, MemberData(nameof(Shapes))]
    public void Product_agrees_with_three_plain_loops(int m, int n, int k)
    {
        foreach (var transA in (bool[])[false, true])
            foreach (var transB in (bool[])[false, true])
                Check(transA, transB, m, n, k);
    }

    private static void Check(bool transA, bool transB, int m, int n, int k)
    {
        var (a, b, c) = (DriverTests.Values(m * k, 1), DriverTests.Values(k * n, 2), DriverTests.Values(m * n, 3));
        var (fresh, added) = (Enumerable.Repeat(float.NaN, m * n).ToArray(), (float[])c.Clone());
        var wide = new double[m * n];
        fixed (float* pa = a, pb = b, pf = fresh, pd = added)
        {
            Gemm.Run(transA, transB, m, n, k, 1f, pa, transA ? m : k, pb, transB ? k : n, 0f, pf, n);
            Gemm.Run(transA, transB, m, n, k, 2f, pa, transA ? m : k, pb, transB ? k : n, 0.5f, pd, n);
        }
        fixed (double* pa = Array.ConvertAll(a, x => (double)x), pb = Array.ConvertAll(b, x => (double)x), pw = wide)
            Gemm.Run(transA, transB, m, n, k, 1.0, pa, transA ? m : k, pb, transB ? k : n, 0.0, pw, n);
        for (var i = 0; i < m; i++)
            for (var j = 0; j < n; j++)
            {
                double sum = 0, size = 1;
                for (var l = 0; l < k; l++)
                {
                    var term = (double)(transA ? a[l * m + i] : a[i * k + l]) * (transB ? b[j * k + l] : b[l * n + j]);
                    (sum, size) = (sum + term, size + Math.Abs(term));
                }
                Assert.Equal(sum, fresh[i * n + j], 1e-6 * size);
                Assert.Equal(2 * sum + 0.5 * c[i * n + j], added[i * n + j], 2e-6 * size);
                Assert.Equal(sum, wide[i * n + j], 1e-14 * size);
            }
    }

    [Fact]
    public void Random_shapes_agree_with_plain_loops_and_have_the_same_bits_for_any_number_of_threads()
    {
        var before = Workers.ThreadCount;
        try
        {
            Gen.Select(Gen.Int[1, 140], Gen.Int[1, 140], Gen.Int[0, 700], Gen.Bool, Gen.Bool)
                .Sample((m, n, k, transA, transB) =>
            {
                float[]? first = null;
                foreach (var threads in (int[])[1, 2, 3, 8])
                {
                    Workers.ThreadCount = threads;
                    var (a, b, c) = (DriverTests.Values(m * k, 1), DriverTests.Values(k * n, 2), new float[m * n]);
                    fixed (float* pa = a, pb = b, pc = c)
                        Gemm.Run(transA, transB, m, n, k, 1f, pa, transA ? m : k, pb, transB ? k : n, 0f, pc, n);
                    Assert.Equal(first ??= c, c);
                }
                Check(transA, transB, m, n, k);
            }, iter: 60);
        }
        finally
        {
            Workers.ThreadCount = before;
        }
    }

    [Fact]
    public void NaN_and_infinity_reach_every_element_they_should_and_no_other()
    {
        foreach (var (m, n, k) in ((int, int, int)[])[(25, 33, 40), (3, 5, 7), (30, 9, 600)])
        {
            var (a, b, c) = (DriverTests.Values(m * k, 1), DriverTests.Values(k * n, 2), new float[m * n]);
            a[2 * k + 1] = float.NaN;
            a[1 * k] = float.PositiveInfinity;
            fixed (float* pa = a, pb = b, pc = c) Gemm.Run(false, false, m, n, k, 1f, pa, k, pb, n, 0f, pc, n);
            for (var i = 0; i < m; i++)
                for (var j = 0; j < n; j++)
                    if (i == 2) Assert.True(float.IsNaN(c[i * n + j]));
                    else if (i == 1) Assert.False(float.IsFinite(c[i * n + j]));
                    else Assert.True(float.IsFinite(c[i * n + j]));
        }
    }

    [Fact]
    public void Result_is_bit_identical_for_any_number_of_threads()
    {
        var before = Workers.ThreadCount;
        try
        {
            float[] Multiply(int threads)
            {
                Workers.ThreadCount = threads;
                var (a, b, c) = (DriverTests.Values(300 * 700, 1), DriverTests.Values(700 * 500, 2),
                    new float[300 * 500]);
                fixed (float* pa = a, pb = b, pc = c)
                    Gemm.Run(false, false, 300, 500, 700, 1f, pa, 700, pb, 500, 0f, pc, 500);
                return c;
            }

            var one = Multiply(1);
            foreach (var threads in (int[])[2, 3, 8]) Assert.Equal(one, Multiply(threads));
        }
        finally
        {
            Workers.ThreadCount = before;
        }
    }

    [Fact]
    public void Workers_run_each_chunk_once_pass_exceptions_on_and_serve_several_callers()
    {
        var before = Workers.ThreadCount;
        Workers.ThreadCount = 4;
        try
        {
            Parallel.For(0, 8, _ =>
            {
                for (var round = 0; round < 200; round++)
                {
                    var counts = new int[100];
                    var job = new CountJob(counts, fail: false);
                    Workers.For(100, ref job);
                    Assert.All(counts, count => Assert.Equal(1, count));
                }
            });
            var failing = new CountJob(new int[100], fail: true);
            Assert.Throws<InvalidOperationException>(() => Workers.For(100, ref failing));
        }
        finally
        {
            Workers.ThreadCount = before;
        }
    }

    private readonly struct CountJob(int[] counts, bool fail) : IChunkJob
    {
        public void Run(int chunk)
        {
            if (fail && chunk == 50) throw new InvalidOperationException();
            Interlocked.Increment(ref counts[chunk]);
        }
    }
}
