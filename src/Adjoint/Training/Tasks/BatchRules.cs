using Adjoint.Data;

namespace Adjoint.Training;

/// <summary>What tasks require of the targets and weights of a batch.</summary>
internal static class BatchRules
{
    /// <summary>The values as float64, row-major.</summary>
    internal static double[] Numbers(Tensor tensor) => tensor.Detach().To(DType.Float64).ToArray<double>();

    /// <summary>Refuses targets of another type.</summary>
    internal static void RequireType(string task, Tensor targets, bool isFloating)
    {
        var found = $"found {targets.Shape} {targets.DType.Label()}";
        if (isFloating && !targets.DType.IsFloating())
            throw new AdjointException(
                $"{task}: targets must be floating-point numbers: {found}; cast them with .To(DType.Float32), or "
                + "use a ClassificationTask for labels");
        if (!isFloating && targets.DType != DType.Int64)
            throw new AdjointException(
                $"{task}: labels must be int64 class indices: {found}; cast them with .To(DType.Int64), or use a "
                + "RegressionTask for values");
    }

    /// <summary>
    /// Refuses floating-point targets that are NaN or infinite, naming the first sample that has one.
    /// </summary>
    internal static void RequireFinite(string task, Batch batch)
    {
        if (FirstNotFinite(batch, batch.Targets) is not { } found) return;
        throw new AdjointException(
            $"{task}: the target of {found}; nothing can be learned from it: leave such samples out, or fill the value "
            + "in");
    }

    /// <summary>The first sample with NaN or infinity in a tensor of a batch; null: there is none.</summary>
    internal static string? FirstNotFinite(Batch batch, Tensor tensor)
    {
        var values = Numbers(tensor);
        var at = Array.FindIndex(values, value => !double.IsFinite(value));
        return at < 0 ? null : $"{NameOf(batch, at / (values.Length / batch.Count))} is {values[at]}";
    }

    /// <summary>The number of targets that are not missing, each with the weight of its sample.</summary>
    internal static double Known(Batch batch)
    {
        var (targets, sum) = (Numbers(batch.Targets), 0.0);
        var (weights, each) = (batch.Weights is { } own
            ? Numbers(own)
            : null, targets.Length / Math.Max(1, batch.Count));
        for (var i = 0; i < targets.Length; i++)
            if (targets[i] != Loss.IgnoredLabel) sum += weights?[i / each] ?? 1;
        return sum;
    }

    /// <summary>Refuses a batch all of whose targets are missing, or weigh nothing.</summary>
    internal static void RequireKnown(string task, Batch batch)
    {
        if (batch.Count == 0 || Known(batch) > 0) return;
        throw new AdjointException(
            $"{task}: all targets of a batch, whose first is {NameOf(batch, 0)}, are {Loss.IgnoredLabel}, which stands "
            + "for a missing one, or weigh 0, so it has no mean; leave such samples out, or use larger batches");
    }

    /// <summary>Refuses weights that are no weights.</summary>
    internal static void CheckWeights(string task, Batch batch)
    {
        if (batch.Weights is not { } weights) return;
        if (weights.Rank != 1)
            throw new AdjointException(
                $"{task}: one weight per sample is needed, (n): found {weights.Shape}; use .Reshape(…)");
        var values = Numbers(weights);
        var at = Array.FindIndex(values, value => !(value >= 0 && double.IsFinite(value)));
        if (at >= 0)
            throw new AdjointException(
                $"{task}: a weight must be finite and 0 or more: found {values[at]} for {NameOf(batch, at)}; use 0 for "
                + "a sample to leave out");
        if (values.Length > 0 && values.All(value => value == 0))
            throw new AdjointException(
                $"{task}: the weights of all {values.Length} samples of a batch are 0, so it has no mean; leave such "
                + "samples out of the data set, or use larger batches");
    }

    /// <summary>A sample as the data set numbers it, where that is known.</summary>
    internal static string NameOf(Batch batch, int row) =>
        row < batch.Indices.Count ? $"sample {batch.Indices[row]}" : $"sample {row} of the batch";
}
