using System.Buffers;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Adjoint.Data;

/// <summary>
/// Resizes images: each pixel of the result is a weighted mean of the pixels under a filter around its place. Where the
/// image shrinks, the filter is stretched by the scale, so that every pixel counts (antialiasing). The definition is
/// that of Pillow, and of torchvision with antialias=True; intermediate values are float32.
/// </summary>
internal static class Resampling
{
    /// <summary>Resizes a window of each plane of an image of float32 values.</summary>
    /// <param name="source">The values (planes, height, width).</param>
    /// <param name="height">The rows of the source.</param>
    /// <param name="width">The columns of the source.</param>
    /// <param name="window">The part to resize; pixels outside of it do not count.</param>
    /// <param name="result">The values of the result (planes, toHeight, toWidth); not the memory of the source.</param>
    /// <param name="toHeight">The rows of the result.</param>
    /// <param name="toWidth">The columns of the result.</param>
    /// <param name="interpolation">The filter.</param>
    internal static void Resize(ReadOnlySpan<float> source, int height, int width, PixelWindow window,
        Span<float> result, int toHeight, int toWidth, Interpolation interpolation)
    {
        if (interpolation == Interpolation.Nearest)
            Nearest(source, height, width, window, result, toHeight, toWidth);
        else if (window.Height == toHeight && window.Width == toWidth)
            Copy(source, height, width, window, result);
        else
            Filtered(source, height, width, window, result, toHeight, toWidth, interpolation);
    }

    /// <summary>Resizes a window of each plane of an image of bytes; results are rounded, and cut to 0 … 255.</summary>
    /// <param name="source">The values (planes, height, width).</param>
    /// <param name="height">The rows of the source.</param>
    /// <param name="width">The columns of the source.</param>
    /// <param name="window">The part to resize; pixels outside of it do not count.</param>
    /// <param name="result">The values of the result (planes, toHeight, toWidth); not the memory of the source.</param>
    /// <param name="toHeight">The rows of the result.</param>
    /// <param name="toWidth">The columns of the result.</param>
    /// <param name="interpolation">The filter.</param>
    internal static void Resize(ReadOnlySpan<byte> source, int height, int width, PixelWindow window,
        Span<byte> result, int toHeight, int toWidth, Interpolation interpolation)
    {
        if (interpolation == Interpolation.Nearest)
        {
            Nearest(source, height, width, window, result, toHeight, toWidth);
            return;
        }
        if (window.Height == toHeight && window.Width == toWidth)
        {
            Copy(source, height, width, window, result);
            return;
        }
        var values = ArrayPool<float>.Shared.Rent(result.Length);
        Filtered(source, height, width, window, values.AsSpan(0, result.Length), toHeight, toWidth, interpolation);
        for (var i = 0; i < result.Length; i++) result[i] = (byte)Math.Clamp(values[i] + 0.5f, 0, 255);
        ArrayPool<float>.Shared.Return(values);
    }

    /// <summary>For each pixel of the result, the nearest one of the window: row · width + column.</summary>
    internal static void SourcePixels(int width, PixelWindow window, Span<int> sources, int toHeight, int toWidth)
    {
        for (var y = 0; y < toHeight; y++)
            for (var x = 0; x < toWidth; x++)
                sources[y * toWidth + x] = NearestPixel(y, window.Top, window.Height, toHeight) * width
                    + NearestPixel(x, window.Left, window.Width, toWidth);
    }

    /// <summary>The shape of an image with other sides; refuses impossible ones.</summary>
    internal static Shape OutputShape(string who, Shape sample, int height, int width)
    {
        if (height < 1 || width < 1)
            throw new AdjointException(
                $"{who}: height and width of the result must be positive: found {height}×{width}");
        if (sample[1] == 0 || sample[2] == 0)
            throw new AdjointException($"{who}: images must have pixels: found {sample}");
        return Shape.Create([sample[0], height, width]);
    }

    /// <summary>The pixel of a window's axis that is nearest to the middle of a pixel of the result.</summary>
    internal static int NearestPixel(int at, int from, int size, int toSize) =>
        from + (int)Math.Min(((2L * at + 1) * size) / (2L * toSize), size - 1);

    private static void Nearest<T>(ReadOnlySpan<T> source, int height, int width, PixelWindow window, Span<T> result,
        int toHeight, int toWidth)
    {
        var columns = ArrayPool<int>.Shared.Rent(toWidth);
        for (var x = 0; x < toWidth; x++) columns[x] = NearestPixel(x, window.Left, window.Width, toWidth);
        for (int plane = 0, at = 0; at < result.Length; plane++)
            for (var y = 0; y < toHeight; y++, at += toWidth)
            {
                var row = NearestPixel(y, window.Top, window.Height, toHeight);
                var from = source.Slice((plane * height + row) * width, width);
                for (var x = 0; x < toWidth; x++) result[at + x] = from[columns[x]];
            }
        ArrayPool<int>.Shared.Return(columns);
    }

    private static void Copy<T>(ReadOnlySpan<T> source, int height, int width, PixelWindow window, Span<T> result)
    {
        for (int plane = 0, at = 0; at < result.Length; plane++)
            for (var y = 0; y < window.Height; y++, at += window.Width)
                source.Slice((plane * height + window.Top + y) * width + window.Left, window.Width)
                    .CopyTo(result[at..]);
    }

    // Columns first: whole rows are added, in vectors, and what is left for the rows is less.
    private static void Filtered<T>(ReadOnlySpan<T> source, int height, int width, PixelWindow window,
        Span<float> result, int toHeight, int toWidth, Interpolation interpolation)
        where T : unmanaged
    {
        var (down, across) = (new Taps(window.Height, toHeight, interpolation),
            new Taps(window.Width, toWidth, interpolation));
        var row = ArrayPool<float>.Shared.Rent(window.Width);
        var sum = row.AsSpan(0, window.Width);
        for (int plane = 0, at = 0; at < result.Length; plane++)
            for (var y = 0; y < toHeight; y++, at += toWidth)
            {
                sum.Clear();
                var weights = down.Weights(y);
                for (var i = 0; i < weights.Length; i++)
                {
                    var line = plane * height + window.Top + down.First(y) + i;
                    Add(source.Slice(line * width + window.Left, window.Width), weights[i], sum);
                }
                for (var x = 0; x < toWidth; x++)
                {
                    var own = across.Weights(x);
                    var from = sum.Slice(across.First(x), own.Length);
                    var value = 0f;
                    for (var i = 0; i < own.Length; i++) value += own[i] * from[i];
                    result[at + x] = value;
                }
            }
        ArrayPool<float>.Shared.Return(row);
    }

    private static void Add<T>(ReadOnlySpan<T> line, float weight, Span<float> sum)
        where T : unmanaged
    {
        if (typeof(T) == typeof(float)) Add(MemoryMarshal.Cast<T, float>(line), weight, sum);
        else Add(MemoryMarshal.Cast<T, byte>(line), weight, sum);
    }

    private static void Add(ReadOnlySpan<float> line, float weight, Span<float> sum)
    {
        var x = 0;
        for (; x <= line.Length - Vector<float>.Count; x += Vector<float>.Count)
        {
            var to = sum[x..];
            (new Vector<float>(to) + new Vector<float>(line[x..]) * weight).CopyTo(to);
        }
        for (; x < line.Length; x++) sum[x] += line[x] * weight;
    }

    private static void Add(ReadOnlySpan<byte> line, float weight, Span<float> sum)
    {
        var (x, count) = (0, Vector<float>.Count);
        for (; x <= line.Length - Vector<byte>.Count; x += Vector<byte>.Count)
        {
            Vector.Widen(new Vector<byte>(line[x..]), out var low, out var high);
            Vector.Widen(low, out var first, out var second);
            Vector.Widen(high, out var third, out var fourth);
            var to = sum.Slice(x, Vector<byte>.Count);
            Put(first, to);
            Put(second, to[count..]);
            Put(third, to[(2 * count)..]);
            Put(fourth, to[(3 * count)..]);
        }
        for (; x < line.Length; x++) sum[x] += line[x] * weight;

        void Put(Vector<uint> values, Span<float> to) =>
            (new Vector<float>(to) + Vector.ConvertToSingle(Vector.AsVectorInt32(values)) * weight).CopyTo(to);
    }

    /// <summary>For each pixel of the result, along one axis: the pixels under its filter, and their weights.</summary>
    private readonly struct Taps
    {
        private readonly float[] weights;
        private readonly (int First, int Count)[] spans;
        private readonly int most;

        internal Taps(int size, int toSize, Interpolation interpolation)
        {
            var scale = (double)size / toSize;
            var stretch = Math.Max(1, scale);
            var support = stretch * (interpolation == Interpolation.Bicubic ? 2 : 1);
            most = (int)Math.Ceiling(support) * 2 + 1;
            (weights, spans) = (new float[checked(toSize * most)], new (int, int)[toSize]);
            Span<double> exact = most <= 256 ? stackalloc double[most] : new double[most];
            for (var to = 0; to < toSize; to++)
            {
                var center = (to + 0.5) * scale;
                var first = Math.Max(0, (int)(center - support + 0.5));
                var end = Math.Min(size, (int)(center + support + 0.5));
                var sum = 0.0;
                for (var i = first; i < end; i++)
                    sum += exact[i - first] = Filter((i + 0.5 - center) / stretch, interpolation);
                for (var i = 0; i < end - first; i++) weights[to * most + i] = (float)(exact[i] / sum);
                spans[to] = (first, end - first);
            }
        }

        internal int First(int to) => spans[to].First;

        internal ReadOnlySpan<float> Weights(int to) => weights.AsSpan(to * most, spans[to].Count);

        private static double Filter(double x, Interpolation interpolation)
        {
            x = Math.Abs(x);
            if (interpolation == Interpolation.Bilinear) return Math.Max(0, 1 - x);
            const double a = -0.5;
            return x < 1 ? ((a + 2) * x - (a + 3)) * x * x + 1 : x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
        }
    }
}
