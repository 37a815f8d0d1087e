#:project ../../src/Adjoint/Adjoint.csproj
// A physics-informed neural network (Raissi et al. 2019) solves the heat equation ∂u/∂t = α ∂²u/∂x² on a rod that is
// cold at both ends and starts as sin πx. First and second derivatives of u are part of the loss, so gradients of
// gradients are computed, within one captured step. The exact solution is exp(−απ²t) sin πx.
// The loop is written out: the points are new at each step, and the loss needs no targets but derivatives of the
// network, so there is no data set.
using Adjoint;
using Adjoint.Nn;
using Adjoint.Optim;

const int Points = 500, BatchSize = 64, Epochs = 200;
const double Alpha = 0.2;
var random = new Generator(1);
var u = new Mlp(2, [24, 24], 1, "tanh", random); // u(x, t)
var optimizer = new Adam(u.Parameters(), learningRate: 0.005);
// Where u is known: at t = 0, and at both ends.
var places = Tensor.Arange(0, 1, 1.0 / 32).Unsqueeze(1);
var zeros = Tensor.Zeros(32, 1);
var known = Tensor.Concat([Pair(places, zeros), Pair(zeros, places), Pair(Tensor.Ones(32, 1), places)]);
var values = Tensor.Concat([(places * Math.PI).Sin(), zeros, zeros]);

var step = CapturedFunction.Create((Tensor inner) =>
{
    var at = inner.Clone().RequireGrad();
    var slope = Gradient(u.Forward(at), at);
    var (ux, ut) = (slope[.., ..1], slope[.., 1..]);
    var uxx = Gradient(ux, at)[.., ..1];
    var residual = (ut - uxx * Alpha).Square().Mean();
    var mismatch = Loss.Mse(u.Forward(known), values);
    optimizer.ZeroGrad();
    (residual + mismatch * 10).Backward();
    optimizer.Step();
    return (residual, mismatch);
});

for (var epoch = 1; epoch <= Epochs; epoch++)
{
    optimizer.LearningRate = 0.005 * Schedule.Cosine(Epochs).Factor(epoch);
    var (residual, mismatch) = (0.0, 0.0);
    // The equation holds everywhere: new points each time.
    foreach (var inner in Tensor.Rand([Points, 2], random).Split(BatchSize))
    {
        var (x, y) = step.Run(inner);
        (residual, mismatch) = (x.Item(), y.Item());
    }
    if (epoch % 50 == 0) Console.WriteLine($"epoch {epoch}: residual {residual:0.00000}, mismatch {mismatch:0.00000}");
}
Console.WriteLine($"captured in {step.Plans} plans of {step.Operations} operations");

using var noGrad = new NoGrad();
var worst = 0.0;
foreach (var t in new[] { 0, 0.5, 1 })
{
    var found = u.Forward(Pair(places, Tensor.Full([32, 1], t)));
    var exact = (places * Math.PI).Sin() * Math.Exp(-Alpha * Math.PI * Math.PI * t);
    worst = Math.Max(worst, (found - exact).Abs().Max().Item());
    Console.WriteLine($"u(0.5, {t}) = {found.ItemAt(16, 0):0.000}, exactly {exact.ItemAt(16, 0):0.000}");
}
Console.WriteLine($"largest error {worst:0.000}");

// ∂(sum of y)/∂x, itself with a graph.
static Tensor Gradient(Tensor y, Tensor x) => Differentiation.Gradients(y.Sum(), [x], createGraph: true)[0]!;

static Tensor Pair(Tensor x, Tensor t) => Tensor.Concat([x, t], axis: 1);
