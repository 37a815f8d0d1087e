#:project ../../src/Adjoint/Adjoint.csproj
// A small residual network classifies the direction of stripes in strong noise. The optimizer is part of the captured
// step, with two parameter groups, since only weights decay; its learning rate follows a schedule outside, and each
// replay uses the current rate. The same training at a constant rate, for comparison.
using Adjoint;
using Adjoint.Nn;
using Adjoint.Optim;

const int Side = 12, Directions = 8, BatchSize = 64, Epochs = 8;
var (x, y) = Stripes(1000, new Generator(1));
var (testX, testY) = Stripes(1000, new Generator(2));
var steps = Epochs * ((x.Shape[0] + BatchSize - 1) / BatchSize);
Train("constant rate", Schedule.Constant());
Train("one cycle", Schedule.OneCycle(steps));

void Train(string name, Schedule schedule)
{
    var random = new Generator(3);
    var model = new Sequential(
        new Conv2d(1, 16, kernel: 3, new() { Padding = 1, Bias = false, Generator = random }), new BatchNorm(16),
        new Relu(),
        new Residual(16, random), new MaxPool2d(2), new Residual(16, random), new GlobalAvgPool2d(),
        new Linear(16, Directions, generator: random));
    var groups = model.Parameters().ToLookup(parameter => parameter.Rank > 1);
    var optimizer = new AdamW([
        new ParameterGroup(groups[true], learningRate: 0.02, weightDecay: 0.1),
        new ParameterGroup(groups[false], learningRate: 0.02)]);
    var step = CapturedFunction.Create((Tensor x, Tensor y) =>
    {
        var loss = Loss.CrossEntropy(model.Forward(x), y, labelSmoothing: 0.1);
        optimizer.ZeroGrad();
        loss.Backward();
        optimizer.Step();
        return loss;
    });
    for (var epoch = 1; epoch <= Epochs; epoch++)
    {
        var losses = new List<double>();
        foreach (var rows in random.Permutation(x.Shape[0]).Chunk(BatchSize))
        {
            optimizer.LearningRate = 0.02 * schedule.Factor(optimizer.StepCount);
            losses.Add(step.Run(x.IndexSelect(0, rows), y.IndexSelect(0, rows)).Item());
        }
        if (epoch % 4 == 0)
            Console.WriteLine($"{name}, epoch {epoch}: rate {optimizer.LearningRate:0.00000}, "
                + $"loss {losses.Average():0.000}, accuracy {Accuracy(model):P1}");
    }
    Console.WriteLine($"captured in {step.Plans} plans of {step.Operations} operations");
}

double Accuracy(Layer model)
{
    using var use = model.EvalScope();
    using var noGrad = new NoGrad();
    return model.Forward(testX).ArgMax().EqualTo(testY).To(DType.Float32).Mean().Item();
}

// Noisy images (n, 1, side, side) of waves in one of eight directions with random phase, and the direction (n).
static (Tensor X, Tensor Y) Stripes(int count, Generator random)
{
    var y = (Tensor.Rand([count], random) * Directions).To(DType.Int64);
    var angle = y.To(DType.Float32) * (Math.PI / Directions);
    var pixels = Tensor.Arange(Side).To(DType.Float32) * 1.5;
    var across = pixels * angle.Cos().Reshape(count, 1, 1, 1);
    var down = pixels.Unsqueeze(1) * angle.Sin().Reshape(count, 1, 1, 1);
    var phase = Tensor.Rand([count, 1, 1, 1], random) * (2 * Math.PI);
    return ((across + down + phase).Sin() + Tensor.Randn([count, 1, Side, Side], random) * 1.6, y);
}

sealed class Residual : Layer
{
    readonly Sequential inner;

    public Residual(int channels, Generator random) => inner = AddChild("inner", new Sequential(
        new Conv2d(channels, channels, kernel: 3, new() { Padding = 1, Bias = false, Generator = random }),
        new BatchNorm(channels),
        new Relu(), new Conv2d(channels, channels, kernel: 3, new() { Padding = 1, Bias = false, Generator = random }),
        new BatchNorm(channels)));

    protected override Tensor ForwardCore(Tensor x) => (x + inner.Forward(x)).Relu();
}
