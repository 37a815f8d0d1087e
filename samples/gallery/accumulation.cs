#:project ../../src/Adjoint/Adjoint.csproj
// Gradient accumulation: a recurrent network (a GRU, Cho et al. 2014) learns to repeat the first of many symbols. A
// batch is processed in micro-batches whose gradients accumulate as if it were one, in a fraction of the memory; then
// their global norm is clipped, and the optimizer steps. All of it is one captured function.
using Adjoint;
using Adjoint.Nn;
using Adjoint.Optim;

const int Symbols = 6, Length = 12, BatchSize = 128, MicroBatch = 32, Count = 1050, Epochs = 12;
var random = new Generator(1);
var model = new Recall(Symbols, width: 32, random);
var optimizer = new Adam(model.Parameters(), learningRate: 0.01);
var sequences = Draw(Count);
var step = CapturedFunction.Create((Tensor x) =>
{
    optimizer.ZeroGrad();
    var losses = new List<Tensor>();
    foreach (var part in x.Split(MicroBatch))
    {
        var loss = Loss.CrossEntropy(model.Forward(part), part[.., 0], reduction: Reduction.Sum) / x.Shape[0];
        loss.Backward(); // adds to the existing gradients
        losses.Add(loss.Detach());
    }
    var norm = ClipGradients.ByNorm(model.Parameters(), maxNorm: 1);
    optimizer.Step();
    return (Tensor.Stack(losses).Sum(), norm);
});

for (var epoch = 1; epoch <= Epochs; epoch++)
{
    var (losses, norms) = (new List<double>(), new List<double>());
    foreach (var rows in random.Permutation(Count).Chunk(BatchSize))
    {
        var (loss, norm) = step.Run(sequences.IndexSelect(0, rows));
        losses.Add(loss.Item());
        norms.Add(norm.Item());
    }
    if (epoch % 3 == 0)
        Console.WriteLine($"epoch {epoch}: loss {losses.Average():0.000}, gradient norm {norms.Average():0.00}");
}
Console.WriteLine($"captured in {step.Plans} plans of {step.Operations} operations");

using var noGrad = new NoGrad();
var fresh = Draw(1000);
var share = model.Forward(fresh).ArgMax().EqualTo(fresh[.., 0]).To(DType.Float32).Mean().Item();
Console.WriteLine($"{share:P0} of new sequences recalled");

// Sequences (n, length) of random symbols.
Tensor Draw(int count) => (Tensor.Rand([count, Length], random) * Symbols).To(DType.Int64);

sealed class Recall : Layer
{
    readonly Embedding embedding;
    readonly GruCell cell;
    readonly Linear output;

    public Recall(int symbols, int width, Generator random)
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
