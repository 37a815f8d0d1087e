namespace Adjoint;

/// <summary>
/// Loss functions: what training minimizes. Definitions follow PyTorch's documentation of the loss of the same name.
/// </summary>
public static class Loss
{
    /// <summary>
    /// The label of what is to be left out, by losses and metrics alike: −100, PyTorch's <c>ignore_index</c>.
    /// </summary>
    public const int IgnoredLabel = -100;

    /// <summary>
    /// Cross-entropy −Σ t·ln softmax(logits) of the labels' classes; smoothing s mixes s/classes into the target t
    /// (Szegedy et al. 2016). Without overflow; a NaN among the logits makes it NaN.
    /// </summary>
    /// <param name="logits">Unnormalized scores (n, classes), of a floating type.</param>
    /// <param name="labels">Class indices (n) int64, from 0 to classes − 1.</param>
    /// <param name="labelSmoothing">The share s of the target that is spread over all classes, in [0, 1).</param>
    /// <param name="reduction">Whether the losses are averaged, as by default, or summed.</param>
    /// <returns>The loss, a scalar tensor ().</returns>
    /// <exception cref="AdjointException">
    /// Shapes, types or a label do not fit, or the smoothing is not in [0, 1).
    /// </exception>
    public static Tensor CrossEntropy(Tensor logits, Tensor labels, double labelSmoothing = 0,
        Reduction reduction = Reduction.Mean) => labelSmoothing is >= 0 and < 1
        ? Op.Apply(new CrossEntropyOp(labelSmoothing, reduction), logits, labels)
        : throw new AdjointException($"CrossEntropy: label smoothing must be in [0, 1): found {labelSmoothing}");

    /// <summary>Negative log-likelihood −ln p[label], from log-probabilities as <c>LogSoftmax</c> gives them.</summary>
    /// <param name="logProbabilities">Logarithms of probabilities (n, classes), of a floating type.</param>
    /// <param name="labels">Class indices (n) int64, from 0 to classes − 1.</param>
    /// <param name="reduction">Whether the losses are averaged, as by default, or summed.</param>
    /// <returns>The loss, a scalar tensor ().</returns>
    /// <exception cref="AdjointException">Shapes, types or a label do not fit.</exception>
    public static Tensor Nll(Tensor logProbabilities, Tensor labels, Reduction reduction = Reduction.Mean) =>
        labels.DType == DType.Int64 && logProbabilities.Rank == labels.Rank + 1
            && logProbabilities.Shape.Sizes[..^1].SequenceEqual(labels.Shape.Sizes)
        ? Reduce(-logProbabilities.SelectPerRow(labels), reduction)
        : throw new AdjointException("Nll: log-probabilities (n, classes) and labels (n) int64 are needed: found "
            + $"{logProbabilities.Shape} and {labels.Shape} {labels.DType.Label()}; use .Reshape(…) on the labels, or "
            + "cast them with .To(DType.Int64)");

    /// <summary>Squared error (prediction − target)², averaged over all elements.</summary>
    /// <param name="prediction">What the network computed, of a floating type.</param>
    /// <param name="target">The wanted values, of the prediction's shape.</param>
    /// <param name="reduction">Whether the losses are averaged, as by default, or summed.</param>
    /// <returns>The loss, a scalar tensor ().</returns>
    /// <exception cref="AdjointException">The shapes or types differ, or the type is not floating.</exception>
    public static Tensor Mse(Tensor prediction, Tensor target, Reduction reduction = Reduction.Mean) =>
        Reduce(Difference("Mse", prediction, target).Square(), reduction);

    /// <summary>
    /// Absolute error |prediction − target|, averaged over all elements; its derivative is 0 where both are equal.
    /// </summary>
    /// <param name="prediction">What the network computed, of a floating type.</param>
    /// <param name="target">The wanted values, of the prediction's shape.</param>
    /// <param name="reduction">Whether the losses are averaged, as by default, or summed.</param>
    /// <returns>The loss, a scalar tensor ().</returns>
    /// <exception cref="AdjointException">The shapes or types differ, or the type is not floating.</exception>
    public static Tensor L1(Tensor prediction, Tensor target, Reduction reduction = Reduction.Mean) =>
        Reduce(Difference("L1", prediction, target).Abs(), reduction);

    /// <summary>
    /// Huber's loss: ½d² where |d| ≤ δ, else δ(|d| − ½δ), with d = prediction − target (Huber 1964), averaged over all
    /// elements.
    /// </summary>
    /// <param name="prediction">What the network computed, of a floating type.</param>
    /// <param name="target">The wanted values, of the prediction's shape.</param>
    /// <param name="delta">The distance δ from which on the loss is linear, above 0.</param>
    /// <param name="reduction">Whether the losses are averaged, as by default, or summed.</param>
    /// <returns>The loss, a scalar tensor ().</returns>
    /// <exception cref="AdjointException">The shapes or types differ, the type is not floating, or δ is not
    /// positive.</exception>
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
    /// <param name="logits">The scores x before the sigmoid, of any shape and a floating type.</param>
    /// <param name="targets">The wanted probabilities t in [0, 1], of the logits' shape.</param>
    /// <param name="reduction">Whether the losses are averaged, as by default, or summed.</param>
    /// <returns>The loss, a scalar tensor ().</returns>
    /// <exception cref="AdjointException">The shapes or types differ, or the type is not floating.</exception>
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
        if (!prediction.DType.IsFloating())
            throw new AdjointException($"{loss}: prediction and target must be of a floating type: found "
                + $"{prediction.DType.Label()}; cast both with .To(DType.Float32)");
        if (prediction.Shape == target.Shape) return;
        var remedy = prediction.Length == target.Length ? "use .Reshape(…) on one of them"
            : target.Length == 1 ? "for one number as target, use .Expand(…) on it"
            : "make them of one shape";
        var found = $"{prediction.Shape} and {target.Shape}";
        throw new AdjointException(
            $"{loss}: prediction and target must have one shape, nothing is broadcast: found {found}; {remedy}");
    }

    private static Tensor Reduce(Tensor losses, Reduction reduction) => reduction == Reduction.Mean
        ? losses.Mean()
        : losses.Sum();
}
