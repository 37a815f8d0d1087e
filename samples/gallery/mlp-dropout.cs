#:project ../../src/Adjoint/Adjoint.csproj
// A multilayer perceptron with dropout classifies the arms of a spiral. The whole step is captured, including the
// dropout masks, which differ at each call, and the optimizer. The smaller last batch of an epoch has its own plan.
using Adjoint;
using Adjoint.Nn;
using Adjoint.Optim;

const int Arms = 3, BatchSize = 128, Epochs = 60;
var random = new Generator(1);
var (x, y) = Spiral(1000);
var (testX, testY) = Spiral(1000);
var model = new Sequential(
    new Linear(2, 64, generator: random), new Relu(), new Dropout(0.1, random.Fork(1)),
    new Linear(64, 64, generator: random), new Relu(), new Dropout(0.1, random.Fork(2)),
    new Linear(64, Arms, generator: random));
var optimizer = new AdamW(model.Parameters(), learningRate: 0.01);
var step = CapturedFunction.Create((Tensor x, Tensor y) =>
{
    var loss = Loss.CrossEntropy(model.Forward(x), y);
    optimizer.ZeroGrad();
    loss.Backward();
    optimizer.Step();
    return loss;
});

for (var epoch = 1; epoch <= Epochs; epoch++)
{
    var loss = 0.0;
    foreach (var rows in random.Permutation(x.Shape[0]).Chunk(BatchSize))
        loss += step.Run(x.IndexSelect(0, rows), y.IndexSelect(0, rows)).Item() * rows.Length / x.Shape[0];
    if (epoch % 20 == 0) Console.WriteLine($"epoch {epoch}: loss {loss:0.000}, accuracy {Accuracy():P1}");
}
Console.WriteLine($"captured in {step.Plans} plans of {step.Operations} operations");

double Accuracy()
{
    using var use = model.EvalScope();
    using var noGrad = new NoGrad();
    return model.Forward(testX).ArgMax().EqualTo(testY).To(DType.Float32).Mean().Item();
}

// Noisy points (n, 2) along the arms, and the arm (n) of each.
(Tensor X, Tensor Y) Spiral(int count)
{
    var arm = Tensor.From(Enumerable.Range(0, count).Select(i => i % (long)Arms).ToArray());
    var radius = Tensor.Rand([count], random).Sqrt();
    var angle = arm.To(DType.Float32) * (2 * Math.PI / Arms) + radius * 4 + Tensor.Randn([count], random) * 0.1;
    return (Tensor.Stack([radius * angle.Cos(), radius * angle.Sin()], axis: 1), arm);
}
