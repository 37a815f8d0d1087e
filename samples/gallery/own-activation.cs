#:project ../../src/Adjoint/Adjoint.csproj
// A custom op in a network: Snake, x + sin²x (Ziyin et al. 2020), which unlike tanh extrapolates periodic data. Its
// formula for one element is all that is needed: it runs vectorized, on all threads, and fused with its neighbors in
// the captured step.
using Adjoint;
using Adjoint.Kernels;
using Adjoint.Nn;
using Adjoint.Optim;
using Adjoint.Primitives;

const int BatchSize = 32, Epochs = 400;
var x = Tensor.Arange(-2, 2, 4.0 / 150).Unsqueeze(1);
var y = Wave(x);
var ahead = Tensor.Arange(2, 3, 0.02).Unsqueeze(1); // beyond the data

Train("tanh", () => new Tanh());
Train("Snake", () => new Snake());

void Train(string name, Func<Layer> activation)
{
    var random = new Generator(1);
    var model = new Sequential(
        new Linear(1, 32, generator: random), activation(), new Linear(32, 32, generator: random), activation(),
        new Linear(32, 1, generator: random));
    var optimizer = new AdamW(model.Parameters(), learningRate: 0.005, weightDecay: 0.001);
    var step = CapturedFunction.Create((Tensor x, Tensor y) =>
    {
        var loss = Loss.Mse(model.Forward(x * 4), y);
        optimizer.ZeroGrad();
        loss.Backward();
        optimizer.Step();
        return loss;
    });
    for (var epoch = 1; epoch <= Epochs; epoch++)
        foreach (var rows in random.Permutation(x.Shape[0]).Chunk(BatchSize))
            step.Run(x.IndexSelect(0, rows), y.IndexSelect(0, rows));
    using var noGrad = new NoGrad();
    Console.WriteLine(
        $"{name}: mean square error {Error(model, x):0.0000} on the data, {Error(model, ahead):0.0000} beyond");
    Console.WriteLine($"captured in {step.Plans} plans of {step.Operations} operations");
}

static double Error(Layer model, Tensor x) => Loss.Mse(model.Forward(x * 4), Wave(x)).Item();

static Tensor Wave(Tensor x) => (x * Math.PI * 2).Sin();

sealed class Snake : Layer
{
    protected override Tensor ForwardCore(Tensor x) => Op.Apply(new SnakeOp(), x);
}

sealed class SnakeOp : Op
{
    public override string Name => "Snake";
    public override string Formula => "y = x + sin²x";
    public override string Derivation => "∂L/∂x = g · (1 + 2 sin x cos x) = g · (1 + sin 2x)";
    public override Saves Saves => Saves.Inputs;

    public override TensorSpec Infer(ReadOnlySpan<Tensor> inputs) => new(inputs[0].Shape, inputs[0].DType);

    public override void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, Tensor output) =>
        Backend.Run(new Map<Operator>(), inputs[0], output);

    public override Tensor?[] Backward(OpNode node, Tensor gradient) =>
        [gradient * (1 + (node.Inputs[0] * 2).Sin())];

    readonly struct Operator : IUnaryOperator
    {
        public V Invoke<V>(V x) where V : struct, ILanes<V>
        {
            var sine = V.Sin(x);
            return x + sine * sine;
        }
    }
}
