using Adjoint.Kernels;
using Adjoint.Primitives;

namespace Adjoint;

/// <summary>y = ¬x</summary>
internal sealed class NotOp : Op
{
    internal static readonly NotOp Instance = new();

    public override string Name => "Not";
    public override string Formula => "y = ¬x";
    public override string Derivation => "none: integers and truth values have no gradient";
    public override Saves Saves => Saves.Nothing;

    public override TensorSpec Infer(ReadOnlySpan<Tensor> inputs) => Operator.Kinds.Has(inputs[0].DType)
        ? new(inputs[0].Shape, inputs[0].DType)
        : throw new AdjointException(
            $"Not: computes on {Operator.Kinds.Label()} types: found {inputs[0].DType.Label()}; use LogicalNot, which "
            + "compares with 0");

    public override void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, Tensor output) =>
        Backend.Run(new Map<Operator>(), inputs[0], output);

    public override Tensor?[] Backward(OpNode node, Tensor gradient) => [null];

    internal readonly struct Operator : IUnaryOperator
    {
        public static ElementKinds Kinds => ElementKinds.Exact;

        public V Invoke<V>(V x) where V : struct, ILanes<V> => V.Not(x);
    }
}

public static partial class TensorMethods
{
    extension(Tensor x)
    {
        /// <summary>The other truth value; of integers all bits inverted: −1 − x, of uint8 255 − x.</summary>
        /// <returns>A tensor of x's shape and type.</returns>
        /// <exception cref="AdjointException">x is of a floating type.</exception>
        public Tensor Not() => Op.Apply(NotOp.Instance, x);

        /// <summary>Whether x is 0, or false, element by element, of any type; a NaN is not 0.</summary>
        /// <returns>A bool tensor of x's shape, without gradient.</returns>
        public Tensor LogicalNot() => x.DType == DType.Bool ? x.Not() : x.EqualTo(0);
    }

    extension(Tensor)
    {
        /// <summary>The other truth value; of integers all bits inverted.</summary>
        /// <param name="x">The tensor, of truth values or integers.</param>
        /// <returns>A tensor of x's shape and type.</returns>
        /// <exception cref="AdjointException">x is of a floating type.</exception>
        public static Tensor operator ~(Tensor x) => Op.Apply(NotOp.Instance, x);

        /// <summary>Whether x is 0, or false, element by element; a NaN is not 0.</summary>
        /// <param name="x">The tensor, of any type.</param>
        /// <returns>A bool tensor of x's shape, without gradient.</returns>
        public static Tensor operator !(Tensor x) => x.LogicalNot();
    }
}
