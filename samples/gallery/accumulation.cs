#:project ../../src/Adjoint/Adjoint.csproj
// Gradient accumulation: a recurrent network (a GRU, Cho et al. 2014) learns to repeat the first of many symbols. The
// trainer adds up the gradients of four batches as if they were one, in a fraction of the memory, clips their global
// norm, and lets the optimizer step.
using Adjoint;
using Adjoint.Data;
using Adjoint.Nn;
using Adjoint.Optim;
using Adjoint.Training;

const int Symbols = 6, Length = 12, Epochs = 12;
var random = new Generator(1);
var model = new Recaller(Symbols, width: 32, random);
var training = new DataLoader(Draw(1050), batchSize: 32, new() { Shuffle = true, Seed = 1 });
var validation = new DataLoader(Draw(1000), batchSize: 250);
var optimizer = new Adam(model.Parameters(), learningRate: 0.01);
var trainer = new Trainer(model, optimizer, new ClassificationTask(), training, validation)
{
    BatchesPerStep = 4,
    MaxGradientNorm = 1,
};
var norms = new GradientNorms();
trainer.Callbacks.Add(norms);

var result = trainer.Fit(Epochs);
foreach (var epoch in result.Epochs.Where(epoch => epoch.Epoch is 3 or 6 or 9 or 12))
    Console.WriteLine($"epoch {epoch.Epoch}: loss {epoch.TrainLoss:0.000}, {epoch.ValidationAccuracy:P0} correct");
Console.WriteLine($"{norms.Clipped} of {norms.Steps} steps had their gradients clipped");
Console.WriteLine(result.Capture);
Console.WriteLine($"{result.Final.ValidationAccuracy:P0} of new sequences recalled");

// Sequences (n, length) of random symbols, and the first symbol (n) of each.
TensorDataset Draw(int count)
{
    var sequences = (Tensor.Rand([count, Length], random) * Symbols).To(DType.Int64);
    return new("sequences", [(Field.Inputs, sequences), (Field.Targets, sequences[.., 0])]);
}

// Sees the gradients of a step as the optimizer does: those that were clipped have the largest norm allowed.
sealed class GradientNorms : Callback
{
    public int Steps { get; private set; }
    public int Clipped { get; private set; }

    public override void BeforeOptimizerStep(Trainer trainer)
    {
        Steps++;
        var norm = Math.Sqrt(trainer.Model.Parameters().Sum(parameter => parameter.Grad!.Square().Sum().Item()));
        if (norm > trainer.MaxGradientNorm * 0.9999) Clipped++;
    }
}

sealed class Recaller : Layer
{
    readonly Embedding embedding;
    readonly GruCell cell;
    readonly Linear output;

    public Recaller(int symbols, int width, Generator random)
    {
        embedding = AddChild("embedding", new Embedding(symbols, width, random));
        cell = AddChild("cell", new GruCell(width, width, random));
        output = AddChild("output", new Linear(width, symbols, generator: random));
    }

    protected override Tensor ForwardCore(Tensor x)
    {
        var embedded = embedding.Forward(x);
        var state = Tensor.Zeros(x.Shape[0], embedded.Shape[2]);
        for (var time = 0; time < x.Shape[1]; time++) state = cell.Forward(embedded[.., time], state);
        return output.Forward(state);
    }
}

sealed class GruCell : Module
{
    readonly Linear fromInput, fromState;

    public GruCell(int inputs, int width, Generator random)
    {
        fromInput = AddChild("input", new Linear(inputs, 3 * width, generator: random));
        fromState = AddChild("state", new Linear(width, 3 * width, generator: random));
    }

    public Tensor Forward(Tensor x, Tensor state) => Call([x, state], () =>
    {
        var (a, b) = (fromInput.Forward(x).Chunk(3, axis: 1), fromState.Forward(state).Chunk(3, axis: 1));
        var (reset, update) = ((a[0] + b[0]).Sigmoid(), (a[1] + b[1]).Sigmoid());
        var candidate = (a[2] + reset * b[2]).Tanh();
        return candidate + update * (state - candidate);
    });
}
