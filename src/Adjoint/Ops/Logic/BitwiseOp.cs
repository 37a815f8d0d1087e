using Adjoint.Kernels;
using Adjoint.Primitives;

namespace Adjoint;

/// <summary>
/// z = f(x, y) of truth values, or of whole numbers bit by bit, element by element after broadcasting. Neither has a
/// derivative. Operands of two types are cast to one, as for a <see cref="BinaryOp{TOperator}"/>.
/// </summary>
internal abstract class BitwiseOp<TOperator> : Op where TOperator : struct, IBinaryOperator
{
    public sealed override string Derivation => "none: integers and truth values have no gradient";
    public sealed override Saves Saves => Saves.Nothing;

    public sealed override TensorSpec Infer(ReadOnlySpan<Tensor> inputs)
    {
        var (x, y) = (inputs[0], inputs[1]);
        return x.DType == y.DType && TOperator.Kinds.Has(x.DType)
            ? new(Shape.Broadcast(x.Shape, y.Shape, Name), x.DType)
            : throw new AdjointException(
                $"{Name}: computes on {TOperator.Kinds.Label()} types: found {x.DType.Label()} and {y.DType.Label()}; "
                + "compare first, as in x.Greater(0)");
    }

    protected sealed override Tensor[]? Promote(ReadOnlySpan<Tensor> inputs)
    {
        var type = Promotion.ResultType(inputs);
        return TOperator.Kinds.Has(type) ? [inputs[0].To(type), inputs[1].To(type)] : null;
    }

    public sealed override void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, Tensor output) =>
        Backend.Run(new Zip<TOperator>(), inputs[0], inputs[1], output);

    public sealed override Tensor?[] Backward(OpNode node, Tensor gradient) => [null, null];
}
