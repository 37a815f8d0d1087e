using System.Globalization;
using Adjoint.Nn;
using Adjoint.Optim;

namespace Adjoint.Tests.Nn;

/// <summary>
/// The vision transformer and ConvNeXt against torchvision: Goldens/vision_transformers.py prints names, shapes and
/// logits.
/// </summary>
public class VisionTransformerTests
{
    private static readonly string Folder =
        Path.Combine(LayeringTests.Root(), "tests", "Adjoint.Tests", "Nn", "Goldens");

    private static readonly ConvNextOptions SmallConvNext =
        new() { Depths = [1, 2], Widths = [4, 8], Classes = 5, StochasticDepth = 0.2 };

    private static readonly VisionTransformerOptions SmallVit = new()
    {
        ImageSize = 12,
        Patch = 4,
        Layers = 2,
        Heads = 2,
        Width = 8,
        FeedForward = 12,
        Classes = 5,
    };

    private static bool IsLong => Environment.GetEnvironmentVariable("ADJOINT_LONG") is not null;

    [Theory, InlineData("small convnext"), InlineData("small vit"), InlineData("convnext_tiny")]
    public void Names_and_logits_are_torchvisions(string name) => Compare(Recorded(), name);

    [Fact]
    public void Names_of_the_full_transformer_are_torchvisions() =>
        AssertStates(Recorded(), "vit_b_16", Create("vit_b_16").Model);

    [Fact]
    public void Logits_of_the_full_transformer_are_torchvisions()
    {
        if (!IsLong) Assert.Skip("skipped: a step of .ci/run --long; set ADJOINT_LONG=1 to run it");
        Compare(Recorded(), "vit_b_16");
    }

    [Fact]
    public async Task The_golden_file_is_what_torchvision_says_today()
    {
        var lines = await PyTorchScript.LinesOf(Path.Combine(Folder, "vision_transformers.py"));
        Assert.Equal(Recorded().Where(line => line.Contains(", state | ", StringComparison.Ordinal)),
            lines.Where(line => line.Contains(", state | ", StringComparison.Ordinal)));
        foreach (var name in (string[])["small convnext", "small vit", "convnext_tiny"])
            Assert.Equal(Logits(Recorded(), name), Logits(lines, name), (a, b) => Math.Abs(a - b) <= 1e-9);
    }

    [Fact]
    public void Training_lowers_the_loss()
    {
        // The size of what a block adds begins at 10⁻⁶: with 1, a few steps move it.
        foreach (var model in (Layer[])[new ConvNext(SmallConvNext with { LayerScale = 1 }, new(1)),
            new VisionTransformer(SmallVit with { Dropout = 0.1, AttentionDropout = 0.1 }, new(1))])
        {
            var (x, labels) = (FormulaWeights.Input("images", 4, 3, 12, 12), Tensor.From(new long[] { 4, 0, 2, 1 }));
            var optimizer = new AdamW(model.Parameters(), 0.02);
            var losses = new List<double>();
            for (var step = 0; step < 20; step++)
            {
                optimizer.ZeroGrad();
                var loss = Loss.CrossEntropy(model.Forward(x), labels);
                loss.Backward();
                optimizer.Step();
                losses.Add(loss.Item());
            }
            Assert.True(losses[^1] < losses[0] / 2, $"{model}: {string.Join(' ', losses)}");
        }
    }

    [Fact]
    public void Initial_values_are_torchvisions()
    {
        var vit = new VisionTransformer(new()
        {
            ImageSize = 32,
            Patch = 8,
            Layers = 1,
            Heads = 2,
            Width = 64,
            Classes = 5,
            Channels = 3,
        }, new(1));
        AssertDeviations(vit, name => name switch
        {
            "class_token" or "heads.head.weight" or "heads.head.bias" or "conv_proj.bias" => 0,
            "conv_proj.weight" => 1 / Math.Sqrt(3 * 8 * 8),
            "encoder.pos_embedding" => 0.02,
            _ when name.Contains("mlp") && name.EndsWith("bias", StringComparison.Ordinal) => 1e-6,
            _ when name.Contains("mlp") => Math.Sqrt(2.0 / (64 + 256)),
            _ when name.EndsWith("in_proj_weight", StringComparison.Ordinal) => Math.Sqrt(2.0 / (64 + 3 * 64)),
            _ when name.EndsWith("out_proj.weight", StringComparison.Ordinal) => 1 / Math.Sqrt(3 * 64),
            _ => name.EndsWith("bias", StringComparison.Ordinal) ? 0 : 1,
        });
        AssertDeviations(new ConvNext(new() { Depths = [1, 1], Widths = [32, 64], Classes = 5 }, new(1)), name =>
            name.EndsWith("bias", StringComparison.Ordinal) ? 0
            : name.EndsWith("layer_scale", StringComparison.Ordinal) ? 1e-6
            : name is "features.0.1.weight" or "features.2.0.weight" or "classifier.0.weight"
                or "features.1.0.block.2.weight" or "features.3.0.block.2.weight" ? 1 : 0.02);
    }

    [Fact]
    public void Weights_with_older_names_load()
    {
        var (one, other) = (new VisionTransformer(SmallVit, new(1)), new VisionTransformer(SmallVit, new(2)));
        var older = one.StateDict().ToDictionary(
            entry => entry.Key.Replace("mlp.0", "mlp.linear_1", StringComparison.Ordinal)
                .Replace("mlp.3", "mlp.linear_2", StringComparison.Ordinal), entry => entry.Value);
        // Also where the network is part of another.
        var report = new Sequential(other).LoadStateDict(older, new() { Names = new NameMap().Add("**", "0.**") });
        Assert.Contains(("encoder.layers.encoder_layer_1.mlp.linear_2.bias",
            "0.encoder.layers.encoder_layer_1.mlp.3.bias"), report.Renamed);
        var loaded = other.StateDict();
        Assert.All(one.StateDict(), entry => Assert.True(entry.Value.HasBitsOf(loaded[entry.Key]), entry.Key));
        older.Add("encoder.layers.encoder_layer_0.mlp.0.bias", Tensor.Zeros(12));
        AssertMessage("unknown encoder.layers.encoder_layer_0.mlp.linear_1.bias", () => other.LoadStateDict(older));
    }

    [Fact]
    public void Blocks_are_left_out_more_often_the_later_they_are()
    {
        var model = new ConvNext(new() { Depths = [1, 2, 1], Widths = [2, 2, 2], StochasticDepth = 0.3 });
        Assert.Equal([0, 0.1, 0.2, 0.3], Depths(model), (a, b) => Math.Abs(a - b) < 1e-15);
        Assert.Equal([0], Depths(new ConvNext(new() { Depths = [1], Widths = [2], StochasticDepth = 0.3 })));

        static double[] Depths(Module module) =>
        [
            .. module.Children.SelectMany(child => child.Value is StochasticDepth depth
                ? [depth.Probability]
                : Depths(child.Value)),
        ];
    }

    [Fact]
    public void Stochastic_depth_drops_whole_samples_and_keeps_the_mean()
    {
        var layer = new StochasticDepth(0.25, new Generator(3));
        var y = layer.Forward(Tensor.Ones(4000, 2, 3)).Reshape(4000, 6).ToArray<float>();
        var kept = 0;
        foreach (var sample in y.Chunk(6))
        {
            Assert.True(sample.All(v => v == 0) || sample.All(v => v == 1 / 0.75f), string.Join(' ', sample));
            if (sample[0] > 0) kept++;
        }
        // Five standard deviations.
        Assert.InRange(kept, 3000 - 137, 3000 + 137);
        Assert.Equal(Tensor.Ones(2, 3).ToArray<float>(), layer.Eval().Forward(Tensor.Ones(2, 3)).ToArray<float>());
    }

    [Fact]
    public void What_does_not_fit_is_refused()
    {
        AssertMessage("VisionTransformer: images (n, 3, 12, 12) are needed, of as many patches as it has positions: "
            + "found (1, 3, 16, 12); resize them",
            () => new VisionTransformer(SmallVit).Forward(Tensor.Zeros(1, 3, 16, 12)));
        AssertMessage("VisionTransformer: the size of patches must divide that of images: found 5 and 12",
            () => new VisionTransformer(SmallVit with { Patch = 5 }));
        AssertMessage("VisionTransformer: at least one layer is needed: found 0",
            () => new VisionTransformer(SmallVit with { Layers = 0 }));
        AssertMessage("ConvNext: as many depths as widths, one stage or more of one block or more, are needed: found "
            + "[1, 0] and [4, 8]", () => new ConvNext(SmallConvNext with { Depths = [1, 0] }));
        AssertMessage("ConvNext: as many depths as widths",
            () => new ConvNext(SmallConvNext with { Widths = [1] }));
        AssertMessage("ConvNext: the layer scale must be finite: found NaN",
            () => new ConvNext(SmallConvNext with { LayerScale = double.NaN }));
        AssertMessage("Initializer: the deviation must be finite and not negative: found -1",
            () => Initializer.Normal(-1));
    }

    private static (Layer Model, int[] Images) Create(string name) => name switch
    {
        "small convnext" => (new ConvNext(SmallConvNext), [2, 3, 20, 17]),
        "small vit" => (new VisionTransformer(SmallVit), [2, 3, 12, 12]),
        "convnext_tiny" => (Large(() => VisionModels.ConvNextTiny()), [1, 3, 32, 40]),
        "vit_b_16" => (Large(() => VisionModels.VitB16()), [1, 3, 224, 224]),
        _ => throw new ArgumentOutOfRangeException(name),
    };

    // Without initial values, which take longer than all else.
    private static Layer Large(Func<Layer> create) => Architecture.Restore(1L << 30, create);

    private static string[] Recorded() => File.ReadAllLines(Path.Combine(Folder, "vision_transformers.txt"));

    private static void Compare(string[] lines, string name)
    {
        var (model, images) = Create(name);
        AssertStates(lines, name, model);
        FormulaWeights.Fill(model.Eval());
        using var _ = new NoGrad();
        var expected = Logits(lines, name);
        var scale = expected.Max(Math.Abs);
        foreach (var (type, tolerance) in ((DType, double)[])[(DType.Float32, 1e-5), (DType.Float64, 1e-12)])
        {
            if (type == DType.Float64 && !name.StartsWith("small", StringComparison.Ordinal)) break;
            model.To(type);
            var logits = model.Forward(FormulaWeights.Input("images", images).To(type)).To(DType.Float64);
            double[] found =
                [.. logits.ToArray<double>().Where((_, i) => i % Math.Max(1, logits.Length / 20) == 0)];
            Assert.Equal(expected.Length, found.Length);
            for (var i = 0; i < found.Length; i++)
                Assert.True(Math.Abs(found[i] - expected[i]) <= tolerance * scale,
                    $"{name}[{i}], {type}: {found[i]}, torchvision {expected[i]}");
        }
    }

    private static double[] Logits(string[] lines, string name) =>
    [
        .. lines.Single(line => line.StartsWith($"{name}, logits | ", StringComparison.Ordinal))
            .Split(" | ")[1].Split(' ').Select(text => double.Parse(text, CultureInfo.InvariantCulture)),
    ];

    private static void AssertStates(string[] lines, string name, Layer model) => Assert.Equal(
        lines.Where(line => line.StartsWith($"{name}, state | ", StringComparison.Ordinal)),
        model.StateDict().Select(one =>
            $"{name}, state | {one.Key} {string.Join(' ', one.Value.Shape.Sizes.ToArray())}"));

    private static void AssertDeviations(Layer model, Func<string, double> expected)
    {
        foreach (var (name, value) in model.NamedParameters())
        {
            var (deviation, wanted) = (value.Square().Mean().Sqrt().Item(), expected(name));
            var tolerance = value.Length < 1000 ? 0.25 : 0.05;
            Assert.True(Math.Abs(deviation - wanted) <= tolerance * wanted, $"{name}: {deviation} for {wanted}");
        }
    }

    private static void AssertMessage(string part, Action act) =>
        Assert.Contains(part, Assert.ThrowsAny<AdjointException>(act).Message, StringComparison.Ordinal);
}
