#:project ../../src/Adjoint/Adjoint.csproj
// A small residual network classifies the direction of stripes in strong noise. The optimizer has two parameter groups,
// since only weights decay; the trainer sets their learning rates by a schedule, one cycle of rise and fall (Smith and
// Topin 2017). The same training at a constant rate, for comparison.
using Adjoint;
using Adjoint.Data;
using Adjoint.Nn;
using Adjoint.Optim;
using Adjoint.Training;

const int Side = 12, Directions = 8, Epochs = 8;
var (training, validation) = (Stripes(1000, new Generator(1)), Stripes(1000, new Generator(2)));
Train("constant rate", _ => Schedule.Constant());
Train("one cycle", steps => Schedule.OneCycle(steps));

void Train(string name, Func<long, Schedule> schedule)
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
    var loader = new DataLoader(training, batchSize: 64, new() { Shuffle = true, Seed = 3 });
    var task = new ClassificationTask { LabelSmoothing = 0.1 };
    var trainer = new Trainer(model, optimizer, task, loader, new DataLoader(validation, batchSize: 500))
    {
        Schedule = schedule(loader.StepsIn(Epochs)),
    };
    trainer.Callbacks.Add(new Printer(name));
    Console.WriteLine(trainer.Fit(Epochs).Capture);
}

// Noisy images (n, 1, side, side) of waves in one of eight directions with random phase, and the direction (n).
static TensorDataset Stripes(int count, Generator random)
{
    var y = (Tensor.Rand([count], random) * Directions).To(DType.Int64);
    var angle = y.To(DType.Float32) * (Math.PI / Directions);
    var pixels = Tensor.Arange(Side).To(DType.Float32) * 1.5;
    var across = pixels * angle.Cos().Reshape(count, 1, 1, 1);
    var down = pixels.Unsqueeze(1) * angle.Sin().Reshape(count, 1, 1, 1);
    var phase = Tensor.Rand([count, 1, 1, 1], random) * (2 * Math.PI);
    var x = (across + down + phase).Sin() + Tensor.Randn([count, 1, Side, Side], random) * 1.6;
    return new("stripes", [(Field.Inputs, x), (Field.Targets, y)]);
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

sealed class Printer(string name) : Callback
{
    public override void AfterEpoch(Trainer trainer, EpochResult epoch)
    {
        if (epoch.Epoch is 4 or 8)
            Console.WriteLine($"{name}, epoch {epoch.Epoch}: rate {trainer.Optimizer.LearningRate:0.00000}, "
                + $"loss {epoch.TrainLoss:0.000}, accuracy {epoch.ValidationAccuracy:P1}");
    }
}
