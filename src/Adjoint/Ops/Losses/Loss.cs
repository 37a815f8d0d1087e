using Adjoint.Primitives;

namespace Adjoint;

/// <summary>
/// Loss functions: what training minimizes. Definitions follow PyTorch's documentation of the loss of the same name.
/// With weights w of samples or elements, a mean is Σ w·L / Σ w and a sum Σ w·L.
/// </summary>
public static class Loss
{
    /// <summary>
    /// The label of what is left out by <see cref="CrossEntropy"/> and by metrics: −100, PyTorch's <c>ignore_index</c>.
    /// </summary>
    public const int IgnoredLabel = SoftmaxCrossEntropy.IgnoredLabel;

    /// <summary>
    /// Cross-entropy −Σ t·ln softmax(logits) with the target t, which is the label's class or given as probabilities;
    /// smoothing s makes it (1 − s)·t + s/classes (Szegedy et al. 2016). Without overflow; a NaN among the logits makes
    /// it NaN. Samples with the label <see cref="IgnoredLabel"/> are left out.
    /// </summary>
    /// <param name="logits">Unnormalized scores (n, classes), of a floating type.</param>
    /// <param name="targets">
    /// Class indices (n) int64, from 0 to classes − 1; or soft targets, probabilities (n, classes) of the logits' type.
    /// </param>
    /// <param name="labelSmoothing">The share s of the target that is spread over all classes, in [0, 1).</param>
    /// <param name="reduction">
    /// Whether the losses are averaged, by weight, as by default, summed, or left as they are.
    /// </param>
    /// <param name="weights">The weight of each sample (n), 0 or more; null: 1 for each.</param>
    /// <returns>The loss, a scalar tensor (); with <see cref="Reduction.None"/>, one for each sample (n).</returns>
    /// <exception cref="AdjointException">
    /// Shapes, types or a label do not fit, or the smoothing is not in [0, 1).
    /// </exception>
    public static Tensor CrossEntropy(Tensor logits, Tensor targets, double labelSmoothing = 0,
        Reduction reduction = Reduction.Mean, Tensor? weights = null)
    {
        RequireSmoothing("CrossEntropy", labelSmoothing);
        if (targets.DType.IsFloating() && targets.Rank == 2)
            return Reduce("CrossEntropy", OfSoft(logits, targets, labelSmoothing), reduction, weights);
        return OfLabels("CrossEntropy", targets, reduction, weights,
            own => Op.Apply(new CrossEntropyOp(labelSmoothing, own), logits, targets));
    }

    /// <summary>
    /// <see cref="CrossEntropy"/> of logits = hidden·Wᵀ + b with class indices, without the logits of all rows in
    /// memory: those of a large vocabulary are often the largest tensor of a language model. Each block of rows is
    /// computed, and multiplied into the gradients of hidden, W and b, before the next; only a second derivative holds
    /// all logits. A row with the label <see cref="IgnoredLabel"/> is not read.
    /// </summary>
    /// <param name="hidden">What the output layer is applied to (n, width), of a floating type.</param>
    /// <param name="weight">Its weights W (classes, width), of hidden's type.</param>
    /// <param name="bias">Its bias b (classes), of hidden's type; null: none.</param>
    /// <param name="labels">Class indices (n) int64, from 0 to classes − 1.</param>
    /// <param name="labelSmoothing">The share s of the target that is spread over all classes, in [0, 1).</param>
    /// <param name="reduction">
    /// Whether the losses are averaged, by weight, as by default, summed, or left as they are.
    /// </param>
    /// <param name="weights">The weight of each row (n), 0 or more; null: 1 for each.</param>
    /// <returns>The loss, a scalar tensor (); with <see cref="Reduction.None"/>, one for each row (n).</returns>
    /// <exception cref="AdjointException">
    /// Shapes, types or a label do not fit, or the smoothing is not in [0, 1).
    /// </exception>
    public static Tensor LinearCrossEntropy(Tensor hidden, Tensor weight, Tensor? bias, Tensor labels,
        double labelSmoothing = 0, Reduction reduction = Reduction.Mean, Tensor? weights = null)
    {
        RequireSmoothing("LinearCrossEntropy", labelSmoothing);
        Tensor[] inputs = bias is null ? [hidden, weight, labels] : [hidden, weight, labels, bias];
        return OfLabels("LinearCrossEntropy", labels, reduction, weights,
            own => Op.Apply(new LinearCrossEntropyOp(labelSmoothing, own), inputs));
    }

    /// <summary>Negative log-likelihood −ln p[label], from log-probabilities as <c>LogSoftmax</c> gives them.</summary>
    /// <param name="logProbabilities">Logarithms of probabilities (n, classes), of a floating type.</param>
    /// <param name="labels">Class indices (n) int64, from 0 to classes − 1.</param>
    /// <param name="reduction">
    /// Whether the losses are averaged, by weight, as by default, summed, or left as they are.
    /// </param>
    /// <param name="weights">The weight of each sample (n), or of each element, 0 or more; null: 1 for each.</param>
    /// <returns>The loss, a scalar tensor (); with <see cref="Reduction.None"/>, one for each element.</returns>
    /// <exception cref="AdjointException">Shapes, types or a label do not fit.</exception>
    public static Tensor Nll(Tensor logProbabilities, Tensor labels, Reduction reduction = Reduction.Mean,
        Tensor? weights = null)
    {
        if (labels.DType != DType.Int64 || logProbabilities.Rank != labels.Rank + 1
            || !logProbabilities.Shape.Sizes[..^1].SequenceEqual(labels.Shape.Sizes))
            throw new AdjointException(
                "Nll: log-probabilities (n, classes) and labels (n) int64 are needed: found "
                + $"{logProbabilities.Shape} and {labels.Shape} {labels.DType.Label()}; use .Reshape(…) on the labels, "
                + "or cast them with .To(DType.Int64)");
        if (!logProbabilities.DType.IsFloating())
            throw new AdjointException(
                $"Nll: log-probabilities must be of a floating type: found {logProbabilities.DType.Label()}; use "
                + ".LogSoftmax() of logits");
        return Reduce("Nll", -logProbabilities.SelectPerRow(labels), reduction, weights);
    }

    /// <summary>Squared error (prediction − target)², averaged over all elements.</summary>
    /// <param name="prediction">What the network computed, of a floating type.</param>
    /// <param name="target">The wanted values, of the prediction's shape.</param>
    /// <param name="reduction">
    /// Whether the losses are averaged, by weight, as by default, summed, or left as they are.
    /// </param>
    /// <param name="weights">The weight of each sample (n), or of each element, 0 or more; null: 1 for each.</param>
    /// <returns>The loss, a scalar tensor (); with <see cref="Reduction.None"/>, one for each element.</returns>
    /// <exception cref="AdjointException">The shapes or types differ, or the type is not floating.</exception>
    public static Tensor Mse(
        Tensor prediction, Tensor target, Reduction reduction = Reduction.Mean, Tensor? weights = null) =>
        Reduce("Mse", Difference("Mse", prediction, target).Square(), reduction, weights);

    /// <summary>
    /// Absolute error |prediction − target|, averaged over all elements; its derivative is 0 where both are equal.
    /// </summary>
    /// <param name="prediction">What the network computed, of a floating type.</param>
    /// <param name="target">The wanted values, of the prediction's shape.</param>
    /// <param name="reduction">
    /// Whether the losses are averaged, by weight, as by default, summed, or left as they are.
    /// </param>
    /// <param name="weights">The weight of each sample (n), or of each element, 0 or more; null: 1 for each.</param>
    /// <returns>The loss, a scalar tensor (); with <see cref="Reduction.None"/>, one for each element.</returns>
    /// <exception cref="AdjointException">The shapes or types differ, or the type is not floating.</exception>
    public static Tensor L1(
        Tensor prediction, Tensor target, Reduction reduction = Reduction.Mean, Tensor? weights = null) =>
        Reduce("L1", Difference("L1", prediction, target).Abs(), reduction, weights);

    /// <summary>
    /// Huber's loss: ½d² where |d| ≤ δ, else δ(|d| − ½δ), with d = prediction − target (Huber 1964), averaged over all
    /// elements.
    /// </summary>
    /// <param name="prediction">What the network computed, of a floating type.</param>
    /// <param name="target">The wanted values, of the prediction's shape.</param>
    /// <param name="delta">The distance δ from which on the loss is linear, above 0.</param>
    /// <param name="reduction">
    /// Whether the losses are averaged, by weight, as by default, summed, or left as they are.
    /// </param>
    /// <param name="weights">The weight of each sample (n), or of each element, 0 or more; null: 1 for each.</param>
    /// <returns>The loss, a scalar tensor (); with <see cref="Reduction.None"/>, one for each element.</returns>
    /// <exception cref="AdjointException">The shapes or types differ, the type is not floating, or δ is not
    /// positive.</exception>
    public static Tensor Huber(Tensor prediction, Tensor target, double delta = 1,
        Reduction reduction = Reduction.Mean, Tensor? weights = null)
    {
        if (!(delta > 0)) throw new AdjointException($"Huber: delta must be positive: found {delta}");
        // With c = d clamped to ±δ, both branches are c·(d − ½c).
        var d = Difference("Huber", prediction, target);
        var c = d.Clamp(-delta, delta);
        return Reduce("Huber", c * (d - c * 0.5), reduction, weights);
    }

    /// <summary>
    /// Binary cross-entropy of σ(logit) with targets in [0, 1] of the logits' shape: −p·t·ln σ(x) − (1 − t)·ln(1 −
    /// σ(x)), without overflow, and without loss of small values: 4.1·10⁻⁸ for t = 1 at x = 17.
    /// </summary>
    /// <param name="logits">The scores x before the sigmoid, of any shape and a floating type.</param>
    /// <param name="targets">The wanted probabilities t in [0, 1], of the logits' shape.</param>
    /// <param name="reduction">
    /// Whether the losses are averaged, by weight, as by default, summed, or left as they are.
    /// </param>
    /// <param name="weights">The weight of each sample (n), or of each element, 0 or more; null: 1 for each.</param>
    /// <param name="positiveWeight">
    /// The factor p of positives, for each label (labels) along the last axis, such as negatives / positives where
    /// positives are rare; null: 1.
    /// </param>
    /// <returns>The loss, a scalar tensor (); with <see cref="Reduction.None"/>, one for each element.</returns>
    /// <exception cref="AdjointException">The shapes or types differ, or the type is not floating.</exception>
    public static Tensor BceWithLogits(Tensor logits, Tensor targets, Reduction reduction = Reduction.Mean,
        Tensor? weights = null, Tensor? positiveWeight = null)
    {
        RequireAlike("BceWithLogits", logits, targets);
        // Both terms are positive: nothing cancels, neither here nor in the gradients.
        var positive = targets * (-logits).Softplus();
        if (positiveWeight is not null)
        {
            var last = logits.Rank == 0 ? 1 : logits.Shape[^1];
            if (positiveWeight.Rank > 1 || positiveWeight.Length != 1 && positiveWeight.Length != last)
                throw new AdjointException(
                    $"BceWithLogits: a positive weight for each of {last} labels ({last},), or one, is needed: found "
                    + $"{positiveWeight.Shape}; use .Reshape(…)");
            positive *= positiveWeight.To(logits.DType);
        }
        return Reduce("BceWithLogits", positive + (1 - targets) * logits.Softplus(), reduction, weights);
    }

    private static void RequireSmoothing(string loss, double smoothing)
    {
        if (smoothing is not (>= 0 and < 1))
            throw new AdjointException($"{loss}: label smoothing must be in [0, 1): found {smoothing}");
    }

    // Of what is left out, no weight counts.
    private static Tensor OfLabels(
        string loss, Tensor labels, Reduction reduction, Tensor? weights, Func<Reduction, Tensor> losses)
    {
        if (weights is null) return losses(reduction);
        var each = losses(Reduction.None);
        var own = Matched(loss, weights, each);
        return Reduce(loss, each, reduction, Tensor.Where(labels.NotEqualTo(IgnoredLabel), own, 0));
    }

    private static Tensor OfSoft(Tensor logits, Tensor targets, double smoothing)
    {
        if (targets.Shape != logits.Shape || targets.DType != logits.DType)
            throw new AdjointException(
                "CrossEntropy: logits and probabilities must have one shape (n, classes) and type: found "
                + $"{logits.Shape} {logits.DType.Label()} and {targets.Shape} {targets.DType.Label()}; use .Reshape(…) "
                + "or .To(…) on one of them");
        var log = logits.LogSoftmax();
        var own = (targets * log).Sum(1);
        return smoothing == 0 ? -own : -(own * (1 - smoothing) + log.Mean(1) * smoothing);
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

    private static Tensor Reduce(string loss, Tensor losses, Reduction reduction, Tensor? weights)
    {
        if (weights is null)
            return reduction switch
            {
                Reduction.Mean => losses.Mean(),
                Reduction.Sum => losses.Sum(),
                _ => losses,
            };
        var own = Matched(loss, weights, losses);
        var weighted = losses * own;
        if (reduction == Reduction.None) return weighted;
        if (reduction == Reduction.Sum) return weighted.Sum();
        // A half precision has no room for the sum of many weights.
        return (weighted.Widened().Sum() / own.Widened().Sum()).To(losses.DType);
    }

    // Weights of samples hold for all elements of a sample.
    private static Tensor Matched(string loss, Tensor weights, Tensor losses)
    {
        if (weights.Shape == losses.Shape) return weights.To(losses.DType);
        if (losses.Rank < 2 || weights.Rank != 1 || weights.Shape[0] != losses.Shape[0])
            throw new AdjointException(
                $"{loss}: one weight per sample (n), or per loss {losses.Shape}, is needed: found {weights.Shape}; use "
                + ".Reshape(…)");
        return weights.To(losses.DType).Reshape([weights.Length, .. Enumerable.Repeat(1, losses.Rank - 1)])
            .Expand(losses.Shape.Sizes);
    }
}
