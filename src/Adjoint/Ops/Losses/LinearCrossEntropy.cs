using Adjoint.Primitives;

namespace Adjoint;

/// <summary>An output layer and its cross-entropy in one op, which never holds the logits of all rows.</summary>
internal sealed class LinearCrossEntropyOp(double smoothing, Reduction reduction) : Op
{
    public override string Name => "LinearCrossEntropy";
    public override string Formula =>
        "X = H·Wᵀ + b; Lᵢ = ln Σₖ e^xᵢₖ − Σₖ tᵢₖ xᵢₖ, t = (1 − s)·[k = label] + s/c; L = Σᵢ Lᵢ over the n rows whose "
        + "label is not −100; divided by n for the mean";
    public override string Derivation =>
        "as for CrossEntropy, G = ∂L/∂X = g · (softmax(X) − t), divided by n for the mean, 0 where the label is −100; "
        + "as for Linear, ∂L/∂H = G·W, ∂L/∂W = Gᵀ·H, ∂L/∂b = Σ over rows of G. For a block of rows at a time, G is "
        + "multiplied out before the next is computed";
    public override Saves Saves => Saves.Inputs;
    public override IReadOnlyList<OpAttribute> Attributes =>
        [new("smoothing", smoothing), new("reduction", reduction.ToString())];

    private bool IsMean => reduction == Reduction.Mean;

    public override TensorSpec Infer(ReadOnlySpan<Tensor> inputs)
    {
        var (hidden, weight, labels) = (inputs[0], inputs[1], inputs[2]);
        if (labels.DType != DType.Int64 || !hidden.DType.IsFloating())
            throw new AdjointException(
                $"{Name}: hidden must be floating and labels int64 class indices: found {hidden.DType.Label()} and "
                + $"{labels.DType.Label()}; cast with .To(DType.Int64)");
        if (hidden.Rank != 2 || labels.Rank != 1 || labels.Shape[0] != hidden.Shape[0])
            throw new AdjointException(
                $"{Name}: hidden (n, width) and labels (n) are needed: found {hidden.Shape} and {labels.Shape}; use "
                + ".Reshape(…) on one of them");
        if (weight.Rank != 2 || weight.Shape[1] != hidden.Shape[1])
            throw new AdjointException(
                $"{Name}: weights (classes, {hidden.Shape[1]}) are needed for hidden {hidden.Shape}: found "
                + $"{weight.Shape}; use .Transpose() where the classes are the last axis");
        if (inputs.Length > 3 && inputs[3].Shape != (int[])[weight.Shape[0]])
            throw new AdjointException($"{Name}: the bias must be ({weight.Shape[0]},): found {inputs[3].Shape}");
        if (weight.DType != hidden.DType || inputs.Length > 3 && inputs[3].DType != hidden.DType)
            throw new AdjointException(
                $"{Name}: hidden, weights and bias must have one type: found {hidden.DType.Label()}, "
                + weight.DType.Label() + (inputs.Length > 3 ? $", {inputs[3].DType.Label()}" : "")
                + "; cast with .To(…)");
        return new(reduction == Reduction.None ? labels.Shape : default, hidden.DType);
    }

    public override void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, Tensor output)
    {
        var (hidden, weight, labels) = (inputs[0], inputs[1], inputs[2]);
        var bias = inputs.Length > 3 ? inputs[3] : null;
        var losses = reduction == Reduction.None ? output : context.Allocate(labels.Shape, hidden.DType);
        var count = context.Allocate(default, hidden.DType.Computing());
        // Logits are there now, and would have to be computed again later. What is multiplied with the loss of each row
        // is not known yet.
        var gradients = new Tensor?[3];
        if (context.IsRecording && reduction != Reduction.None)
        {
            for (var i = 0; i < 3; i++)
                if (Of(inputs, i) is { RequiresGrad: true } input)
                    gradients[i] = context.Allocate(input.Shape, input.DType);
            // An input in the place of its gradient says that this was not wanted.
            context.Save(bias is null
                ? [gradients[0] ?? hidden, gradients[1] ?? weight]
                : [gradients[0] ?? hidden, gradients[1] ?? weight, gradients[2] ?? bias]);
        }
        Backend.Run(new LinearCrossEntropy(smoothing, IsMean), hidden, weight, labels, bias, null, losses, count,
            gradients[0], gradients[1], gradients[2]);
        if (reduction != Reduction.None)
            Backend.Run(new Reduce<Kernels.SumOperator>(default, [true]), losses, output);
        if (IsMean) CrossEntropyOp.Divide(context, output, count);
    }

    public override Tensor?[] Backward(OpNode node, Tensor gradient)
    {
        var (weight, labels) = (node.Inputs[1], node.Inputs[2]);
        // What is left out may be anything, NaN as well.
        var hidden = Tensor.Where(CrossEntropyOp.Counts(labels), node.Inputs[0], 0);
        var logits = node.Inputs.Count > 3
            ? hidden.Linear(weight, node.Inputs[3])
            : hidden.MatMul(weight.Transpose());
        var own = CrossEntropyOp.LogitGradient(logits, labels, gradient, smoothing, reduction);
        return All(node, node.Needs(0) ? own.MatMul(weight) : null,
            node.Needs(1) ? own.Transpose().MatMul(hidden) : null, Needs(node, 2) ? own.Sum(0) : null);
    }

    public override Tensor?[]? FusedBackward(OpNode node, Tensor gradient)
    {
        if (reduction == Reduction.None) return Again(node, gradient);
        var results = new Tensor?[3];
        for (var i = 0; i < 3; i++)
        {
            if (!Needs(node, i)) continue;
            if (node.Saved[i] == Of(node.InputSpan, i)) return null;
            results[i] = Times(node, node.Saved[i], gradient);
        }
        return All(node, results[0], results[1], results[2]);
    }

    // Logits are computed again, block by block.
    private Tensor?[] Again(OpNode node, Tensor gradient)
    {
        var inputs = node.InputSpan;
        var results = new Tensor?[3];
        for (var i = 0; i < 3; i++)
            if (Needs(node, i)) results[i] = Tensor.Empty(Of(inputs, i)!.Shape, gradient.DType);
        Backend.Run(new LinearCrossEntropy(smoothing, IsMean: false), inputs[0], inputs[1], inputs[2], Of(inputs, 2),
            gradient.Contiguous(), Tensor.Empty(gradient.Shape, gradient.DType),
            Tensor.Empty(default, gradient.DType.Computing()), results[0], results[1], results[2]);
        return All(node, results[0], results[1], results[2]);
    }

    private static Tensor Times(OpNode node, Tensor prepared, Tensor gradient)
    {
        var result = node.IsLastUse ? prepared : Tensor.Empty(prepared.Shape, prepared.DType);
        if (!gradient.IsUnit) Backend.Run(new Zip<MultiplyOp.Operator>(), prepared, gradient, result);
        else if (!node.IsLastUse) Backend.Run(new Copy(), prepared, result);
        result.Storage.Lifetime = Memory.Lifetime.Backward;
        return result;
    }

    // Of hidden, weight and bias: the labels lie between.
    private static Tensor? Of(ReadOnlySpan<Tensor> inputs, int i) =>
        i < 2 ? inputs[i] : inputs.Length > 3 ? inputs[3] : null;

    private static bool Needs(OpNode node, int i) => i < 2 ? node.Needs(i) : node.Inputs.Count > 3 && node.Needs(3);

    private static Tensor?[] All(OpNode node, Tensor? hidden, Tensor? weight, Tensor? bias) =>
        node.Inputs.Count > 3 ? [hidden, weight, null, bias] : [hidden, weight, null];
}
