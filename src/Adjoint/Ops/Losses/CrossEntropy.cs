using Adjoint.Primitives;

namespace Adjoint;

/// <summary>How the losses of the samples become one number (PyTorch's <c>reduction</c>).</summary>
public enum Reduction
{
    /// <summary>The mean of the samples' losses; NaN for no sample.</summary>
    Mean,

    /// <summary>The sum of the samples' losses; 0 for no sample.</summary>
    Sum,
}

/// <summary>Softmax and cross-entropy in one op, forward and backward.</summary>
internal sealed class CrossEntropyOp(double smoothing, Reduction reduction) : Op
{
    public override string Name => "CrossEntropy";
    public override string Formula =>
        "L = Σᵢ (ln Σₖ e^xᵢₖ − Σₖ tᵢₖ xᵢₖ), t = (1 − s)·[k = label] + s/c; divided by n for the mean";
    public override string Derivation =>
        "∂(ln Σₖ e^xₖ)/∂xⱼ = softmax(x)ⱼ, so ∂L/∂x = g · (softmax(x) − t), divided by n for the mean";
    public override Saves Saves => Saves.Inputs;
    public override IReadOnlyList<OpAttribute> Attributes =>
        [new("smoothing", smoothing), new("reduction", reduction.ToString())];

    public override TensorSpec Infer(ReadOnlySpan<Tensor> inputs)
    {
        var (logits, labels) = (inputs[0], inputs[1]);
        if (logits.Rank != 2 || labels.Rank != 1 || labels.Shape[0] != logits.Shape[0])
            throw new AdjointException("CrossEntropy: logits (n, classes) and labels (n) are needed: found "
                + $"{logits.Shape} and {labels.Shape}; use .Reshape(…) on one of them");
        if (labels.DType != DType.Int64 || !logits.DType.IsFloating())
            throw new AdjointException(
                $"CrossEntropy: logits must be floating and labels int64 class indices: found {logits.DType.Label()} " +
                $"and {labels.DType.Label()}; cast with .To(DType.Int64)");
        return new(default, logits.DType);
    }

    public override void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, Tensor output)
    {
        var (logits, labels) = (inputs[0], inputs[1]);
        var losses = context.Allocate(labels.Shape, logits.DType);
        // The row lies in the cache now: its gradient, but for the factor that arrives from above, costs no further
        // pass over memory.
        var gradient = context.IsRecording ? context.Allocate(logits.Shape, logits.DType) : null;
        Backend.Run(new SoftmaxCrossEntropy(smoothing, Weight(logits)), logits, labels, losses, gradient);
        Backend.Run(new Reduce<Kernels.SumOperator>(default, [true]), losses, output);
        if (reduction == Reduction.Mean)
            Backend.Run(new Map<DivideByNumberOp.Operator>(new(labels.Length)), output, output);
        if (gradient is not null) context.Save(gradient);
    }

    public override Tensor?[] Backward(OpNode node, Tensor gradient)
    {
        var (logits, labels) = (node.Inputs[0], node.Inputs[1]);
        var classes = logits.Shape[1];
        var other = smoothing / classes;
        var target = Tensor.Where(Tensor.Arange(classes).EqualTo(labels.Unsqueeze(1)),
            Tensor.Scalar(other + (1 - smoothing), logits.DType), Tensor.Scalar(other, logits.DType));
        return [(logits.Softmax() - target) * gradient * Weight(logits), null];
    }

    public override Tensor?[] FusedBackward(OpNode node, Tensor gradient)
    {
        var prepared = node.Saved[0];
        var result = node.IsLastUse ? prepared : Tensor.Empty(prepared.Shape, prepared.DType);
        if (!gradient.IsUnit) Backend.Run(new Zip<MultiplyOp.Operator>(), prepared, gradient, result);
        else if (!node.IsLastUse) Backend.Run(new Copy(), prepared, result);
        result.Storage.Lifetime = Memory.Lifetime.Backward;
        return [result, null];
    }

    private double Weight(Tensor logits) => reduction == Reduction.Mean ? 1.0 / logits.Shape[0] : 1;
}
