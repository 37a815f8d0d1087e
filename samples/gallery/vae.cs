#:project ../../src/Adjoint/Adjoint.csproj
// A variational autoencoder (Kingma and Welling 2013) of tiny images of a blob: it finds the two numbers that generate
// them, the position of the blob. Its loss is a function of the model and a batch, with noise drawn inside the captured
// step. The weight of the KL term, which is ramped up, is a tensor that a callback refills: a plain number would be
// frozen when the step is recorded.
using Adjoint;
using Adjoint.Data;
using Adjoint.Nn;
using Adjoint.Optim;
using Adjoint.Training;

const int Side = 12, Pixels = Side * Side, Latent = 2, Epochs = 60;
var random = new Generator(1);
var (images, places) = Blobs(1000);
var data = new TensorDataset("blobs", [(Field.Inputs, images)]);
var model = new Vae(Pixels, Latent, random);
var warmUp = new WarmUp(steps: 200);
var task = LearningTask.Of<Vae>(
    loss: (model, batch) =>
    {
        var (reconstruction, kl) = model.Losses(batch.Inputs);
        return reconstruction + kl * warmUp.Weight;
    });
var optimizer = new Adam(model.Parameters(), learningRate: 0.003);
var trainer = new Trainer(
    model, optimizer, task, new DataLoader(data, batchSize: 64, new() { Shuffle = true, Seed = 1 }));
trainer.Callbacks.Add(warmUp);
var result = trainer.Fit(Epochs);
foreach (var epoch in result.Epochs.Where(epoch => epoch.Epoch is 20 or 40 or 60))
    Console.WriteLine($"epoch {epoch.Epoch}: loss {epoch.TrainLoss:0.0} nats");
Console.WriteLine(result.Capture);

using var noGrad = new NoGrad();
var (lost, divergence) = model.Losses(images);
Console.WriteLine($"reconstruction {lost.Item():0.0}, KL {divergence.Item():0.00} nats");
var fit = LinearFit(model.Encode(images).Mean, places);
Console.WriteLine($"a linear map of the code predicts the positions of the blobs: R² {fit:0.00}");
Console.WriteLine("new samples:");
var drawn = model.Decode(Tensor.Randn([4, Latent], random)).Sigmoid().Reshape(4, Side, Side);
for (var row = 0; row < Side; row += 2)
    Console.WriteLine(string.Join("   ", Enumerable.Range(0, 4).Select(image => string.Concat(
        Enumerable.Range(0, Side).Select(column => " .:*#"[(int)(drawn.ItemAt(image, row, column) * 4.99)])))));

// Images (n, side²) with values from 0 to 1, and the positions of the blobs (n, 2).
(Tensor Images, Tensor Places) Blobs(int count)
{
    var places = Tensor.Rand([count, 2], random) * (Side - 4) + 1.5;
    var pixels = Tensor.Arange(Side).To(DType.Float32);
    var rows = (pixels - places[.., ..1]).Square().Unsqueeze(2);
    var columns = (pixels - places[.., 1..]).Square().Unsqueeze(1);
    return ((-(rows + columns) / 4).Exp().Reshape(count, Pixels), places);
}

// The fraction of the variance of y (n, 2) that the best linear map of x (n, 2) explains, by gradient descent.
static double LinearFit(Tensor x, Tensor y)
{
    x = (x - x.Mean(0)) / x.Var(0).Sqrt();
    y = (y - y.Mean(0)) / y.Var(0).Sqrt();
    var map = Tensor.Zeros(2, 2);
    for (var i = 0; i < 200; i++) map -= x.Transpose().MatMul(x.MatMul(map) - y) / x.Shape[0] * 0.3;
    return 1 - (x.MatMul(map) - y).Square().Mean().Item();
}

sealed class Vae : Module
{
    readonly int latent;
    readonly Sequential encoder, decoder;
    readonly Generator noise;

    public Vae(int pixels, int latent, Generator random)
    {
        this.latent = latent;
        encoder = AddChild("encoder", new Sequential(
            new Linear(pixels, 64, generator: random), new Gelu(), new Linear(64, 2 * latent, generator: random)));
        decoder = AddChild("decoder", new Sequential(
            new Linear(latent, 64, generator: random), new Gelu(), new Linear(64, pixels, generator: random)));
        noise = AddGenerator("noise", random.Fork(1));
    }

    public (Tensor Mean, Tensor LogVariance) Encode(Tensor x)
    {
        var code = encoder.Forward(x);
        return (code[.., ..latent], code[.., latent..]);
    }

    public Tensor Decode(Tensor z) => decoder.Forward(z);

    // Means over the samples: −log p(x|z), and KL(N(mean, variance) ‖ N(0, 1)).
    public (Tensor Reconstruction, Tensor Kl) Losses(Tensor x)
    {
        var (mean, logVariance) = Encode(x);
        var z = mean + (logVariance / 2).Exp() * Tensor.Randn(mean.Shape, noise);
        var reconstruction = Loss.BceWithLogits(Decode(z), x, Reduction.Sum) / x.Shape[0];
        return (reconstruction, (mean.Square() + logVariance.Exp() - 1 - logVariance).Sum() / (2 * x.Shape[0]));
    }
}

sealed class WarmUp(int steps) : Callback
{
    int done;

    public Tensor Weight { get; } = Tensor.Zeros();

    public override void BeforeBatch(Trainer trainer, Batch batch) => Weight.Fill(Math.Min(1, ++done / (double)steps));
}
