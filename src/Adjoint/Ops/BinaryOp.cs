using Adjoint.Kernels;
using Adjoint.Primitives;

namespace Adjoint;

/// <summary>
/// z = f(x, y), element by element after broadcasting. Operands of two types are cast to one, as PyTorch promotes them:
/// bool &lt; uint8 &lt; int32 &lt; int64 &lt; floating types, where a tensor without axes does not raise one with axes
/// within its kind. Where <see cref="IOperator.Kinds"/> says that f is for floating types only, integers and truth
/// values are cast to float32.
/// </summary>
/// <typeparam name="TOperator">The function f, for every vector width.</typeparam>
public abstract class BinaryOp<TOperator> : Op where TOperator : struct, IBinaryOperator
{
    /// <inheritdoc/>
    public sealed override TensorSpec Infer(ReadOnlySpan<Tensor> inputs)
    {
        if (inputs.Length != 2) throw new AdjointException($"{Name}: takes two tensors: found {inputs.Length}");
        var (x, y) = (inputs[0], inputs[1]);
        if (x.DType != y.DType || !TOperator.Kinds.Has(x.DType))
            throw new AdjointException(
                $"{Name}: computes on {TOperator.Kinds.Label()} types: found {x.DType.Label()} and {y.DType.Label()}; "
                + "cast with .To(…)");
        return new(Shape.Broadcast(x.Shape, y.Shape, Name), x.DType);
    }

    /// <summary>
    /// Casts both operands to one type, by PyTorch's rules; a floating one where f is for such types only.
    /// </summary>
    /// <param name="inputs">The two operands, x and y.</param>
    /// <returns>Both in one type; null where they have it already.</returns>
    protected sealed override Tensor[]? Promote(ReadOnlySpan<Tensor> inputs)
    {
        if (inputs.Length != 2) return null;
        var type = Promotion.ResultType(inputs);
        if (TOperator.Kinds == ElementKinds.Floating && !type.IsFloating()) type = DType.Float32;
        return [inputs[0].To(type), inputs[1].To(type)];
    }

    /// <inheritdoc/>
    public sealed override void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, Tensor output) =>
        Backend.Run(new Zip<TOperator>(), inputs[0], inputs[1], output);

    /// <inheritdoc/>
    public sealed override Tensor?[] Backward(OpNode node, Tensor gradient) =>
    [
        node.Needs(0) ? Left(node, gradient).SumTo(node.Inputs[0].Shape) : null,
        node.Needs(1) ? Right(node, gradient).SumTo(node.Inputs[1].Shape) : null,
    ];

    /// <summary>The gradient for x: g·∂f/∂x, before broadcast axes are summed.</summary>
    /// <param name="node">The node of z, with what forward saved.</param>
    /// <param name="gradient">The gradient g for z, of z's shape.</param>
    /// <returns>The gradient for x, of z's shape.</returns>
    protected abstract Tensor Left(OpNode node, Tensor gradient);

    /// <summary>The gradient for y: g·∂f/∂y, before broadcast axes are summed.</summary>
    /// <param name="node">The node of z, with what forward saved.</param>
    /// <param name="gradient">The gradient g for z, of z's shape.</param>
    /// <returns>The gradient for y, of z's shape.</returns>
    protected abstract Tensor Right(OpNode node, Tensor gradient);
}
