#:project ../../src/Adjoint/Adjoint.csproj
// A U-Net (Ronneberger et al. 2015) segments the discs among other shapes in noisy images. The decoder uses bilinear
// upsampling; a module with two inputs joins the upsampled features with those of the skip connection.
using Adjoint;
using Adjoint.Data;
using Adjoint.Nn;
using Adjoint.Optim;
using Adjoint.Training;

const int Side = 24, Epochs = 12;
var random = new Generator(1);
var training = new DataLoader(Shapes(350, seed: 1), batchSize: 16, new() { Shuffle = true, Seed = 1 });
var validation = new DataLoader(Shapes(50, seed: 2), batchSize: 50);
var model = new UNet(channels: 8, random);
var optimizer = new AdamW(model.Parameters(), learningRate: 0.01);
var task = new SegmentationTask
{
    Metrics = () => [new IoU { Average = Averaging.Binary }], // of the discs alone, without the background
    Score = "iouBinary",
};
var trainer = new Trainer(model, optimizer, task, training, validation)
{
    Schedule = Schedule.Cosine(training.StepsIn(Epochs)),
};

var result = trainer.Fit(Epochs);
foreach (var epoch in result.Epochs.Where(epoch => epoch.Epoch is 3 or 6 or 9 or 12))
    Console.WriteLine($"epoch {epoch.Epoch}: loss {epoch.TrainLoss:0.000}, IoU {epoch.Metrics["iouBinary"]:0.00}");
Console.WriteLine(result.Capture);

// One or two discs and two squares of similar size and brightness, in noise: images (n, 1, side, side), and the classes
// of the pixels (n, side, side), 1 for discs.
static TensorDataset Shapes(int count, int seed)
{
    var random = new Random(seed);
    var (images, masks) = (new float[count * Side * Side], new long[count * Side * Side]);
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
    return new("shapes",
        [(Field.Inputs, Tensor.From(images, count, 1, Side, Side)),
            (Field.Targets, Tensor.From(masks, count, Side, Side))]);
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
        output = AddChild("output", new Conv2d(channels, 2, kernel: 1, new() { Generator = random }));
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
