using System.Buffers;

namespace Adjoint.Data;

/// <summary>A random change of one training sample; several are applied in order (<see cref="DataLoader"/>).</summary>
public abstract class Transform
{
    /// <summary>Checks the shape of the samples; by default, any is accepted.</summary>
    /// <param name="sample">The shape of one sample.</param>
    /// <exception cref="AdjointException">The transform cannot change samples of that shape.</exception>
    public virtual void Check(Shape sample)
    {
        if (sample.Rank != 3)
            throw new AdjointException(
                $"{GetType().Name}: samples must be images (channels, height, width): found {sample}; leave the " +
                $"transform out");
    }

    /// <summary>Changes a sample in place.</summary>
    /// <param name="sample">The values of the sample, row-major.</param>
    /// <param name="shape">The shape of the sample.</param>
    /// <param name="random">Random numbers for this sample, transform and epoch.</param>
    public abstract void Apply(Span<float> sample, Shape shape, ref SampleRandom random);

    /// <summary>
    /// The transforms, by name, with the usual settings for 32×32 images: <c>crop</c> (by 4), <c>crop2</c> (by 2),
    /// <c>flip</c>, <c>alternating-flip</c>, <c>cutout</c> (8).
    /// </summary>
    public static IReadOnlyList<(string Name, Func<Transform> Create)> All { get; } =
    [
        ("crop", () => new RandomCrop(4)), ("crop2", () => new RandomCrop(2)), ("flip", () => new RandomFlip()),
            ("alternating-flip", () => new AlternatingFlip()), ("cutout", () => new Cutout(8)),
    ];
}

/// <summary>Pads an image with its mirrored edges, and crops it to its size at a random place.</summary>
/// <param name="padding">The rows and columns added on each side, less than the image's.</param>
public sealed class RandomCrop(int padding) : Transform
{
    /// <inheritdoc/>
    public override void Check(Shape sample)
    {
        base.Check(sample);
        if (padding < 1 || padding >= Math.Min(sample[1], sample[2]))
            throw new AdjointException(
                $"RandomCrop: the padding must be from 1 to below the image's sides: found {padding} for {sample}");
    }

    /// <inheritdoc/>
    public override void Apply(Span<float> sample, Shape shape, ref SampleRandom random)
    {
        Check(shape);
        var (height, width) = (shape[1], shape[2]);
        var (down, right) = (random.Next(2 * padding + 1) - padding, random.Next(2 * padding + 1) - padding);
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

    private static int Mirror(int at, int size) => at < 0 ? -at : at >= size ? 2 * size - 2 - at : at;
}

/// <summary>Mirrors an image left to right, with probability ½.</summary>
public sealed class RandomFlip : Transform
{
    /// <inheritdoc/>
    public override void Apply(Span<float> sample, Shape shape, ref SampleRandom random)
    {
        if (random.Next(2) == 1) Flip(sample, shape[2]);
    }

    internal static void Flip(Span<float> sample, int width)
    {
        for (var at = 0; at < sample.Length; at += width) sample.Slice(at, width).Reverse();
    }
}

/// <summary>
/// Mirrors an image left to right in every other epoch, from a random start for each sample: two epochs show both sides
/// of every image (Jordan 2024, "94% on CIFAR-10 in 3.29 Seconds", §3.6).
/// </summary>
public sealed class AlternatingFlip : Transform
{
    /// <inheritdoc/>
    public override void Apply(Span<float> sample, Shape shape, ref SampleRandom random)
    {
        if (random.SampleCoin() ^ (random.Epoch % 2 == 1)) RandomFlip.Flip(sample, shape[2]);
    }
}

/// <summary>
/// Sets a random square of an image to 0, its center anywhere, cut off at the edges (DeVries and Taylor 2017).
/// </summary>
/// <param name="size">The side of the square, in pixels.</param>
public sealed class Cutout(int size) : Transform
{
    /// <inheritdoc/>
    public override void Check(Shape sample)
    {
        base.Check(sample);
        if (size < 1) throw new AdjointException($"Cutout: the size must be positive: found {size}");
    }

    /// <inheritdoc/>
    public override void Apply(Span<float> sample, Shape shape, ref SampleRandom random)
    {
        var (height, width) = (shape[1], shape[2]);
        var (top, left) = (random.Next(height) - size / 2, random.Next(width) - size / 2);
        var (firstRow, endRow, first, end) = (Math.Max(0, top), Math.Min(height, top + size), Math.Max(0, left),
            Math.Min(width, left + size));
        for (var channel = 0; channel < shape[0]; channel++)
            for (var y = firstRow; y < endRow; y++)
                sample.Slice((channel * height + y) * width + first, end - first).Clear();
    }
}
