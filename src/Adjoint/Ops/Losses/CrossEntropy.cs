using Adjoint.Primitives;

namespace Adjoint;

/// <summary>Softmax and cross-entropy in one op, forward and backward.</summary>
internal sealed class CrossEntropyOp(double smoothing, Reduction reduction) : Op
{
    public override string Name => "CrossEntropy";
    public override string Formula =>
        "Lᵢ = ln Σₖ e^xᵢₖ − Σₖ tᵢₖ xᵢₖ, t = (1 − s)·[k = label] + s/c; L = Σᵢ Lᵢ over the n rows whose label is not "
        + "−100; divided by n for the mean";
    public override string Derivation =>
        "∂(ln Σₖ e^xₖ)/∂xⱼ = softmax(x)ⱼ, so ∂L/∂x = g · (softmax(x) − t), divided by n for the mean; 0 where the "
        + "label is −100";
    public override Saves Saves => Saves.Inputs;
    public override IReadOnlyList<OpAttribute> Attributes =>
        [new("smoothing", smoothing), new("reduction", reduction.ToString())];

    public override TensorSpec Infer(ReadOnlySpan<Tensor> inputs)
    {
        var (logits, labels) = (inputs[0], inputs[1]);
        if (labels.DType != DType.Int64 || !logits.DType.IsFloating())
            throw new AdjointException(
                $"CrossEntropy: logits must be floating and labels int64 class indices: found {logits.DType.Label()} " +
                $"and {labels.DType.Label()}; cast with .To(DType.Int64)");
        if (logits.Rank != 2 || labels.Rank != 1 || labels.Shape[0] != logits.Shape[0])
            throw new AdjointException("CrossEntropy: logits (n, classes) and labels (n) are needed: found "
                + $"{logits.Shape} and {labels.Shape}; use .Reshape(…) on one of them");
        return new(reduction == Reduction.None ? labels.Shape : default, logits.DType);
    }

    public override void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, Tensor output)
    {
        var (logits, labels) = (inputs[0], inputs[1]);
        var isMean = reduction == Reduction.Mean;
        var losses = reduction == Reduction.None ? output : context.Allocate(labels.Shape, logits.DType);
        // The row lies in the cache now: its gradient, but for the factor that arrives from above, costs no further
        // pass over memory.
        var gradient = context.IsRecording ? context.Allocate(logits.Shape, logits.DType) : null;
        var count = context.Allocate(default, logits.DType.Computing());
        Backend.Run(new SoftmaxCrossEntropy(smoothing, isMean), logits, labels, losses, gradient, count);
        if (reduction != Reduction.None)
            Backend.Run(new Reduce<Kernels.SumOperator>(default, [true]), losses, output);
        if (isMean) Divide(context, output, count);
        if (gradient is not null) context.Save(gradient);
    }

    public override Tensor?[] Backward(OpNode node, Tensor gradient)
    {
        // What is left out may be anything, NaN as well.
        var logits = Tensor.Where(Counts(node.Inputs[1]), node.Inputs[0], 0);
        return [LogitGradient(logits, node.Inputs[1], gradient, smoothing, reduction), null];
    }

    /// <summary>Which rows count (n, 1).</summary>
    internal static Tensor Counts(Tensor labels) => labels.NotEqualTo(Loss.IgnoredLabel).Unsqueeze(1);

    /// <summary>The gradient of logits, in ops; of rows that do not count the logits are finite.</summary>
    internal static Tensor LogitGradient(
        Tensor logits, Tensor labels, Tensor gradient, double smoothing, Reduction reduction)
    {
        var type = logits.DType;
        var classes = logits.Shape[1];
        var other = smoothing / classes;
        var target = Tensor.Where(Tensor.Arange(classes).EqualTo(labels.Unsqueeze(1)),
            Tensor.Scalar(other + (1 - smoothing), type), Tensor.Scalar(other, type));
        var factor = Counts(labels).To(type.Computing());
        if (reduction == Reduction.Mean) factor /= factor.Sum();
        var above = reduction == Reduction.None ? gradient.Unsqueeze(1) : gradient;
        return (logits.Softmax() - target) * above * factor.To(type);
    }

    public override Tensor?[] FusedBackward(OpNode node, Tensor gradient)
    {
        var prepared = node.Saved[0];
        var result = node.IsLastUse ? prepared : Tensor.Empty(prepared.Shape, prepared.DType);
        if (reduction == Reduction.None)
            Backend.Run(new Zip<MultiplyOp.Operator>(), prepared,
                gradient.Unsqueeze(1).Expand(prepared.Shape.Sizes), result);
        else if (!gradient.IsUnit) Backend.Run(new Zip<MultiplyOp.Operator>(), prepared, gradient, result);
        else if (!node.IsLastUse) Backend.Run(new Copy(), prepared, result);
        result.Storage.Lifetime = Memory.Lifetime.Backward;
        return [result, null];
    }

    /// <summary>
    /// Divides a sum of losses in the computing type: a half precision has no room for the number of rows.
    /// </summary>
    internal static void Divide(OpContext context, Tensor output, Tensor count)
    {
        if (count.DType == output.DType)
        {
            Backend.Run(new Zip<DivideOp.Operator>(), output, count, output);
            return;
        }
        var wide = context.Allocate(default, count.DType);
        Backend.Run(new Cast(), output, wide);
        Backend.Run(new Zip<DivideOp.Operator>(), wide, count, wide);
        Backend.Run(new Cast(), wide, output);
    }
}
