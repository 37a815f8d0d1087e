namespace Adjoint.Data;

/// <summary>What the transforms that mix the samples of a batch have in common.</summary>
internal sealed class BatchMixing
{
    private readonly string who;
    private readonly int classes;
    private readonly double alpha;

    internal BatchMixing(string who, int classes, double alpha)
    {
        if (classes < 2) throw new AdjointException($"{who}: there must be two classes or more: found {classes}");
        if (!(alpha > 0 && double.IsFinite(alpha)))
            throw new AdjointException($"{who}: alpha must be positive: found {alpha}");
        (this.who, this.classes, this.alpha) = (who, classes, alpha);
    }

    /// <summary>Draws the share of each sample's own part, and whom it is mixed with.</summary>
    internal (double Share, int[] Others) Draw(Batch batch, ref SampleRandom random)
    {
        var share = random.Beta(alpha, alpha);
        int[] others = [.. Enumerable.Range(0, batch.Count)];
        for (var i = others.Length - 1; i > 0; i--)
        {
            var other = random.Next(i + 1);
            (others[i], others[other]) = (others[other], others[i]);
        }
        return (share, others);
    }

    internal float[] Inputs(Batch batch) => batch.Inputs.DType == DType.Float32
        ? batch.Inputs.ToArray<float>()
        : throw new AdjointException($"{who}: inputs must be float32: found {batch.Inputs.DType.Label()}");

    /// <summary>
    /// Mixes targets and weights, so that a weighted loss of the result is λ times that of the own targets and 1 − λ
    /// times that of the others, each with its sample's weight.
    /// </summary>
    internal Batch Targets(Batch batch, double share, int[] others)
    {
        var (targets, weights) = (Probabilities(batch.Targets), batch.Weights?.To(DType.Float32).ToArray<float>());
        var (mixed, mixedWeights) = (new float[targets.Length], new float[batch.Count]);
        for (var i = 0; i < batch.Count; i++)
        {
            var (own, other) = (share, 1 - share);
            if (weights is not null)
            {
                mixedWeights[i] = (float)(own * weights[i] + other * weights[others[i]]);
                if (mixedWeights[i] > 0)
                    (own, other) = (own * weights[i] / mixedWeights[i], other * weights[others[i]] / mixedWeights[i]);
            }
            for (var k = 0; k < classes; k++)
                mixed[i * classes + k] =
                    (float)(own * targets[i * classes + k] + other * targets[others[i] * classes + k]);
        }
        var result = batch.With(Field.Targets, Tensor.From(mixed, batch.Count, classes));
        return weights is null ? result : result.With(Field.Weights, Tensor.From(mixedWeights));
    }

    // Labels (n) as rows of 0 and 1, of 0 alone where the label is missing; probabilities (n, classes) as they are.
    private float[] Probabilities(Tensor targets)
    {
        if (targets.DType == DType.Float32 && targets.Rank == 2 && targets.Shape[1] == classes)
            return targets.ToArray<float>();
        if (targets.DType != DType.Int64 || targets.Rank != 1)
            throw new AdjointException(
                $"{who}: targets must be labels (n), int64, or probabilities (n, {classes}), float32: found "
                + $"{targets.Shape}, {targets.DType.Label()}");
        var (labels, result) = (targets.ToArray<long>(), new float[targets.Shape[0] * classes]);
        for (var i = 0; i < labels.Length; i++)
        {
            if (labels[i] == Loss.IgnoredLabel) continue;
            if (labels[i] < 0 || labels[i] >= classes)
                throw new AdjointException($"{who}: labels must be from 0 to {classes - 1}: found {labels[i]}");
            result[i * classes + (int)labels[i]] = 1;
        }
        return result;
    }
}
