using Adjoint.Kernels;
using Adjoint.Primitives;

namespace Adjoint;

/// <summary>
/// Adds two gradients that arrive at the same tensor: where a value is used twice, its gradients add up.
/// </summary>
internal sealed class Accumulate : Op
{
    internal static readonly Accumulate Instance = new();

    private Accumulate() { }

    public override string Name => "Accumulate";
    public override string Formula => "y = a + b";
    public override string Derivation => "∂L/∂a = ∂L/∂b = g";
    public override Saves Saves => Saves.Nothing;

    public override TensorSpec Infer(ReadOnlySpan<Tensor> inputs) => new(inputs[0].Shape, inputs[0].DType);

    public override void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, Tensor output) =>
        Backend.Run(new Zip<Operator>(), inputs[0], inputs[1], output);

    public override Tensor?[] Backward(OpNode node, Tensor gradient) => [gradient, gradient];

    internal readonly struct Operator : IBinaryOperator
    {
        public V Invoke<V>(V x, V y) where V : struct, ILanes<V> => x + y;
    }
}
