using CsCheck;

namespace Adjoint.Tests.Ops;

public class PoolingTests
{
    [Fact]
    public void Random_windows_agree_with_plain_loops_in_number_maximum_and_mean()
    {
        var axis = from kernel in Gen.Int[1, 5]
                   from stride in Gen.Int[1, 6]
                   from pad in Gen.Int[0,
            kernel / 2]
                   from size in Gen.Int[Math.Max(1, kernel - 2 * pad), 17]
                   select (Size: size, Kernel: kernel,
            Stride: stride, Pad: pad);
        Gen.Select(axis, axis, Gen.Bool).Sample((h, w, ceil) =>
        {
            var x = Tensor.Randn([2, 3, h.Size, w.Size], new Generator(1), DType.Float64);
            var values = x.ToArray<double>();
            var (rows, columns) = (Windows(h, ceil), Windows(w, ceil));
            var (max, average) = (new List<double>(), new List<double>());
            for (var plane = 0; plane < 6; plane++)
                foreach (var (top, bottom) in rows)
                    foreach (var (left, right) in columns)
                    {
                        double[] window =
                            [.. from i in Enumerable.Range(top, bottom - top) from j in Enumerable.Range(
                                left, right - left) where i >= 0 && i < h.Size && j >= 0
                                && j < w.Size select values[(plane * h.Size + i) * w.Size + j]];
                        max.Add(window.Max());
                        average.Add(window.Sum() / ((bottom - top) * (right - left)));
                    }
            Size2 kernel = (h.Kernel, w.Kernel), stride = (h.Stride, w.Stride), pad = (h.Pad, w.Pad);
            var (largest, mean) = (x.MaxPool2d(kernel, stride, pad, ceil), x.AvgPool2d(kernel, stride, pad, ceil));
            Assert.Equal((Shape)(int[])[2, 3, rows.Length, columns.Length], largest.Shape);
            Assert.Equal(largest.Shape, mean.Shape);
            Assert.Equal(max, largest.ToArray<double>());
            foreach (var (expected, found) in average.Zip(mean.ToArray<double>())) Assert.Equal(expected, found, 1e-12);
        }, iter: 300);
    }

    // Begin and end of each window; ends reach no further than the padding.
    private static (int First, int End)[] Windows((int Size, int Kernel, int Stride, int Pad) axis, bool ceil)
    {
        var windows = new List<(int, int)>();
        for (var first = -axis.Pad; ; first += axis.Stride)
        {
            var whole = first + axis.Kernel <= axis.Size + axis.Pad;
            var reached = windows.Count > 0 && first - axis.Stride + axis.Kernel >= axis.Size + axis.Pad;
            if (!whole && (!ceil || reached || first >= axis.Size)) return [.. windows];
            windows.Add((first, Math.Min(first + axis.Kernel, axis.Size + axis.Pad)));
        }
    }
}
