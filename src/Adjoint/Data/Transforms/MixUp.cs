namespace Adjoint.Data;

/// <summary>
/// Mixes each sample of a batch with another one, inputs and targets alike: λ·a + (1 − λ)·b, where λ is drawn for the
/// batch from a beta distribution, and the others are a random order of the same samples (Zhang et al. 2018, "mixup").
/// The targets become probabilities (n, classes), float32.
/// </summary>
/// <param name="classes">The number of classes, 2 or more.</param>
/// <param name="alpha">Both parameters of the beta distribution, positive; the larger, the more is mixed.</param>
public sealed class MixUp(int classes, double alpha = 0.2) : BatchTransform
{
    private readonly BatchMixing mixing = new("MixUp", classes, alpha);

    /// <inheritdoc/>
    public override Batch Apply(Batch batch, ref SampleRandom random)
    {
        var (share, others) = mixing.Draw(batch, ref random);
        var inputs = mixing.Inputs(batch);
        var (mixed, length) = (new float[inputs.Length], inputs.Length / Math.Max(1, batch.Count));
        var (own, other) = ((float)share, (float)(1 - share));
        for (var i = 0; i < mixed.Length; i++)
            mixed[i] = own * inputs[i] + other * inputs[others[i / length] * length + i % length];
        return mixing.Targets(batch.With(Field.Inputs, Tensor.From(mixed, batch.Inputs.Shape.Sizes)), share, others);
    }
}
