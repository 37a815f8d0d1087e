using Adjoint.Data;

namespace Adjoint.Training;

/// <summary>What a <see cref="RegressionTask"/> minimizes, of the error e = (prediction − target) / scale.</summary>
public enum RegressionLoss
{
    /// <summary>The squared error e², whose minimum is the mean.</summary>
    Squared,

    /// <summary>The absolute error |e|, whose minimum is the median: outliers count less.</summary>
    Absolute,

    /// <summary>Huber's loss: ½e² where |e| ≤ 1, else |e| − ½.</summary>
    Huber,
}

/// <summary>
/// Each sample has a value, or k of them: targets (n) or (n, k) of a floating type, in their own units. The model gives
/// (n) or (n, 1), or (n, k), in the same units; see <see cref="Nn.Rescale"/>. The loss is the mean over samples and
/// columns.
/// </summary>
public sealed class RegressionTask : LearningTask
{
    private readonly RegressionLoss loss;
    private readonly Tensor scale;

    /// <summary>Creates a task with one scale for all columns.</summary>
    /// <param name="scale">
    /// The error that counts as 1, such as the standard deviation of the training targets, so that the loss and the
    /// learning rate do not depend on the unit.
    /// </param>
    /// <param name="loss">What is minimized; the squared error by default.</param>
    /// <exception cref="AdjointException">The scale is not positive and finite.</exception>
    public RegressionTask(double scale = 1, RegressionLoss loss = RegressionLoss.Squared) : this([scale], loss) { }

    /// <summary>Creates a task with a scale for each column of the targets.</summary>
    /// <param name="scales">The error that counts as 1 in each column; one alone holds for all.</param>
    /// <param name="loss">What is minimized; the squared error by default.</param>
    /// <exception cref="AdjointException">There is no scale, or one is not positive and finite.</exception>
    public RegressionTask(IReadOnlyList<double> scales, RegressionLoss loss = RegressionLoss.Squared)
    {
        if (scales.Count == 0) throw new AdjointException("regression: at least one scale is needed: found none");
        foreach (var one in scales)
            if (!(one > 0 && double.IsFinite(one)))
                throw new AdjointException(
                    $"regression: a scale must be positive and finite: found {one}; where the target is constant, "
                    + "there is nothing to learn");
        (this.loss, Scales) = (loss, [.. scales]);
        scale = Tensor.From([.. scales.Select(one => (float)one)], scales.Count).Keep();
    }

    /// <inheritdoc/>
    public override string Name => "regression";

    /// <inheritdoc/>
    public override string Score { get; init; } = "r2";

    /// <summary>The error that counts as 1, in each column or in all.</summary>
    public IReadOnlyList<double> Scales { get; }

    /// <inheritdoc/>
    public override Tensor Loss(Tensor output, Batch batch)
    {
        var error = Arranged(output, batch.Targets) - batch.Targets.To(output.DType);
        if (Scales.Count > 1) error /= scale.To(output.DType).To(output.Device);
        else if (Scales[0] != 1) error /= Scales[0];
        var losses = loss switch
        {
            RegressionLoss.Squared => error.Square(),
            RegressionLoss.Absolute => error.Abs(),
            RegressionLoss.Huber => Huber(error),
            _ => throw new AdjointException($"regression: {loss} is no loss that is known"),
        };
        return Reduce(losses, ForEach(batch.Weights, losses.Shape));

        // With c = e clamped to ±1, both branches are c·(e − ½c).
        static Tensor Huber(Tensor error)
        {
            var clamped = error.Clamp(-1, 1);
            return clamped * (error - clamped * 0.5);
        }
    }

    /// <inheritdoc/>
    public override double TotalLoss(Tensor output, Batch batch)
    {
        // A sum over samples and columns, as the mean is.
        var value = RequireScalar(Loss(output, batch)).Item();
        return Reduction == Reduction.Mean ? value * Weight(batch) : value / Columns(batch);
    }

    /// <inheritdoc/>
    public override void Check(Batch batch)
    {
        base.Check(batch);
        BatchRules.RequireType(Name, batch.Targets, isFloating: true);
        if (batch.Targets.Rank > 2 || Scales.Count > 1 && Columns(batch) != Scales.Count)
            throw new AdjointException(
                $"{Name}: targets (n) or (n, k) with a scale for each column, or one for all, are needed: found "
                + $"{batch.Targets.Shape} and {Scales.Count} scales");
        BatchRules.RequireFinite(Name, batch);
    }

    /// <inheritdoc/>
    public override IReadOnlyList<Metric> CreateMetrics() => Metrics?.Invoke() ?? [new R2(), new Mae(), new Rmse()];

    /// <inheritdoc/>
    public override void Update(Metric metric, Tensor output, Batch batch) =>
        base.Update(metric, Arranged(output, batch.Targets), batch);

    private static int Columns(Batch batch) => batch.Targets.Rank > 1 ? batch.Targets.Shape[1] : 1;

    // (n, 1) is (n); anything else that is not alike would be broadcast to n² differences.
    private static Tensor Arranged(Tensor output, Tensor targets)
    {
        if (output.Shape == targets.Shape) return output;
        if (output.Rank == 2 && output.Shape[1] == 1 && targets.Rank == 1 && output.Shape[0] == targets.Shape[0]
            || output.Rank == 1 && targets.Rank == 2 && targets.Shape[1] == 1 && output.Shape[0] == targets.Shape[0])
            return output.Reshape(targets.Shape.Sizes);
        throw new AdjointException(
            $"regression: the model's outputs must have the targets' shape: found {output.Shape} and {targets.Shape}; "
            + "give the last layer as many outputs as there are targets");
    }
}
