using Adjoint.Kernels;

namespace Adjoint;

/// <summary>z = xʸ</summary>
internal sealed class PowerOfTensorsOp : BinaryOp<PowerOfTensorsOp.Lane>
{
    internal static readonly PowerOfTensorsOp Instance = new();

    public override string Name => "PowerOfTensors";
    public override string Formula => "z = xʸ";
    public override string Derivation => "∂L/∂x = g · y · xʸ⁻¹; ∂L/∂y = g · xʸ · ln x; summed over broadcast axes";
    public override Saves Saves => Saves.Inputs | Saves.Output;

    protected override Tensor Left(OpNode node, Tensor gradient) => gradient * node.Inputs[1] * node.Inputs[0].Pow(node.Inputs[1] - 1);

    protected override Tensor Right(OpNode node, Tensor gradient) => gradient * node.Output * node.Inputs[0].Log();

    internal readonly struct Lane : IBinaryLane
    {
        public V Invoke<V>(V x, V y) where V : struct, ILanes<V> => LaneMath.Pow(x, y);
    }
}

/// <summary>The method of <c>PowerOfTensors</c>.</summary>
public static class PowerOfTensorsMethods
{
    extension(Tensor x)
    {
        /// <summary>xʸ, element by element, broadcast. NaN for x &lt; 0, unless y is an integer.</summary>
        public Tensor Pow(Tensor y) => Op.Apply(PowerOfTensorsOp.Instance, x, y);
    }
}
