using Adjoint.Kernels;

namespace Adjoint.Tests.Kernels;

public unsafe class GemmTests
{
    public static TheoryData<int, int, int> Shapes() => new()
    {
        { 1, 1, 1 }, { 1, 7, 3 }, { 12, 32, 8 }, { 13, 33, 5 }, { 11, 31, 300 }, { 24, 64, 256 }, { 25, 65, 257 }, { 128, 10, 79 }, { 4, 120, 400 }, { 5, 3, 0 }, { 97, 101, 103 }, { 61, 1, 67 },
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
    public void Result_is_bit_identical_for_any_number_of_threads()
    {
        var before = Workers.ThreadCount;
        try
        {
            float[] Multiply(int threads)
            {
                Workers.ThreadCount = threads;
                var (a, b, c) = (DriverTests.Values(300 * 700, 1), DriverTests.Values(700 * 500, 2), new float[300 * 500]);
                fixed (float* pa = a, pb = b, pc = c) Gemm.Run(false, false, 300, 500, 700, 1f, pa, 700, pb, 500, 0f, pc, 500);
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
