using Adjoint.Kernels;
using CsCheck;

namespace Adjoint.Tests.Kernels;

/// <summary>Max pooling, its gradient and selection against plain loops.</summary>
public unsafe class PoolingKernelTests
{
    [Fact]
    public void Random_poolings_agree_with_plain_loops_NaN_included()
    {
        var sizes = Gen.Select(Gen.Int[2, 40], Gen.Int[2, 40]);
        Gen.Select(Gen.Int[1, 3], sizes, Gen.Int[1, 3], Gen.Int[1, 3]).Sample((planes, size, kernel, stride) =>
        {
            var (h, w) = size;
            if (kernel > h || kernel > w) return;
            if (kernel == 3) kernel = stride = 2;
            var (outHeight, outWidth) = ((h - kernel) / stride + 1, (w - kernel) / stride + 1);
            Check(new(planes, h, w, kernel, kernel, stride, stride, 0, 0, outHeight, outWidth));
        }, iter: 300);
    }

    private static void Check(PoolShape shape)
    {
        var (h, w, kernel, stride) = (shape.Height, shape.Width, shape.KernelHeight, shape.StrideHeight);
        var outputs = shape.Planes * shape.OutHeight * shape.OutWidth;
        var (x, g) = (DriverTests.Values(shape.Planes * h * w, 1), DriverTests.Values(outputs, 2));
        var (y, dx, index) = (new float[outputs], new float[x.Length], new byte[outputs]);
        for (var i = 0; i < x.Length; i++) x[i] = i % 97 == 50 ? float.NaN : MathF.Round(x[i] * 2);
        fixed (float* px = x, pg = g, py = y, pd = dx)
        fixed (byte* pi = index)
        {
            Pooling.Max(shape, px, py, pi);
            Pooling.MaxGradient(shape, pg, pi, pd);
        }
        var expected = new double[dx.Length];
        for (var at = 0; at < outputs; at++)
        {
            var (plane, i, j) = (at / (shape.OutWidth * shape.OutHeight), at / shape.OutWidth % shape.OutHeight,
                at % shape.OutWidth);
            var window = Enumerable.Range(0, kernel * kernel)
                .Select(k => (plane * h + i * stride + k / kernel) * w + j * stride + k % kernel).ToArray();
            var best = window.Any(k => float.IsNaN(x[k]))
                ? window.First(k => float.IsNaN(x[k]))
                : window.First(k => x[k] == window.Max(other => x[other]));
            Assert.Equal(x[best], y[at]);
            Assert.Equal(best, window[index[at]]);
            expected[best] += g[at];
        }
        for (var i = 0; i < expected.Length; i++) Assert.Equal(expected[i], dx[i], 1e-5);
    }
}
