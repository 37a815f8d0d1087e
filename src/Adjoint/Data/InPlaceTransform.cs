namespace Adjoint.Data;

/// <summary>A random change of one training sample that keeps its shape, made in place.</summary>
public abstract class InPlaceTransform : Transform
{
    /// <inheritdoc/>
    public sealed override void Apply(ReadOnlySpan<float> source, Shape shape, Span<float> result,
        ref SampleRandom random)
    {
        source.CopyTo(result);
        Apply(result, shape, ref random);
    }

    /// <summary>Changes a sample in place.</summary>
    /// <param name="sample">The values of the sample, row-major.</param>
    /// <param name="shape">The shape of the sample.</param>
    /// <param name="random">Random numbers for this sample, transform and epoch.</param>
    public abstract void Apply(Span<float> sample, Shape shape, ref SampleRandom random);
}
