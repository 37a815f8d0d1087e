namespace Adjoint;

/// <summary>y = x in another type. From one floating type to another it passes gradients on.</summary>
internal sealed class CastOp(DType to) : Op
{
    public override string Name => "Cast";
    public override string Formula => "y = x, rounded to another type";
    public override string Derivation => "∂L/∂x = g, in x's type";
    public override Saves Saves => Saves.Nothing;
    public override IReadOnlyList<OpAttribute> Attributes => [new("dtype", to)];

    public override TensorSpec Infer(ReadOnlySpan<Tensor> inputs) => new(inputs[0].Shape, to);

    public override void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, Tensor output) =>
        Backend.Run(new Primitives.Cast(), inputs[0], output);

    public override Tensor?[] Backward(OpNode node, Tensor gradient) => [gradient.To(node.Inputs[0].DType)];
}

public static partial class TensorMethods
{
    extension(Tensor x)
    {
        /// <summary>
        /// A contiguous copy in another type, the tensor itself where it has it already; floating types pass gradients
        /// on. Floating numbers are rounded to the nearest. As an integer a number is cut towards 0, the nearest there
        /// is where it lies outside of int64, and NaN becomes 0. As a truth value it is whether it is not 0; a truth
        /// value becomes 1 or 0.
        /// </summary>
        /// <param name="dtype">The element type of the result.</param>
        /// <returns>x itself, or a contiguous copy of its shape.</returns>
        /// <exception cref="AdjointException">There is no such type.</exception>
        public Tensor To(DType dtype) => dtype == x.DType ? x : Op.Apply(new CastOp(dtype), x);
    }
}
