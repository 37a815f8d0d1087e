#:project ../src/Adjoint/Adjoint.csproj
// A custom optimizer, Lion (Chen et al. 2023), from the rule for one element. The library runs it over whole
// parameters, keeps, saves and loads its state, and adds parameter groups, frozen parameters and schedules.
using Adjoint;
using Adjoint.Kernels;
using Adjoint.Optim;

var w = Tensor.Randn([1000], new Generator(1), DType.Float64).RequireGrad();
var lion = new Lion([new ParameterGroup([w], learningRate: 0.01, weightDecay: 0.1)]);
var (plain, m) = (w.ToArray<double>(), new double[1000]);
Tensor Step()
{
    lion.ZeroGrad();
    var loss = (w - 1).Square().Sum();
    loss.Backward();
    lion.Step();
    return loss;
}

var captured = CapturedFunction.Create(Step);
for (var step = 0; step < 100; step++)
{
    lion.LearningRate = 0.01 / (1 + step / 50);
    if (step < 20) Step();
    else captured.Run();
    for (var i = 0; i < plain.Length; i++) // the same step on plain numbers
    {
        var g = 2 * (plain[i] - 1);
        plain[i] -= lion.LearningRate * (Math.Sign(0.9 * m[i] + 0.1 * g) + 0.1 * plain[i]);
        m[i] = 0.99 * m[i] + 0.01 * g;
    }
}
var difference = w.ToArray<double>().Zip(plain, (a, b) => Math.Abs(a - b)).Max();
var agrees = difference < 1e-12 && captured.IsCaptured;
Console.WriteLine(agrees ? "agrees with the plain loop, captured too" : $"differs by {difference}");

sealed class Lion(IEnumerable<ParameterGroup> groups, double beta1 = 0.9, double beta2 = 0.99)
    : Optimizer<LionRule>(groups)
{
    readonly double beta1 = Require(beta1, "beta1", beta1 is >= 0 and < 1);
    readonly double beta2 = Require(beta2, "beta2", beta2 is >= 0 and < 1);

    protected override LionRule Rule(ParameterGroup group, int steps) =>
        new(group.LearningRate, group.WeightDecay, beta1, beta2);
}

// w −= η(sign(β₁m + (1−β₁)g) + λw); m = β₂m + (1−β₂)g; s is m.
readonly struct LionRule(double rate, double decay, double beta1, double beta2) : IUpdateRule
{
    public static int States => 1;

    public void Invoke<V>(ref V w, V g, ref V s, ref V t) where V : struct, ILanes<V>
    {
        V c = V.Splat(beta1) * s + V.Splat(1 - beta1) * g, zero = V.Splat(0), one = V.Splat(1);
        // 0 and NaN are their own signs.
        var sign = V.Select(V.Less(zero, c), one, V.Select(V.Less(c, zero), -one, c));
        w -= V.Splat(rate) * (sign + V.Splat(decay) * w);
        s = V.Splat(beta2) * s + V.Splat(1 - beta2) * g;
    }
}
