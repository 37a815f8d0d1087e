namespace Adjoint.Data;

/// <summary>A random change of one training sample; several are applied in order (<see cref="DataLoader"/>).</summary>
public abstract class Transform
{
    /// <summary>
    /// Says what comes out of a sample, and refuses one that the transform cannot change; by default images of any size
    /// are taken, and keep it.
    /// </summary>
    /// <param name="sample">The shape of one sample.</param>
    /// <returns>The shape of the changed sample.</returns>
    /// <exception cref="AdjointException">The transform cannot change samples of that shape.</exception>
    public virtual Shape OutputShape(Shape sample) => sample.Rank == 3
        ? sample
        : throw new AdjointException(
            $"{GetType().Name}: samples must be images (channels, height, width): found {sample}; leave the transform "
            + "out");

    /// <summary>Changes a sample.</summary>
    /// <param name="source">The values of the sample, row-major.</param>
    /// <param name="shape">The shape of the sample.</param>
    /// <param name="result">Room for the changed sample, of <see cref="OutputShape"/>; apart from the source.</param>
    /// <param name="random">Random numbers for this sample, transform and epoch.</param>
    public abstract void Apply(ReadOnlySpan<float> source, Shape shape, Span<float> result, ref SampleRandom random);

    /// <summary>
    /// The transforms, by name, with the usual settings for 32×32 images: <c>crop</c> (by 4), <c>crop2</c> (by 2),
    /// <c>flip</c>, <c>alternating-flip</c>, <c>cutout</c> (8), <c>vertical-flip</c>, <c>resized-crop</c> (half of the
    /// area or more), <c>rotate</c> (up to 15°), <c>erase</c> (every other image).
    /// </summary>
    public static IReadOnlyList<(string Name, Func<Transform> Create)> All { get; } =
    [
        ("crop", () => new RandomCrop(4)), ("crop2", () => new RandomCrop(2)), ("flip", () => new RandomFlip()),
        ("alternating-flip", () => new AlternatingFlip()), ("cutout", () => new Cutout(8)),
        ("vertical-flip", () => new RandomVerticalFlip()),
        ("resized-crop", () => new RandomResizedCrop { Scale = (0.5, 1) }), ("rotate", () => new RandomAffine(15)),
        ("erase", () => new RandomErasing()),
    ];
}
