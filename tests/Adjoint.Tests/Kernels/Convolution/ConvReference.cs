using System.Numerics;
using Adjoint.Kernels;

namespace Adjoint.Tests.Kernels;

/// <summary>A convolution of random values and its gradients by seven plain loops in float64.</summary>
internal sealed unsafe class ConvReference
{
    private readonly ConvShape shape;
    private readonly float[] x, w, bias, g;
    private readonly double[] y, dx, dw;

    private ConvReference(ConvShape shape)
    {
        this.shape = shape;
        x = DriverTests.Values(shape.Samples * shape.Channels * shape.Height * shape.Width, 1);
        w = DriverTests.Values(
            shape.Filters * (shape.Channels / shape.Groups) * shape.KernelHeight * shape.KernelWidth, 2);
        bias = DriverTests.Values(shape.Filters, 3);
        g = DriverTests.Values(shape.Samples * shape.Filters * shape.OutHeight * shape.OutWidth, 4);
        (y, dx, dw) = (new double[g.Length], new double[x.Length], new double[w.Length]);
    }

    internal static ConvReference Of(ConvShape shape)
    {
        var reference = new ConvReference(shape);
        reference.Compute();
        return reference;
    }

    /// <summary>
    /// What runs in a direction agrees in float32 and float64 with the loops, and has the same bits on any number of
    /// threads.
    /// </summary>
    internal void Check(ConvDirection direction, string what)
    {
        var expected = Expected(direction);
        var name = $"{direction} {what} {shape}";
        float[]? first = null;
        foreach (var threads in Threads.Of(1, 2, 3, 8))
        {
            var actual = Run(direction, x, w, bias, g);
            if (!actual.AsSpan().SequenceEqual(first ??= actual))
                Assert.Fail($"{name}: {threads} threads have other bits than one");
        }
        var size = expected.Length == 0 ? 1 : expected.Max(Math.Abs) + 1;
        for (var i = 0; i < expected.Length; i++)
            if (!(Math.Abs(expected[i] - first![i]) <= 2e-5 * size))
                Assert.Fail($"{name}: [{i}] = {first[i]}, expected {expected[i]}");

        if (ForcedConvAlgorithm.Of(direction) is { } forced && !Supports<double>(direction, forced)) return;
        var wide = Run(direction, Wide(x), Wide(w), Wide(bias), Wide(g));
        for (var i = 0; i < expected.Length; i++)
            if (!(Math.Abs(expected[i] - wide[i]) <= 1e-12 * size))
                Assert.Fail($"{name}: in float64 [{i}] = {wide[i]}, expected {expected[i]}");
    }

    /// <summary>Without a forced name runs the algorithm that is chosen, and no other.</summary>
    internal void CheckChoice(ConvDirection direction)
    {
        var chosen = Run(direction, x, w, bias, g);
        using var forced = new ForcedConvAlgorithm(direction, ConvAlgorithms<float>.Choose(direction, shape).Name);
        if (!chosen.AsSpan().SequenceEqual(Run(direction, x, w, bias, g)))
            Assert.Fail($"{direction} {shape}: the chosen algorithm has other bits than itself, forced");
    }

    private static double[] Wide(float[] values) => Array.ConvertAll(values, value => (double)value);

    private bool Supports<T>(ConvDirection direction, string name) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        foreach (var algorithm in ConvAlgorithms<T>.For(direction))
            if (algorithm.Name == name) return algorithm.Supports(shape);
        return false;
    }

    private double[] Expected(ConvDirection direction) => direction switch
    {
        ConvDirection.Forward => y,
        ConvDirection.DataGradient => dx,
        _ => dw,
    };

    private T[] Run<T>(ConvDirection direction, T[] inputs, T[] weights, T[] biases, T[] gradients)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var result = new T[Expected(direction).Length];
        fixed (T* px = inputs, pw = weights, pb = biases, pg = gradients, to = result)
            switch (direction)
            {
                case ConvDirection.Forward: Convolution.Forward(shape, px, pw, pb, to); break;
                case ConvDirection.DataGradient: Convolution.DataGradient(shape, pg, pw, to); break;
                default: Convolution.WeightGradient(shape, px, pg, to); break;
            }
        return result;
    }

    private void Compute()
    {
        var s = shape;
        var (perGroup, groupFilters) = (s.Channels / s.Groups, s.Filters / s.Groups);
        for (var n = 0; n < s.Samples; n++)
            for (var f = 0; f < s.Filters; f++)
                for (var i = 0; i < s.OutHeight; i++)
                    for (var j = 0; j < s.OutWidth; j++)
                    {
                        var at = ((n * s.Filters + f) * s.OutHeight + i) * s.OutWidth + j;
                        y[at] = bias[f];
                        for (var c = 0; c < perGroup; c++)
                            for (var ky = 0; ky < s.KernelHeight; ky++)
                                for (var kx = 0; kx < s.KernelWidth; kx++)
                                {
                                    var row = i * s.StrideHeight + ky * s.DilationHeight - s.PadHeight;
                                    var column = j * s.StrideWidth + kx * s.DilationWidth - s.PadWidth;
                                    if (row < 0 || row >= s.Height || column < 0 || column >= s.Width) continue;
                                    var plane = n * s.Channels + f / groupFilters * perGroup + c;
                                    var source = (plane * s.Height + row) * s.Width + column;
                                    var weight = ((f * perGroup + c) * s.KernelHeight + ky) * s.KernelWidth + kx;
                                    y[at] += (double)x[source] * w[weight];
                                    dx[source] += (double)g[at] * w[weight];
                                    dw[weight] += (double)g[at] * x[source];
                                }
                    }
    }
}
