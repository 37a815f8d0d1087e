#:project ../src/Adjoint/Adjoint.csproj
// An own loss and an own metric: a network learns the waiting time that nine of ten visitors do not exceed, by the
// pinball loss (Koenker and Bassett 1978), whose minimum is a quantile. The metric says how many did not exceed it.
using Adjoint;
using Adjoint.Data;
using Adjoint.Nn;
using Adjoint.Optim;
using Adjoint.Training;

const double Quantile = 0.9;
var random = new Generator(1);
var training = new DataLoader(Visits(8000), batchSize: 100, new() { Shuffle = true, Seed = 1 });
var validation = new DataLoader(Visits(4000), batchSize: 1000);
var model = new Mlp(1, [32], 1, "relu", random);

// The loss is any function of model and batch whose result is one number. Metrics and predictions need the outputs.
var task = LearningTask.Of<Mlp>(
    loss: (model, batch) => Pinball(Predicted(model, batch), batch.Targets),
    output: Predicted,
    metrics: () => [new Coverage()]);
var trainer = new Trainer(model, new Adam(model.Parameters(), learningRate: 0.01), task, training, validation)
{
    Schedule = Schedule.Cosine(training.StepsIn(12)),
};
var result = trainer.Fit(epochs: 12);

Console.WriteLine($"before training, {result.Epochs[0].Metrics["coverage"]:P0} of the waiting times were not exceeded");
Console.WriteLine(
    $"now, {result.Final.Metrics["coverage"]:P0} are, and the loss is {result.Final.ValidationLoss:0.000}");
var found = trainer.Predict(new DataLoader(Inputs([0, 0.5f, 1]), batchSize: 3)).ToArray<float>();
foreach (var (i, visitors) in new[] { 0, 0.5, 1 }.Index())
    Console.WriteLine($"at load {visitors}: {found[i]:0.0} minutes, exactly {Math.Log(10) * (1 + 2 * visitors):0.0}");

static Tensor Predicted(Mlp model, Batch batch) => model.Forward(batch.Inputs).Squeeze(1);

// The mean of q·e where the prediction is too small by e > 0, and of (q − 1)·e where it is too large.
static Tensor Pinball(Tensor predicted, Tensor targets)
{
    var error = targets - predicted;
    return (error * Quantile).Maximum(error * (Quantile - 1)).Mean();
}

// Waiting times are exponential; their mean is 1 + 2·load minutes, so the exact quantile is ln 10 times that.
TensorDataset Visits(int count)
{
    var load = Tensor.Rand([count, 1], random);
    var minutes = -(1 - Tensor.Rand([count], random)).Log() * (1 + 2 * load.Squeeze(1));
    return new("visits", [(Field.Inputs, load), (Field.Targets, minutes)]);
}

static TensorDataset Inputs(float[] loads) => new("loads", [(Field.Inputs, Tensor.From(loads, loads.Length, 1))]);

// Adds up counts and divides at the end, so that batches of any size give the same.
sealed class Coverage : Metric
{
    double covered, all;

    public override string Name => "coverage";

    public override void Reset() => (covered, all) = (0, 0);

    public override void Update(Tensor outputs, Tensor targets, Tensor? weights = null)
    {
        var isCovered = targets.LessOrEqual(outputs).To(DType.Float64);
        covered += (weights is null ? isCovered : isCovered * weights).Sum().Item();
        all += weights?.Sum().Item() ?? targets.Length;
    }

    public override double Compute() => covered / all;
}
