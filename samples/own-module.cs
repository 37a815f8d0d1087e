#:project ../src/Adjoint/Adjoint.csproj
// Modules of any signature: a recurrent cell that maps an input and a state to an output and the next state, and a
// network of several cells. It learns to recall the first symbol of a sequence.
using Adjoint;
using Adjoint.Nn;
using Adjoint.Optim;

const int Symbols = 4, Length = 6;
var random = new Generator(1);
var model = new Recurrent(Symbols, 16, levels: 2, random);
var adam = new Adam(model.Parameters(), 0.01);
for (var step = 0; step < 150; step++)
{
    var (x, first) = Sequences(64);
    adam.ZeroGrad();
    Loss.CrossEntropy(model.Forward(x).Logits, first).Backward();
    adam.Step();
}
Console.Write(model.Summary(() => model.Forward(Sequences(1).X)));

using var _ = new NoGrad();
var (test, labels) = Sequences(500);
var (found, right) = (model.Eval().Forward(test).Logits.ArgMax().ToArray<long>(), labels.ToArray<long>());
Console.WriteLine($"correct: {found.Zip(right).Count(pair => pair.First == pair.Second) / 5.0} %");
Console.WriteLine($"the state in {model.To(DType.Float64).Forward(test).State.DType.Label()}");

// Symbols (n, length), and the first of each row.
(Tensor X, Tensor First) Sequences(int count)
{
    var symbols = Tensor.Rand([count, Length], random) * Symbols;
    var x = symbols.To(DType.Int64);
    return (x, x[.., ..1].Reshape(count));
}

sealed class Cell : Module
{
    private readonly Linear input, memory;

    public Cell(int inputs, int width, Generator random)
    {
        input = AddChild("input", new Linear(inputs, width, generator: random));
        memory = AddChild("memory", new Linear(width, width, bias: false, generator: random));
    }

    // Call provides what layers have: the path in error messages, hooks, a place in traces, support for capturing.
    public (Tensor Y, Tensor State) Forward(Tensor x, Tensor? state) => Call([x, state], () =>
    {
        var sum = state is null ? input.Forward(x) : input.Forward(x) + memory.Forward(state);
        var next = sum.Tanh();
        return (next, next);
    });
}

sealed class Recurrent : Module
{
    private readonly Embedding symbols;
    private readonly ModuleList<Cell> cells;
    private readonly Linear output;

    public Recurrent(int count, int width, int levels, Generator random)
    {
        symbols = AddChild("symbols", new Embedding(count, width, random));
        cells = AddChild("cells", new ModuleList<Cell>());
        for (var i = 0; i < levels; i++) cells.Add(new(width, width, random));
        output = AddChild("output", new Linear(width, count, generator: random));
    }

    public (Tensor Logits, Tensor State) Forward(Tensor x) => Call([x], () =>
    {
        var (states, rows) = (new Tensor[cells.Count], symbols.Forward(x));
        for (var t = 0; t < x.Shape[1]; t++)
        {
            var y = rows.Slice(1, t, 1).Reshape(x.Shape[0], -1);
            for (var i = 0; i < states.Length; i++) (y, states[i]) = cells[i].Forward(y, states[i]);
        }
        return (output.Forward(states[^1]), states[^1]);
    });
}
