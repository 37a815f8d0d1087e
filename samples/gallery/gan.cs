#:project ../../src/Adjoint/Adjoint.csproj
// A generative adversarial network (Goodfellow et al. 2014) learns eight spots on a circle. Two steps, two optimizers,
// each step captured as a whole, with the noise drawn inside.
// The loop is written out: two optimizers step in turn on losses of their own, and a trainer has one of each.
using Adjoint;
using Adjoint.Data;
using Adjoint.Nn;
using Adjoint.Optim;

const int Latent = 8, Spots = 8, Epochs = 100;
const double Deviation = 0.05;
var random = new Generator(1);
var spots = Tensor.Arange(Spots).To(DType.Float32) * (2 * Math.PI / Spots);
var centers = Tensor.Stack([spots.Cos(), spots.Sin()], axis: 1);
var points = centers.IndexSelect(0, [.. Enumerable.Range(0, 2050).Select(i => i % Spots)]);
points += Tensor.Randn(points.Shape, random) * Deviation;
var data = new DataLoader(
    new TensorDataset("spots", [(Field.Inputs, points)]), batchSize: 100, new() { Shuffle = true, Seed = 1 });

var generator = new Mlp(Latent, [64, 64], 2, "relu", random);
var discriminator = new Mlp(2, [64, 64], 1, "relu", random);
var generatorOptimizer = new Adam(generator.Parameters(), learningRate: 0.001, beta1: 0.5);
var discriminatorOptimizer = new Adam(discriminator.Parameters(), learningRate: 0.001, beta1: 0.5);

// Distinguishes real points from generated ones.
var discriminate = CapturedFunction.Create((Tensor real) =>
{
    Tensor made;
    using (new NoGrad()) made = Make(real.Shape[0]);
    var (onReal, onMade) = (discriminator.Forward(real), discriminator.Forward(made));
    var loss = Loss.BceWithLogits(onReal, Tensor.Ones(real.Shape[0], 1))
        + Loss.BceWithLogits(onMade, Tensor.Zeros(real.Shape[0], 1));
    discriminatorOptimizer.ZeroGrad();
    loss.Backward();
    discriminatorOptimizer.Step();
    return loss;
});

// Generates points that pass for real ones; the discriminator is not updated.
var deceive = CapturedFunction.Create((Tensor real) =>
{
    var loss = Loss.BceWithLogits(discriminator.Forward(Make(real.Shape[0])), Tensor.Ones(real.Shape[0], 1));
    generatorOptimizer.ZeroGrad();
    loss.BackwardTo(generator.Parameters());
    generatorOptimizer.Step();
    return loss;
});

for (var epoch = 1; epoch <= Epochs; epoch++)
{
    var losses = new List<(double Discriminator, double Generator)>();
    foreach (var batch in data) losses.Add((discriminate.Run(batch.Inputs).Item(), deceive.Run(batch.Inputs).Item()));
    if (epoch % 50 != 0) continue;
    var (hits, share) = Judge();
    Console.WriteLine($"epoch {epoch}: losses {losses.Average(x => x.Discriminator):0.00} (discriminator), "
        + $"{losses.Average(x => x.Generator):0.00} (generator); {share:P0} of the points hit {hits} of {Spots} spots");
}
Console.WriteLine($"captured in {discriminate.Plans} + {deceive.Plans} plans");

Tensor Make(int count) => generator.Forward(Tensor.Randn([count, Latent], random));

// How many spots are covered (by at least a quarter of their share of the points), and the fraction of points within 4
// standard deviations of a spot.
(int Hits, double Share) Judge()
{
    const int Count = 2000;
    using var noGrad = new NoGrad();
    var distances = (Make(Count).Unsqueeze(1) - centers).Square().Sum(-1).Sqrt();
    var isNear = distances.Min(-1).Less(4 * Deviation).ToArray<bool>();
    var nearest = distances.ArgMin().ToArray<long>().Zip(isNear);
    var hits = nearest.Where(point => point.Second).CountBy(point => point.First);
    return (hits.Count(spot => spot.Value > Count / Spots / 4), isNear.Average(near => near ? 1.0 : 0));
}
