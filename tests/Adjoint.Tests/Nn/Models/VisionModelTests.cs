using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Adjoint.Nn;

namespace Adjoint.Tests.Nn;

/// <summary>
/// The convolutional networks against torchvision: Goldens/vision_models.py prints a digest of names and shapes,
/// logits, and a step of training. With ADJOINT_LONG the large ones, too.
/// </summary>
public class VisionModelTests
{
    private static readonly string Script =
        Path.Combine(LayeringTests.Root(), "tests", "Adjoint.Tests", "Nn", "Goldens", "vision_models.py");

    private static readonly Dictionary<string, string> Goldens =
        File.ReadAllLines(Path.ChangeExtension(Script, "txt")).Select(line => line.Split(" | "))
            .ToDictionary(parts => parts[0], parts => parts[1]);

    private static readonly string[] Small =
    [
        "squeezenet1_0", "squeezenet1_1", "shufflenet_v2_x0_5", "shufflenet_v2_x1_0", "mobilenet_v2",
        "mobilenet_v3_small", "mobilenet_v3_large", "efficientnet_b0", "resnet18",
    ];

    private static readonly string[] Large = [.. With("state").Except(Small).Order(StringComparer.Ordinal)];

    internal static bool IsLong => Environment.GetEnvironmentVariable("ADJOINT_LONG") is not null;

    public static TheoryData<string> SmallNetworks() => [.. Small];

    public static TheoryData<string> LargeNetworks() => [.. Large];

    [Theory, MemberData(nameof(SmallNetworks))]
    public void Names_shapes_and_logits_are_torchvisions(string name) => Compare(name);

    [Theory, MemberData(nameof(LargeNetworks))]
    public void Names_shapes_and_logits_of_large_networks_are_torchvisions(string name)
    {
        if (!IsLong) Assert.Skip("skipped: a step of .ci/run --long; set ADJOINT_LONG=1 to run it");
        Compare(name);
    }

    [Fact]
    public void Every_network_of_the_zoo_has_torchvisions_name() => Assert.Equal(
        Small.Concat(Large).Order(), ModelZoo.All.Select(entry => entry.Name).Intersect(With("state")).Order());

    [Fact]
    public void A_step_of_training_is_torchvisions()
    {
        var model = (Layer)FormulaWeights.Fill(Create("shufflenet_v2_x0_5")).To(DType.Float64);
        var (x, labels) = (Images().To(DType.Float64), Tensor.From(new long[] { 3, 998 }));
        var loss = Loss.CrossEntropy(model.Forward(x), labels);
        loss.Backward();
        var norm = Math.Sqrt(model.Parameters().Sum(one => one.Grad!.Square().Sum().Item()));
        using var _ = new NoGrad();
        foreach (var parameter in model.Parameters()) parameter.CopyFrom(parameter - parameter.Grad! * 0.01);
        double SumOf(string end) => model.NamedBuffers()
            .Where(buffer => buffer.Name.EndsWith(end, StringComparison.Ordinal)).Sum(one => one.Value.Sum().Item());
        var after = Loss.CrossEntropy(model.Eval().Forward(x), labels);
        double[] found = [loss.Item(), norm, SumOf("mean"), SumOf("var"), after.Item()];
        var expected = Numbers(Goldens["shufflenet_v2_x0_5, training"]);
        for (var i = 0; i < found.Length; i++) Assert.Equal(1, found[i] / expected[i], 1e-8);
    }

    [Fact]
    public void Initial_values_are_torchvisions()
    {
        // Deviations by their papers: 2 / fan-out of convolutions (of depthwise ones all channels count), 1 / 3 of the
        // square of the limit of uniform ones.
        double Uniform(double limit) => limit / Math.Sqrt(3);
        AssertDeviations(VisionModels.ResNet18(400, generator: new(1)),
            ("conv1.weight", Math.Sqrt(2.0 / (64 * 49))),
            ("layer2.0.conv1.weight", Math.Sqrt(2.0 / (128 * 9))),
            ("layer2.0.downsample.0.weight", Math.Sqrt(2.0 / 128)),
            ("fc.weight", Uniform(1 / Math.Sqrt(512))), ("fc.bias", Uniform(1 / Math.Sqrt(512))));
        AssertDeviations(VisionModels.Vgg11(10, width: 8, generator: new(1)),
            ("features.3.weight", Math.Sqrt(2.0 / (16 * 9))), ("features.3.bias", 0),
            ("classifier.0.weight", 0.01), ("classifier.6.weight", 0.01), ("classifier.6.bias", 0));
        AssertDeviations(VisionModels.SqueezeNet11(10, generator: new(1)),
            ("features.3.squeeze.weight", Uniform(Math.Sqrt(6.0 / 64))),
            ("features.12.expand3x3.weight", Uniform(Math.Sqrt(6.0 / (64 * 9)))),
            ("features.12.expand3x3.bias", 0), ("classifier.1.weight", 0.01), ("classifier.1.bias", 0));
        AssertDeviations(VisionModels.ShuffleNetV2X05(10, generator: new(1)),
            ("stage2.0.branch2.0.weight", Uniform(1 / Math.Sqrt(24))), ("fc.weight", Uniform(1 / Math.Sqrt(1024))));
        AssertDeviations(VisionModels.MobileNetV2(10, generator: new(1)),
            ("features.2.conv.0.0.weight", Math.Sqrt(2.0 / 96)),
            ("features.17.conv.1.0.weight", Math.Sqrt(2.0 / (960 * 9))), ("classifier.1.weight", 0.01),
            ("classifier.1.bias", 0));
        AssertDeviations(VisionModels.MobileNetV3Small(10, generator: new(1)),
            ("features.4.block.2.fc1.weight", Math.Sqrt(2.0 / 24)), ("features.4.block.2.fc1.bias", 0),
            ("classifier.0.weight", 0.01), ("classifier.3.bias", 0));
        AssertDeviations(VisionModels.EfficientNetB0(100, generator: new(1)),
            ("features.6.3.block.2.fc2.weight", Math.Sqrt(2.0 / 1152)), ("features.6.3.block.2.fc2.bias", 0),
            ("classifier.1.weight", Uniform(0.1)), ("classifier.1.bias", 0));
    }

    [Fact]
    public void Residual_branches_are_dropped_more_often_the_later_they_are()
    {
        var depths = Depths(VisionModels.EfficientNetB0(10, width: 0.1)).ToArray();
        Assert.Equal(Enumerable.Range(0, 16).Select(i => 0.2 * i / 16), depths, (a, b) => Math.Abs(a - b) < 1e-15);

        static IEnumerable<double> Depths(Module module) => module.Children.SelectMany(child =>
            child.Value is StochasticDepth depth ? [depth.Probability] : Depths(child.Value));
    }

    [Fact]
    public void Numbers_that_fit_no_network_are_refused()
    {
        Refused("ResNet: classes and channels must be positive: found 0 and 3", () => VisionModels.ResNet18(0));
        Refused("Vgg: classes and channels must be positive: found 2 and -1", () => VisionModels.Vgg16Bn(2, -1));
        Refused("ResNet: the width must be from 1 to 4096 channels: found 0", () => VisionModels.ResNet50(width: 0));
        Refused("MobileNetV2: the factor of the channels must be above 0 and at most 64: found NaN",
            () => VisionModels.MobileNetV2(width: double.NaN));
        Refused("MaxPool2d: a window 2 is larger than the input", () => VisionModels.Vgg11(2, width: 1)
            .Forward(Tensor.Zeros(1, 3, 16, 16)));

        static void Refused(string message, Action act) =>
            Assert.Contains(message, Assert.Throws<AdjointException>(act).Message, StringComparison.Ordinal);
    }

    internal static Layer Create(string name) =>
        ModelZoo.All.Single(entry => entry.Name == name).Create(3, 1000, new Generator(1), null);

    /// <summary>Compares logits with those of a line, relative to the largest.</summary>
    internal static void Compare(string name, Tensor logits, string line)
    {
        var (expected, found) = (Numbers(line), logits.ToArray<float>());
        var (step, largest) = (found.Length / 20, expected.Max(Math.Abs));
        for (var i = 0; i < expected.Length; i++)
            Assert.True(Math.Abs(found[i * step] - expected[i]) <= 1e-5 * largest,
                $"{name}: logit {i * step} is {found[i * step]}, torchvision's {expected[i]}, largest {largest}");
    }

    internal static Tensor Images(int size = 64) => FormulaWeights.Input("images", 2, 3, size, size);

    private static void Compare(string name)
    {
        var model = Create(name);
        string[] lines =
        [
            .. model.NamedParameters().Concat(model.NamedBuffers()).Select(one =>
                $"{one.Name} ({string.Join(", ", one.Value.Shape.Sizes.ToArray())}{(one.Value.Rank == 1 ? "," : "")})"),
        ];
        var digest = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', lines))));
        Assert.True(Goldens[$"{name}, state"] == $"{lines.Length} {digest[..16]}",
            $"{name}: other names or shapes than python3 vision_models.py --names {name} prints:\n"
            + string.Join('\n', lines));
        if (!Goldens.TryGetValue($"{name}, logits", out var logits)) return;
        using var _ = new NoGrad();
        Compare(name, FormulaWeights.Fill(model).Eval().Forward(Images()), logits);
    }

    private static IEnumerable<string> With(string what) => Goldens.Keys.Select(key => key.Split(", "))
        .Where(parts => parts[1] == what).Select(parts => parts[0]);

    private static double[] Numbers(string line) =>
        [.. line.Split(' ').Select(text => double.Parse(text, CultureInfo.InvariantCulture))];

    private static void AssertDeviations(Module model, params (string Name, double Deviation)[] expected)
    {
        var state = model.StateDict();
        foreach (var (name, deviation) in expected)
        {
            var values = state[name].ToArray<float>();
            var found = Math.Sqrt(values.Average(value => (double)value * value));
            // Five standard errors of normal numbers.
            Assert.True(Math.Abs(found - deviation) <= 5 * deviation / Math.Sqrt(2.0 * values.Length),
                $"{model}: {name} has a deviation of {found}, not {deviation}");
        }
    }
}
