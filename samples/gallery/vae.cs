#:project ../../src/Adjoint/Adjoint.csproj
// A variational autoencoder (Kingma and Welling 2013) of tiny images of a blob: it finds the two numbers that generate
// them, the position of the blob. Its noise is drawn inside the captured step; the weight of the KL term, which is
// ramped up, is an argument of the step, since a plain number would be frozen when the step is recorded.
using Adjoint;
using Adjoint.Nn;
using Adjoint.Optim;

const int Side = 12, Pixels = Side * Side, Latent = 2, BatchSize = 64, Epochs = 60, WarmUp = 200;
var random = new Generator(1);
var (images, places) = Blobs(1000);
var encoder = new Sequential(
    new Linear(Pixels, 64, generator: random), new Gelu(), new Linear(64, 2 * Latent, generator: random));
var decoder = new Sequential(
    new Linear(Latent, 64, generator: random), new Gelu(), new Linear(64, Pixels, generator: random));
var optimizer = new Adam(encoder.Parameters().Concat(decoder.Parameters()), learningRate: 0.003);
var step = CapturedFunction.Create((Tensor x, Tensor klWeight) =>
{
    var code = encoder.Forward(x);
    var (mean, logVariance) = (code[.., ..Latent], code[.., Latent..]);
    var z = mean + (logVariance / 2).Exp() * Tensor.Randn(mean.Shape, random);
    var reconstruction = Loss.BceWithLogits(decoder.Forward(z), x, Reduction.Sum) / x.Shape[0];
    // KL(N(mean, variance) ‖ N(0, 1))
    var kl = (mean.Square() + logVariance.Exp() - 1 - logVariance).Sum() / (2 * x.Shape[0]);
    optimizer.ZeroGrad();
    (reconstruction + klWeight * kl).Backward();
    optimizer.Step();
    return (reconstruction, kl);
});

var steps = 0;
for (var epoch = 1; epoch <= Epochs; epoch++)
{
    var (reconstruction, kl) = (0.0, 0.0);
    foreach (var rows in random.Permutation(images.Shape[0]).Chunk(BatchSize))
    {
        var klWeight = Math.Min(1, (steps++ + 1.0) / WarmUp);
        var (x, y) = step.Run(images.IndexSelect(0, rows), Tensor.Scalar(klWeight));
        (reconstruction, kl) = (reconstruction + x.Item() * rows.Length, kl + y.Item() * rows.Length);
    }
    if (epoch % 20 == 0)
        Console.WriteLine($"epoch {epoch}: reconstruction {reconstruction / 1000:0.0}, KL {kl / 1000:0.00} nats");
}
Console.WriteLine($"captured in {step.Plans} plans of {step.Operations} operations");

using var noGrad = new NoGrad();
var fit = LinearFit(encoder.Forward(images)[.., ..Latent], places);
Console.WriteLine($"a linear map of the code predicts the positions of the blobs: R² {fit:0.00}");
Console.WriteLine("new samples:");
var drawn = decoder.Forward(Tensor.Randn([4, Latent], random)).Sigmoid().Reshape(4, Side, Side);
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
