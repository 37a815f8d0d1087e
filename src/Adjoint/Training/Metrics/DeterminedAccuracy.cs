using Adjoint.Data;

namespace Adjoint.Training;

/// <summary>
/// The fraction of right tokens where the grammar of a <see cref="FormalLanguage"/> leaves exactly one choice:
/// Σ w·[arg max = target] / Σ w over the places that <see cref="Field.Determined"/> marks; of equal logits the first
/// counts. A model that has learned the grammar reaches 1, whatever chance does elsewhere. NaN over no such place.
/// Classes lie along the last axis, (n, t, classes), unless <see cref="ClassificationMetric.ClassAxis"/> says
/// otherwise.
/// Of targets that are given without a batch, those count that are not −100 (<see cref="Loss.IgnoredLabel"/>).
/// </summary>
public sealed class DeterminedAccuracy : DecisionMetric
{
    private double right, total;

    /// <summary>Creates one for outputs (n, t, classes).</summary>
    public DeterminedAccuracy() => ClassAxis = -1;

    /// <inheritdoc/>
    public override string Name => "determinedAccuracy";

    /// <summary>Adds the places of a batch that are determined.</summary>
    /// <param name="outputs">Logits (n, t, classes).</param>
    /// <param name="batch">
    /// <see cref="Field.Targets"/> (n, t) int64 and, in the same shape, <see cref="Field.Determined"/>.
    /// </param>
    /// <exception cref="AdjointException">A field is missing; shapes or types do not fit.</exception>
    public override void Update(Tensor outputs, Batch batch)
    {
        if (!batch.Has(Field.Determined))
            throw Error($"a batch with the field '{Field.Determined}' is needed, as formal languages have: found "
                + $"{string.Join(", ", batch.Names)}; use Accuracy for other texts");
        var (determined, targets) = (batch[Field.Determined], batch.Targets);
        if (determined.Shape != targets.Shape || determined.DType != DType.Bool)
            throw Error($"'{Field.Determined}' must be bool in the shape of the targets, {targets.Shape}: found "
                + $"{determined.Shape} {determined.DType.Label()}");
        var labels = targets.ToArray<long>();
        var counts = determined.ToArray<bool>();
        for (var i = 0; i < labels.Length; i++)
            if (!counts[i]) labels[i] = Loss.IgnoredLabel;
        Update(outputs, Tensor.From(labels, targets.Shape.Sizes), batch.Weights);
    }

    private protected override void Clear() => (right, total) = (0, 0);

    private protected override void AddClass(ReadOnlySpan<double> outputs, int label, double weight)
    {
        total += weight;
        if (Decide(outputs) == label) right += weight;
    }

    private protected override double Value() => right / total;
}
