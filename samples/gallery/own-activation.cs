#:project ../../src/Adjoint/Adjoint.csproj
// A custom op in a network: Snake, x + sin²x (Ziyin et al. 2020), which unlike tanh extrapolates periodic data. Its
// formula for one element is all that is needed: it runs vectorized, on all threads, and fused with its neighbors in
// the captured step.
using Adjoint;
using Adjoint.Data;
using Adjoint.Kernels;
using Adjoint.Nn;
using Adjoint.Optim;
using Adjoint.Primitives;
using Adjoint.Training;

const int Epochs = 400;
var training = Waves(Tensor.Arange(-2, 2, 4.0 / 150));
var ahead = Waves(Tensor.Arange(2, 3, 0.02)); // beyond the training data

Train("tanh", () => new Tanh());
Train("Snake", () => new Snake());

void Train(string name, Func<Layer> activation)
{
    var random = new Generator(1);
    var model = new Sequential(
        new Linear(1, 32, generator: random), activation(), new Linear(32, 32, generator: random), activation(),
        new Linear(32, 1, generator: random));
    var optimizer = new AdamW(model.Parameters(), learningRate: 0.005, weightDecay: 0.001);
    var loader = new DataLoader(training, batchSize: 32, new() { Shuffle = true, Seed = 1 });
    var trainer = new Trainer(model, optimizer, new RegressionTask(), loader);
    var result = trainer.Fit(Epochs);
    Console.WriteLine($"{name}: mean square error {Error(training):0.0000} on the data, {Error(ahead):0.0000} beyond");
    Console.WriteLine(result.Capture);

    double Error(Dataset data) => trainer.Evaluate(new DataLoader(data, batchSize: 200)).Loss;
}

static TensorDataset Waves(Tensor x) => new("waves",
    [(Field.Inputs, x.Unsqueeze(1) * 4), (Field.Targets, (x * Math.PI * 2).Sin().Unsqueeze(1))]);

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
