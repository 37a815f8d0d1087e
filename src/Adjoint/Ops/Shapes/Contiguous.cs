using Adjoint.Primitives;

namespace Adjoint;

/// <summary>A copy in row-major order.</summary>
internal sealed class ContiguousOp : Op
{
    internal static readonly ContiguousOp Instance = new();

    public override string Name => "Contiguous";
    public override string Formula => "y = x, laid out in row-major order";
    public override string Derivation => "∂L/∂x = g";
    public override Saves Saves => Saves.Nothing;

    public override TensorSpec Infer(ReadOnlySpan<Tensor> inputs) => new(inputs[0].Shape, inputs[0].DType);

    public override void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, Tensor output) =>
        Backend.Run(new Copy(), inputs[0], output);

    public override Tensor?[] Backward(OpNode node, Tensor gradient) => [gradient];
}

// Contiguous, clone, identity.
public static partial class TensorMethods
{
    extension(Tensor x)
    {
        /// <summary>
        /// The tensor itself if its elements lie in row-major order without gaps, else a copy whose elements do.
        /// </summary>
        /// <returns>x or a contiguous copy of it; gradients pass.</returns>
        public Tensor Contiguous() => x.IsContiguous ? x : Op.Apply(ContiguousOp.Instance, x);

        /// <summary>A contiguous copy in memory of its own; gradients pass.</summary>
        /// <returns>A tensor of x's shape and type.</returns>
        public Tensor Clone() => Op.Apply(ContiguousOp.Instance, x);
    }
}
