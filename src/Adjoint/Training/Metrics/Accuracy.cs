namespace Adjoint.Training;

/// <summary>
/// The fraction of samples whose largest output is their label's: Σ w·[arg max = label] / Σ w. Of equal outputs the
/// first counts. Targets of probabilities (n, classes) stand for the class of the largest.
/// </summary>
public sealed class Accuracy : Metric
{
    private double right, total;

    /// <inheritdoc/>
    public override string Name => "accuracy";

    /// <inheritdoc/>
    public override void Reset() => (right, total) = (0, 0);

    /// <inheritdoc/>
    public override void Update(Tensor outputs, Tensor targets, Tensor? weights = null)
    {
        var isSoft = targets.DType.IsFloating() && targets.Shape == outputs.Shape;
        if (outputs.Rank != 2 || !isSoft && (targets.DType != DType.Int64 || targets.Rank != 1)
            || targets.Shape[0] != outputs.Shape[0])
            throw new AdjointException(
                "Accuracy: outputs (n, classes) and labels (n) int64, or probabilities (n, classes), are needed: found "
                + $"{outputs.Shape} {outputs.DType.Label()} and {targets.Shape} {targets.DType.Label()}; "
                + "use .Reshape(…), or cast labels with .To(DType.Int64)");
        var predicted = outputs.ArgMax().ToArray<long>();
        var labels = (isSoft ? targets.ArgMax() : targets).ToArray<long>();
        var weight = weights?.To(DType.Float64).ToArray<double>();
        for (var i = 0; i < labels.Length; i++)
        {
            var own = weight is null ? 1 : weight[i];
            total += own;
            if (labels[i] == predicted[i]) right += own;
        }
    }

    /// <inheritdoc/>
    public override double Compute() => right / total;
}
