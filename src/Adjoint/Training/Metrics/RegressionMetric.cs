namespace Adjoint.Training;

/// <summary>
/// A metric of values: outputs and targets of one shape, (n) for one value per sample, or (n, k) for several, whose
/// results are averaged (scikit-learn's <c>uniform_average</c>). Samples of weight 0 are left out. A NaN among the
/// outputs or targets of any other sample makes the result NaN; no value means "missing".
/// </summary>
public abstract class RegressionMetric : Metric
{
    private int? values;

    private protected RegressionMetric() { }

    /// <inheritdoc/>
    public sealed override void Reset()
    {
        values = null;
        Begin(0);
    }

    /// <inheritdoc/>
    public sealed override void Update(Tensor outputs, Tensor targets, Tensor? weights = null)
    {
        var label = GetType().Name;
        if (outputs.Shape != targets.Shape || outputs.Rank == 0 || !outputs.DType.IsFloating())
        {
            var remedy = outputs.Length == targets.Length && outputs.Rank > 0 && outputs.DType.IsFloating()
                ? "use .Reshape(…) on one of them" : "make them of one shape, outputs of a floating type";
            throw new AdjointException(
                $"{label}: outputs and targets of one shape (n) or (n, k) are needed, nothing is broadcast: found "
                + $"{outputs.Shape} {outputs.DType.Label()} and {targets.Shape} {targets.DType.Label()}; {remedy}");
        }
        var (samples, size) = (outputs.Shape[0], ((Shape)(int[])[.. outputs.Shape.Sizes[1..]]).Elements);
        if (values is { } before && before != size)
            throw new AdjointException(
                $"{label}: the batches must have the same number of values per sample: found {size} after {before}; "
                + "call Reset() in between");
        var weight = MetricInputs.Weights(label, weights, samples, [samples]);
        if (values is null) Begin(size);
        values = size;
        foreach (var chunk in MetricInputs.Chunks(outputs))
        {
            var (own, wanted) = (MetricInputs.Doubles(outputs, chunk), MetricInputs.Doubles(targets, chunk));
            for (var i = 0; i < chunk.Count; i++)
            {
                var factor = weight is null ? 1 : weight[chunk.Start + i];
                if (factor > 0) Add(own.AsSpan(i * size, size), wanted.AsSpan(i * size, size), factor);
            }
        }
    }

    /// <summary>The result of each of the k values of a sample, over all samples so far.</summary>
    /// <returns>The results. Empty before the first batch.</returns>
    public IReadOnlyList<double> PerValue() => [.. Enumerable.Range(0, values ?? 0).Select(Of)];

    /// <inheritdoc/>
    public sealed override double Compute() => values is > 0 ? PerValue().Average() : double.NaN;

    /// <summary>Starts with samples of so many values.</summary>
    private protected abstract void Begin(int size);

    /// <summary>Adds a sample.</summary>
    private protected abstract void Add(ReadOnlySpan<double> outputs, ReadOnlySpan<double> targets, double weight);

    /// <summary>The result of one of the values.</summary>
    private protected abstract double Of(int value);
}
