#:project ../src/Adjoint/Adjoint.csproj
// An op of one's own, x³, with its derivative, checked against finite differences.
using Adjoint;

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

    public override void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, Tensor output) =>
        output.CopyFrom<double>(Array.ConvertAll(inputs[0].ToArray<double>(), x => x * x * x));

    public override Tensor?[] Backward(OpNode node, Tensor gradient) => [gradient * node.Inputs[0].Square() * 3];
}
