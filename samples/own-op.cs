#:project ../src/Adjoint/Adjoint.csproj
// A custom op, x³, from two formulas for one element. The library runs them over whole tensors, vectorized, on all
// threads, in any floating-point type, captured or not, and differentiates the second one.
using Adjoint;
using Adjoint.Kernels;

var x = Tensor.From(new[] { 1.0, 2, 3 }).RequireGrad();
Tensor Cube(Tensor x) => Op.Apply(new CubeOp(), x);

Cube(x).Sum().Backward();
Console.WriteLine($"gradient {x.Grad}");

Tensor[] at = [Tensor.Randn([5], new Generator(1), DType.Float64)];
GradCheckResult[] checks =
    [GradCheck.Run(x => Cube(x[0]), at), GradCheck.RunSecondOrder(x => Cube(x[0]), at)];
Console.WriteLine(checks.All(check => check.Passed) ? "agrees with finite differences" : $"differs: {checks[0].Worst}");

var w = Tensor.Randn([1000], new Generator(2)).RequireGrad();
Tensor Gradient(Tensor x)
{
    w.ZeroGrad();
    (Cube(x * w) + x).Sum().Backward();
    return w.Grad!;
}

var captured = CapturedFunction.Create(Gradient);
var isSame = Enumerable.Range(0, 4).Select(_ => Tensor.Randn(1000))
    .All(x => captured.Run(x).ToArray<float>().SequenceEqual(Gradient(x).ToArray<float>()));
Console.WriteLine(isSame && captured.IsCaptured ? "captured: the same bits" : "captured: it differs");

sealed class CubeOp : UnaryOp<CubeOperator, CubeVjp>
{
    public override string Name => "Cube";
    public override string Formula => "y = x³";
    public override string Derivation => "∂L/∂x = g · 3x²";
    public override Saves Saves => Saves.Inputs;
}

readonly struct CubeOperator : IUnaryOperator
{
    public V Invoke<V>(V x) where V : struct, ILanes<V> => x * x * x;
}

// From the gradient g and the saved tensor, here the input.
readonly struct CubeVjp : IBinaryOperator
{
    public V Invoke<V>(V g, V x) where V : struct, ILanes<V> => g * V.Splat(3) * x * x;
}
