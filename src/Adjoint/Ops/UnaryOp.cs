using Adjoint.Kernels;
using Adjoint.Primitives;

namespace Adjoint;

/// <summary>
/// y = f(x), element by element. <typeparamref name="TOperator"/> is f; <typeparamref name="TVjp"/> is the derivative,
/// (g, saved) ↦ g·f′, where saved is the output or the input, as <see cref="Op.Saves"/> says. It is written once: run
/// over memory in one pass, and read as a formula of tensors where the gradient is to be differentiated again.
/// The result has x's type; where <see cref="IOperator.Kinds"/> says that f is for floating types only, integers and
/// truth values are cast to float32 first.
/// </summary>
/// <typeparam name="TOperator">The function f, for every vector width.</typeparam>
/// <typeparam name="TVjp">The derivative (g, saved) ↦ g·f′, for every vector width.</typeparam>
/// <param name="op">The function f, with its constants.</param>
/// <param name="vjp">The derivative, with the same constants.</param>
public abstract class UnaryOp<TOperator, TVjp>(TOperator op = default, TVjp vjp = default) : Op
    where TOperator : struct, IUnaryOperator where TVjp : struct, IBinaryOperator
{
    /// <inheritdoc/>
    public sealed override TensorSpec Infer(ReadOnlySpan<Tensor> inputs)
    {
        if (inputs.Length != 1) throw new AdjointException($"{Name}: takes one tensor: found {inputs.Length}");
        return TOperator.Kinds.Has(inputs[0].DType)
            ? new(inputs[0].Shape, inputs[0].DType)
            : throw new AdjointException(
                $"{Name}: computes on {TOperator.Kinds.Label()} types: found {inputs[0].DType.Label()}; cast with " +
                    $".To(…)");
    }

    /// <summary>Casts integers and truth values to float32 where f is for floating types only.</summary>
    /// <param name="inputs">The operand, x alone.</param>
    /// <returns>x as float32; null where it stays as it is.</returns>
    protected sealed override Tensor[]? Promote(ReadOnlySpan<Tensor> inputs) =>
        TOperator.Kinds == ElementKinds.Floating && inputs.Length == 1 && !inputs[0].DType.IsFloating()
            ? [inputs[0].To(DType.Float32)]
            : null;

    /// <inheritdoc/>
    public sealed override void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, Tensor output) =>
        Backend.Run(new Map<TOperator>(op), inputs[0], output);

    /// <inheritdoc/>
    public sealed override Tensor?[]? FusedBackward(OpNode node, Tensor gradient)
    {
        var result = Tensor.Empty(gradient.Shape, gradient.DType);
        Backend.Run(new Zip<TVjp>(vjp), gradient, SavedOf(node, gradient), result);
        return [result];
    }

    /// <summary>
    /// The VJP composed of ops, so that it can be differentiated again. Override it where an op computes a part of it
    /// in one pass, or where the VJP chooses between branches one of which is infinite where it is not taken: its
    /// derivative would be 0 · ∞ there.
    /// </summary>
    /// <param name="node">The node of y, with what forward saved.</param>
    /// <param name="gradient">The gradient g for y, of y's shape.</param>
    /// <returns>The gradient for x, alone in the array.</returns>
    public override Tensor?[] Backward(OpNode node, Tensor gradient) =>
    [
        vjp.Invoke<TensorLanes>(new(gradient.Widened()), new(SavedOf(node, gradient).Widened())).ToTensor(gradient)
            .To(gradient.DType),
    ];

    private Tensor SavedOf(OpNode node, Tensor gradient) =>
        Saves.HasFlag(Saves.Output) ? node.Output : Saves.HasFlag(Saves.Inputs) ? node.Inputs[0] : gradient;
}
