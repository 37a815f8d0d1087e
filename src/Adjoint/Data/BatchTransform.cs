namespace Adjoint.Data;

/// <summary>
/// A random change of a batch, such as one that mixes its samples, after those of the single samples.
/// </summary>
public abstract class BatchTransform
{
    /// <summary>Changes a batch. Called on background threads.</summary>
    /// <param name="batch">The batch; its tensors belong to the transform, which may write into them.</param>
    /// <param name="random">Random numbers for this batch, transform and epoch.</param>
    /// <returns>The changed batch, which may have other tensors and other shapes.</returns>
    public abstract Batch Apply(Batch batch, ref SampleRandom random);
}
