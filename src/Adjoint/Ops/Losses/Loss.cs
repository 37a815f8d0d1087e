namespace Adjoint;

/// <summary>What training makes small. Definitions follow PyTorch's documentation of the loss of the same name.</summary>
public static class Loss
{
    /// <summary>Cross-entropy of softmax(logits) (n, classes) with class indices (n) int64; smoothing s mixes s/classes into the target (Szegedy et al. 2016).</summary>
    /// <exception cref="AdjointException">Shapes, types or a label do not fit, or the smoothing is not in [0, 1).</exception>
    public static Tensor CrossEntropy(Tensor logits, Tensor labels, double labelSmoothing = 0, Reduction reduction = Reduction.Mean) => labelSmoothing is >= 0 and < 1
        ? Op.Apply(new CrossEntropyOp(labelSmoothing, reduction), logits, labels)
        : throw new AdjointException($"CrossEntropy: label smoothing must be in [0, 1): found {labelSmoothing}");

    /// <summary>−log p of the label, from log-probabilities (n, classes), as <c>LogSoftmax</c> gives them.</summary>
    /// <exception cref="AdjointException">Shapes, types or a label do not fit.</exception>
    public static Tensor Nll(Tensor logProbabilities, Tensor labels, Reduction reduction = Reduction.Mean) =>
        labels.DType == DType.Int64 && logProbabilities.Rank == labels.Rank + 1
            && logProbabilities.Shape.Sizes[..^1].SequenceEqual(labels.Shape.Sizes)
        ? Reduce(-logProbabilities.SelectPerRow(labels), reduction)
        : throw new AdjointException("Nll: log-probabilities (n, classes) and labels (n) int64 are needed: found "
            + $"{logProbabilities.Shape} and {labels.Shape} {labels.DType.Label()}; use .Reshape(…) on the labels, or "
            + "cast them with .To(DType.Int64)");

    /// <summary>(prediction − target)², for a target of the prediction's shape.</summary>
    /// <exception cref="AdjointException">The shapes or types differ.</exception>
    public static Tensor Mse(Tensor prediction, Tensor target, Reduction reduction = Reduction.Mean) =>
        Reduce(Difference("Mse", prediction, target).Square(), reduction);

    /// <summary>|prediction − target|, for a target of the prediction's shape.</summary>
    /// <exception cref="AdjointException">The shapes or types differ.</exception>
    public static Tensor L1(Tensor prediction, Tensor target, Reduction reduction = Reduction.Mean) =>
        Reduce(Difference("L1", prediction, target).Abs(), reduction);

    /// <summary>
    /// ½d² where |d| ≤ δ, else δ(|d| − ½δ), with d = prediction − target (Huber 1964), for a target of the prediction's
    /// shape.
    /// </summary>
    /// <exception cref="AdjointException">The shapes or types differ, or δ is not positive.</exception>
    public static Tensor Huber(Tensor prediction, Tensor target, double delta = 1, Reduction reduction = Reduction.Mean)
    {
        if (!(delta > 0)) throw new AdjointException($"Huber: delta must be positive: found {delta}");
        // With c = d clamped to ±δ, both branches are c·(d − ½c).
        var d = Difference("Huber", prediction, target);
        var c = d.Clamp(-delta, delta);
        return Reduce(c * (d - c * 0.5), reduction);
    }

    /// <summary>
    /// Binary cross-entropy of σ(logit) with targets in [0, 1] of the logits' shape: −t·ln σ(x) − (1 − t)·ln(1 − σ(x)),
    /// without overflow, and without loss of small values: 4.1·10⁻⁸ for t = 1 at x = 17.
    /// </summary>
    /// <exception cref="AdjointException">The shapes or types differ.</exception>
    public static Tensor BceWithLogits(Tensor logits, Tensor targets, Reduction reduction = Reduction.Mean)
    {
        RequireAlike("BceWithLogits", logits, targets);
        // Both terms are positive: nothing cancels, neither here nor in the gradients.
        return Reduce(targets * (-logits).Softplus() + (1 - targets) * logits.Softplus(), reduction);
    }

    private static Tensor Difference(string loss, Tensor prediction, Tensor target)
    {
        RequireAlike(loss, prediction, target);
        return prediction - target;
    }

    // Broadcast, (n, 1) against (n) would be n² differences, whose mean trains to something else without a word.
    private static void RequireAlike(string loss, Tensor prediction, Tensor target)
    {
        if (prediction.DType != target.DType)
            throw new AdjointException($"{loss}: prediction and target must have one type: found "
                + $"{prediction.DType.Label()} and {target.DType.Label()}; cast one with .To(…)");
        if (prediction.Shape == target.Shape) return;
        var remedy = prediction.Length == target.Length ? "use .Reshape(…) on one of them"
            : target.Length == 1 ? "for one number as target, use .Expand(…) on it"
            : "make them of one shape";
        var found = $"{prediction.Shape} and {target.Shape}";
        throw new AdjointException(
            $"{loss}: prediction and target must have one shape, nothing is broadcast: found {found}; {remedy}");
    }

    private static Tensor Reduce(Tensor losses, Reduction reduction) => reduction == Reduction.Mean ? losses.Mean() : losses.Sum();
}
