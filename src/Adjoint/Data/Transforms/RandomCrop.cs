using System.Buffers;

namespace Adjoint.Data;

/// <summary>Pads an image with its mirrored edges, and crops it to its size at a random place.</summary>
/// <param name="padding">The rows and columns added on each side, less than the image's.</param>
public sealed class RandomCrop(int padding) : InPlaceTransform, IGeometricTransform
{
    /// <inheritdoc/>
    public override Shape OutputShape(Shape sample)
    {
        base.OutputShape(sample);
        if (padding < 1 || padding >= Math.Min(sample[1], sample[2]))
            throw new AdjointException(
                $"RandomCrop: the padding must be from 1 to below the image's sides: found {padding} for {sample}");
        return sample;
    }

    /// <inheritdoc/>
    public override void Apply(Span<float> sample, Shape shape, ref SampleRandom random)
    {
        OutputShape(shape);
        var (height, width) = (shape[1], shape[2]);
        var (down, right) = Draw(ref random);
        var buffer = ArrayPool<float>.Shared.Rent(sample.Length);
        sample.CopyTo(buffer);
        var inside = (First: Math.Max(0, -right), End: Math.Min(width, width - right));
        for (var row = 0; row < shape[0] * height; row++)
        {
            var to = sample.Slice(row * width, width);
            var from = buffer.AsSpan((row / height * height + Mirror(row % height + down, height)) * width, width);
            for (var x = 0; x < inside.First; x++) to[x] = from[Mirror(x + right, width)];
            from[(inside.First + right)..(inside.End + right)].CopyTo(to[inside.First..]);
            for (var x = inside.End; x < width; x++) to[x] = from[Mirror(x + right, width)];
        }
        ArrayPool<float>.Shared.Return(buffer);
    }

    /// <inheritdoc/>
    public void SourcePixels(Shape shape, Span<int> sources, ref SampleRandom random)
    {
        var (height, width) = (shape[1], shape[2]);
        var (down, right) = Draw(ref random);
        for (var i = 0; i < sources.Length; i++)
            sources[i] = Mirror(i / width + down, height) * width + Mirror(i % width + right, width);
    }

    private (int Down, int Right) Draw(ref SampleRandom random) =>
        (random.Next(2 * padding + 1) - padding, random.Next(2 * padding + 1) - padding);

    private static int Mirror(int at, int size) => at < 0 ? -at : at >= size ? 2 * size - 2 - at : at;
}
