#:project ../src/Adjoint/Adjoint.csproj
// An op of one's own, x³, with its derivative, checked against finite differences.
using Adjoint;
using Adjoint.Kernels;
using Adjoint.Primitives;

var x = Tensor.From(new[] { 1.0, 2, 3 }).RequireGrad();
Tensor Cube(Tensor x) => Op.Apply(new CubeOp(), x);

Cube(x).Sum().Backward();
Console.WriteLine($"gradient {x.Grad}");

var check = GradCheck.Run(inputs => Cube(inputs[0]), [Tensor.Randn([5], new Generator(1), DType.Float64)]);
Console.WriteLine(check.Passed ? "agrees with finite differences" : $"differs: {check.Worst}");

sealed class CubeOp : Op
{
    public override string Name => "Cube";
    public override string Formula => "y = x³";
    public override string Derivation => "∂L/∂x = g · 3x²";
    public override Saves Saves => Saves.Inputs;

    public override TensorSpec Infer(ReadOnlySpan<Tensor> inputs) => new(inputs[0].Shape, inputs[0].DType);

    // Vectorised, on all threads, in either type, and part of captured steps: all from one formula.
    public override void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, Tensor output) =>
        Backend.Run(new Map<Lane>(), inputs[0], output);

    public override Tensor?[] Backward(OpNode node, Tensor gradient) => [gradient * node.Inputs[0].Square() * 3];

    readonly struct Lane : IUnaryLane
    {
        public V Invoke<V>(V x) where V : struct, ILanes<V> => x * x * x;
    }
}
