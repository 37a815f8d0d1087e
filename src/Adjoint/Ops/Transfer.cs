using Adjoint.Memory;

namespace Adjoint;

/// <summary>A copy in the memory of another device.</summary>
internal sealed class TransferOp(Device to) : Op
{
    public override string Name => "Transfer";
    public override string Formula => "y = x, in the memory of another device";
    public override string Derivation => "∂L/∂x = g, in the memory where x is";
    public override Saves Saves => Saves.Nothing;
    public override IReadOnlyList<OpAttribute> Attributes => [new("to", to.Name)];

    internal override Device Place(ReadOnlySpan<Tensor> inputs) => to;

    public override TensorSpec Infer(ReadOnlySpan<Tensor> inputs) => new(inputs[0].Shape, inputs[0].DType);

    public override void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, Tensor output)
    {
        Arena.RefuseWithin("a tensor is moved from one device to another");
        Transfer.Run(inputs[0], output);
    }

    public override Tensor?[] Backward(OpNode node, Tensor gradient) => [gradient.To(node.Inputs[0].Device)];
}

public static partial class TensorMethods
{
    extension(Tensor x)
    {
        /// <summary>The tensor itself if it lies on the device, else a contiguous copy there. Gradients pass.</summary>
        /// <param name="device">The device for the result.</param>
        /// <returns>x itself, or a copy on that device.</returns>
        public Tensor To(Device device)
        {
            ArgumentNullException.ThrowIfNull(device);
            return device == x.Device ? x : Op.Apply(new TransferOp(device), x.Contiguous());
        }
    }
}
