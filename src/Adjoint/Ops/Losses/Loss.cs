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
    public static Tensor Nll(Tensor logProbabilities, Tensor labels, Reduction reduction = Reduction.Mean) => Reduce(-logProbabilities.SelectPerRow(labels), reduction);

    /// <summary>(prediction − target)².</summary>
    public static Tensor Mse(Tensor prediction, Tensor target, Reduction reduction = Reduction.Mean) => Reduce((prediction - target).Square(), reduction);

    /// <summary>|prediction − target|.</summary>
    public static Tensor L1(Tensor prediction, Tensor target, Reduction reduction = Reduction.Mean) => Reduce((prediction - target).Abs(), reduction);

    /// <summary>½d² where |d| ≤ δ, else δ(|d| − ½δ), with d = prediction − target (Huber 1964).</summary>
    public static Tensor Huber(Tensor prediction, Tensor target, double delta = 1, Reduction reduction = Reduction.Mean)
    {
        if (!(delta > 0)) throw new AdjointException($"Huber: delta must be positive: found {delta}");
        // With c = d clamped to ±δ, both branches are c·(d − ½c).
        var d = prediction - target;
        var c = d.Clamp(-delta, delta);
        return Reduce(c * (d - c * 0.5), reduction);
    }

    /// <summary>Binary cross-entropy of σ(logit) with targets in [0, 1]: max(x, 0) − x·t + ln(1 + e^(−|x|)), without overflow.</summary>
    public static Tensor BceWithLogits(Tensor logits, Tensor targets, Reduction reduction = Reduction.Mean) => Reduce(logits.Softplus() - logits * targets, reduction);

    private static Tensor Reduce(Tensor losses, Reduction reduction) => reduction == Reduction.Mean ? losses.Mean() : losses.Sum();
}
