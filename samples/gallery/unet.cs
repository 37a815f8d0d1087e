#:project ../../src/Adjoint/Adjoint.csproj
// A U-Net (Ronneberger et al. 2015) segments the discs among other shapes in noisy images. The decoder uses bilinear
// upsampling; a module with two inputs joins the upsampled features with those of the skip connection.
using Adjoint;
using Adjoint.Nn;
using Adjoint.Optim;

const int Side = 24, BatchSize = 16, Epochs = 12;
var random = new Generator(1);
var (images, masks) = Shapes(350, seed: 1);
var (testImages, testMasks) = Shapes(50, seed: 2);
var model = new UNet(channels: 8, random);
var optimizer = new AdamW(model.Parameters(), learningRate: 0.01);
var step = CapturedFunction.Create((Tensor x, Tensor y) =>
{
    var loss = Loss.BceWithLogits(model.Forward(x), y);
    optimizer.ZeroGrad();
    loss.Backward();
    optimizer.Step();
    return loss;
});

for (var epoch = 1; epoch <= Epochs; epoch++)
{
    optimizer.LearningRate = 0.01 * Schedule.Cosine(Epochs).Factor(epoch - 1);
    var losses = new List<double>();
    foreach (var rows in random.Permutation(images.Shape[0]).Chunk(BatchSize))
        losses.Add(step.Run(images.IndexSelect(0, rows), masks.IndexSelect(0, rows)).Item());
    if (epoch % 3 == 0)
        Console.WriteLine($"epoch {epoch}: loss {losses.Average():0.000}, IoU {IntersectionOverUnion():0.00}");
}
Console.WriteLine($"captured in {step.Plans} plans of {step.Operations} operations");

double IntersectionOverUnion()
{
    using var use = model.EvalScope();
    using var noGrad = new NoGrad();
    var found = model.Forward(testImages).Greater(0).To(DType.Float32);
    var both = (found * testMasks).Sum();
    return (both / (found.Sum() + testMasks.Sum() - both)).Item();
}

// One or two discs and two squares of similar size and brightness, in noise: images and masks of discs (n, 1, side,
// side).
static (Tensor Images, Tensor Masks) Shapes(int count, int seed)
{
    var random = new Random(seed);
    var (images, masks) = (new float[count * Side * Side], new float[count * Side * Side]);
    for (var image = 0; image < count; image++)
    {
        for (var i = 0; i < Side * Side; i++) images[image * Side * Side + i] = random.NextSingle() * 0.4f;
        for (var shape = random.Next(2); shape < 4; shape++)
        {
            var (radius, isDisc, light) = (random.Next(3, 6), shape % 2 == 0, 0.4f + random.NextSingle() * 0.5f);
            var (centerY, centerX) = (random.Next(Side), random.Next(Side));
            for (var y = 0; y < Side; y++)
                for (var x = 0; x < Side; x++)
                {
                    var (dy, dx) = (Math.Abs(y - centerY), Math.Abs(x - centerX));
                    if (isDisc ? dy * dy + dx * dx > radius * radius : Math.Max(dy, dx) >= radius) continue;
                    images[(image * Side + y) * Side + x] += light;
                    masks[(image * Side + y) * Side + x] = isDisc ? 1 : 0;
                }
        }
    }
    return (Tensor.From(images, count, 1, Side, Side), Tensor.From(masks, count, 1, Side, Side));
}

sealed class UNet : Layer
{
    readonly ConvBlock level1, level2, bottom;
    readonly UpBlock up2, up1;
    readonly Conv2d output;

    public UNet(int channels, Generator random)
    {
        level1 = AddChild("level1", new ConvBlock(1, channels, random));
        level2 = AddChild("level2", new ConvBlock(channels, 2 * channels, random));
        bottom = AddChild("bottom", new ConvBlock(2 * channels, 4 * channels, random));
        up2 = AddChild("up2", new UpBlock(4 * channels, 2 * channels, random));
        up1 = AddChild("up1", new UpBlock(2 * channels, channels, random));
        output = AddChild("output", new Conv2d(channels, 1, kernel: 1, new() { Generator = random }));
    }

    protected override Tensor ForwardCore(Tensor x)
    {
        var first = level1.Forward(x);
        var second = level2.Forward(first.MaxPool2d(2));
        var y = bottom.Forward(second.MaxPool2d(2));
        return output.Forward(up1.Forward(up2.Forward(y, second), first));
    }
}

sealed class UpBlock : Module
{
    readonly Upsample upsample;
    readonly ConvBlock convolutions;

    public UpBlock(int inputs, int channels, Generator random)
    {
        upsample = AddChild("upsample", new Upsample(2, bilinear: true));
        convolutions = AddChild("convolutions", new ConvBlock(inputs + channels, channels, random));
    }

    public Tensor Forward(Tensor below, Tensor skipped) => Call([below, skipped], () =>
        convolutions.Forward(Tensor.Concat([upsample.Forward(below), skipped], axis: 1)));
}

sealed class ConvBlock(int inputs, int channels, Generator random) : Sequential(
    new Conv2d(inputs, channels, kernel: 3, new() { Padding = 1, Bias = false, Generator = random }),
    new BatchNorm(channels, momentum: 0.3), new Relu(),
    new Conv2d(channels, channels, kernel: 3, new() { Padding = 1, Bias = false, Generator = random }),
    new BatchNorm(channels, momentum: 0.3), new Relu());
