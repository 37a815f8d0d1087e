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
        /// <summary>The tensor itself when its elements lie in row-major order without gaps, else a copy that does.</summary>
        public Tensor Contiguous() => x.IsContiguous ? x : Op.Apply(ContiguousOp.Instance, x);

        /// <summary>A copy with memory of its own: y = x. Gradients pass.</summary>
        public Tensor Clone() => Op.Apply(ContiguousOp.Instance, x);
    }
}
