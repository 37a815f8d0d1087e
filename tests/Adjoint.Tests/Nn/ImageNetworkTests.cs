using Adjoint.Nn;
using Adjoint.Optim;
using Adjoint.Training;

namespace Adjoint.Tests.Nn;

public class ImageNetworkTests
{
    [Fact]
    public void Networks_have_the_published_numbers_of_parameters_and_shapes()
    {
        // The tutorial's network; He et al. 2015, table 6: 0.27M, 0.46M, 0.66M, 0.85M.
        var lenet = new LeNetCifar(generator: new Generator(1));
        Assert.Equal(62_006, lenet.Parameters().Sum(parameter => parameter.Length));
        Assert.Equal((Shape)(int[])[2, 10], lenet.Forward(Tensor.Zeros(2, 3, 32, 32)).Shape);
        Assert.Equal((Shape)(int[])[2, 10], new LeNet5(generator: new Generator(1)).Forward(Tensor.Zeros(2, 1, 28, 28))
            .Shape);
        foreach (var (layers, millions) in ((int, double)[])[(20, 0.27), (32, 0.46), (44, 0.66), (56, 0.85)])
            Assert.Equal(millions, new CifarResNet(layers, generator: new Generator(1)).Parameters()
                .Sum(parameter => (double)parameter.Length) / 1e6, 0.01);
        Assert.Equal((Shape)(int[])[2, 10], new CifarResNet(20, generator: new Generator(1))
            .Forward(Tensor.Randn([2, 3, 32, 32], new Generator(2))).Shape);
        Assert.Contains("6n + 2", Assert.Throws<AdjointException>(() => new CifarResNet(21)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Gradients_of_a_small_residual_network_agree_with_finite_differences()
    {
        // Smooth activations: ReLU's kinks have no finite difference.
        Tensor Network(Tensor[] t)
        {
            var x = t[0].Conv2d(t[1], padding: 1).BatchNorm(t[2], t[3]).Gelu();
            var shortcut = x.Slice(2, 0, 2, 2).Slice(3, 0, 2, 2).PadAxis(1, 1, 0);
            var y = x.Conv2d(t[4], stride: 2, padding: 1).BatchNorm(t[5], t[6]).Gelu().Conv2d(t[7], padding: 1)
                + shortcut;
            return Loss.CrossEntropy(y.GlobalAvgPool2d().MatMul(t[8]), Tensor.From(new long[] { 1, 0, 2 }));
        }

        Tensor Values(ulong seed, params int[] shape) => Tensor.Randn(shape, new Generator(seed), DType.Float64);
        var result =
            GradCheck.Run(
            Network, [Values(1, 3, 2, 4, 4), Values(2, 2, 2, 3, 3), Values(3, 2), Values(4, 2), Values(5, 3, 2, 3, 3),
                Values(6, 3), Values(7, 3), Values(8, 3, 3, 3, 3), Values(9, 3, 3)]);
        Assert.True(result.Passed && result.Comparisons > 200, $"{result}");
    }

    [Fact]
    public void Gradients_of_a_whole_ResNet_in_float64_agree_with_finite_differences()
    {
        // ResNet-8 of width 2, written once more over a list of tensors: all its layers and parameters, in the module's
        // order.
        Tensor Network(Tensor[] t)
        {
            var next = 1;
            Tensor Norm(Tensor x) => x.BatchNorm(t[next++], t[next++]);
            var x = Norm(t[0].Conv2d(t[next++], padding: 1)).Relu();
            foreach (var stride in (int[])[1, 2, 2])
            {
                var (shortcut, channels) = (x, x.Shape[1]);
                x = Norm(x.Conv2d(t[next++], stride: stride, padding: 1)).Relu();
                x = Norm(x.Conv2d(t[next++], padding: 1));
                if (stride == 2)
                    shortcut = shortcut.Slice(2, 0, x.Shape[2], 2).Slice(3, 0, x.Shape[3], 2)
                        .PadAxis(1, channels / 2, channels / 2);
                x = (x + shortcut).Relu();
            }
            return x.Mean([2, 3]).Linear(t[next++], t[next++]);
        }

        Tensor Case(ulong seed, params int[] shape) => Tensor.Randn(shape, new Generator(seed), DType.Float64);
        var model = new CifarResNet(8, channels: 2, classes: 3, width: 2, generator: new Generator(1));
        var image = Case(2, 4, 2, 4, 4);
        Tensor[] inputs =
            [image, .. model.Parameters()
                .Select(
                (parameter, i) =>
                (parameter.Detach().To(DType.Float64) + Case((ulong)i + 10, [.. parameter.Shape.Sizes]) * 0.1)
                .Detach())];
        foreach (var (parameter, value) in model.Parameters().Zip(inputs.Skip(1)))
            parameter.CopyFrom<float>(value.To(DType.Float32).ToArray<float>());

        // It is the module's function, and the module's gradients are its.
        var labels = Tensor.From(new long[] { 1, 0, 2, 1 });
        var leaves = inputs.Select(value => value.Clone().Detach().RequireGrad()).ToArray();
        var (loss, own) = (Loss.CrossEntropy(Network(leaves), labels),
            Loss.CrossEntropy(model.Forward(image.To(DType.Float32)), labels));
        Assert.Equal(loss.Item(), own.Item(), 1e-5);
        loss.Backward();
        own.Backward();
        foreach (var (parameter, leaf) in model.Parameters().Zip(leaves.Skip(1)))
            foreach (var (found, expected) in parameter.Grad!.ToArray<float>().Zip(leaf.Grad!.ToArray<double>()))
                Assert.Equal(expected, found, 1e-4);

        // A narrow step: ReLU's kinks have no difference, so none may lie within it.
        var result = GradCheck.Run(t => Loss.CrossEntropy(Network(t), labels), inputs, step: 1e-7);
        Assert.True(result.Passed && result.Comparisons > 500, $"{result}");
    }

    [Theory, InlineData("lenet"), InlineData("resnet20"), InlineData("speednet"), InlineData("shufflenet_v2_x0_5"),
        InlineData("mobilenet_v3_small"), InlineData("efficientnet_b0")]
    public void A_replay_has_the_bits_of_the_eager_step(string name)
    {
        float[] Train(bool captured)
        {
            var model = ModelZoo.All.Single(entry => entry.Name == name).Create(3, 10, new Generator(1), null);
            var optimizer = new Sgd(model.Parameters(), 0.05, momentum: 0.9);
            Tensor LossOf(Tensor x, Tensor y) => Loss.CrossEntropy(model.Forward(x), y);
            var step = CapturedStep.Create(LossOf, model.Parameters());
            for (var i = 0; i < 4; i++)
            {
                var (x, y) =
                    (Tensor.Randn([4, 3, 32, 32], new Generator((ulong)i)), Tensor.From(new long[] { 1, 2, 3, i }));
                if (captured) step.Run(x, y);
                else
                {
                    optimizer.ZeroGrad();
                    LossOf(x, y).Backward();
                }
                optimizer.Step();
            }
            Assert.Equal(captured, step.IsCaptured);
            return [.. model.StateDict().Values.SelectMany(value => value.ToArray<float>())];
        }

        Assert.Equal(Train(false), Train(true));
    }

    [Fact]
    public void A_step_that_is_refused_leaves_no_trace_before_it_runs_eagerly()
    {
        float[] Train(bool captured)
        {
            var generator = new Generator(3);
            var (norm, dropout) = (new BatchNorm(6), new Dropout(0.5, generator));
            Tensor LossOf(Tensor x, Tensor y)
            {
                var loss = dropout.Forward(norm.Forward(x)).Sum();
                return loss.Item() > 0 ? loss : -loss;
            }
            var step = CapturedStep.Create(LossOf, norm.Parameters(), fallBackToEager: true);
            for (var i = 0; i < 4; i++)
            {
                var x = Tensor.Randn([40, 6], new Generator((ulong)i));
                if (captured) step.Run(x, x);
                else LossOf(x, x).Backward();
            }
            Assert.False(step.IsCaptured);
            float[] statistics = [.. norm.NamedBuffers().SelectMany(buffer => buffer.Value.ToArray<float>())];
            return [.. statistics, generator.Position];
        }

        Assert.Equal(Train(false), Train(true));
    }

    [Fact]
    public void Batch_norm_moves_its_running_statistics_and_uses_them_afterwards()
    {
        var norm = new BatchNorm(2, momentum: 0.25);
        double[] values = [1, 2, 3, 10, 20, 60];
        var x = Tensor.From(new float[] { 1, 10, 2, 20, 3, 60 }, 3, 2);
        norm.Forward(x);
        var state = norm.StateDict();
        for (var c = 0; c < 2; c++)
        {
            var channel = values[(3 * c)..(3 * c + 3)];
            var mean = channel.Average();
            Assert.Equal(0.25 * mean, state["running_mean"].ToArray<float>()[c], 1e-5);
            Assert.Equal(0.75 + 0.25 * channel.Sum(v => (v - mean) * (v - mean)) / 2,
                state["running_var"].ToArray<float>()[c], 1e-3);
        }
        norm.Eval();
        var (running, variance) = (state["running_mean"].ToArray<float>()[0], state["running_var"].ToArray<float>()[0]);
        Assert.Equal((2 - running) / Math.Sqrt(variance + 1e-5), norm.Forward(x).ToArray<float>()[2], 1e-5);
        var other = new BatchNorm(2);
        other.LoadStateDict(state);
        Assert.Equal(norm.Forward(x).ToArray<float>(), other.Eval().Forward(x).ToArray<float>());
    }

    [Fact]
    public void A_last_batch_of_one_under_batch_norm_becomes_the_shift()
    {
        var norm = new BatchNorm(3);
        Assert.Equal([0f, 0, 0], norm.Forward(Tensor.From(new float[] { 5, 6, 7 }, 1, 3)).ToArray<float>());
        Assert.All(norm.StateDict()["running_var"].ToArray<float>(), value => Assert.Equal(0.9f, value, 1e-6f));
    }

    [Fact]
    public void Layers_that_cannot_be_are_refused_when_they_are_built_or_name_their_place()
    {
        Assert.Contains("groups must divide",
            Assert.Throws<AdjointException>(() => new Conv2d(4, 6, 3, new() { Groups = 4 })).Message,
            StringComparison.Ordinal);
        Assert.Contains(
            "Conv2d: stride, dilation and groups must be positive, padding not negative: found stride 0, dilation 1, " +
            "groups 1, padding 0", Assert.Throws<AdjointException>(() => new Conv2d(4, 6, 3, new() { Stride = 0 }))
            .Message, StringComparison.Ordinal);
        Assert.Contains("groups must divide the channels", Assert.Throws<AdjointException>(() => new GroupNorm(3, 4))
            .Message, StringComparison.Ordinal);
        Refused("larger than the input (1, 1, 2, 2) with padding 0", () => Tensor.Zeros(1, 1, 2, 2)
            .Conv2d(Tensor.Zeros(1, 1, 3, 3)));
        Refused("the padding must be from 0 to half of the window 2: found 2", () => Tensor.Zeros(1, 1, 4, 4)
            .MaxPool2d(2, padding: 2));
        Refused("the stride must be positive: found 0", () => new MaxPool2d(2, stride: 0));
        Refused("window and stride must be positive: found 0 and 1", () => new AvgPool2d(0, stride: 1));
        Refused("half of the window 3: found 2", () => new AvgPool2d(3, padding: 2));
        Refused("Conv1d: the groups must divide the channels: found 3 groups for 4 → 6",
            () => new Conv1d(4, 6, 3, new() { Groups = 3 }));
        Refused("Conv1d: stride, dilation and groups must be positive",
            () => new Conv1d(4, 6, 3, new() { Stride = 0 }));
        Refused("ConvTranspose2d: the output padding must be from 0 to below the stride 2: found 2",
            () => new ConvTranspose2d(4, 6, 3, new() { Stride = 2, OutputPadding = 2 }));
        Refused("ConvTranspose2d: the padding 3 leaves nothing", () => Tensor.Zeros(1, 1, 2, 2)
            .ConvTranspose2d(Tensor.Zeros(1, 1, 3, 3), padding: 3));
        Refused("the groups must divide the filters: found 2 groups for 3 filters, weights (3, 2, 1, 1)",
            () => Tensor.Zeros(1, 4, 2, 2).Conv2d(Tensor.Zeros(3, 2, 1, 1), groups: 2));
        Refused("AdaptiveAvgPool2d: the size must be positive: found 0", () => new AdaptiveAvgPool2d(0));
        Refused("Upsample: the factor must be positive", () => new Upsample(0));
        Refused("padding must be less than the axis: found 4", () => new ReflectionPad2d(4)
            .Forward(Tensor.Zeros(1, 1, 4, 4)));
        Refused("LayerNorm: the last axes of the input must be those of the scale (4,): found (2, 3)",
            () => new LayerNorm([4]).Forward(Tensor.Zeros(2, 3)));
    }

    [Theory, InlineData(true), InlineData(false)]
    public void An_input_that_does_not_fit_is_refused_with_path_both_shapes_and_rule(bool training)
    {
        void Check(string message, Layer model, params int[] shape) => Assert.Equal(
            message, Assert.Throws<AdjointException>(() => model.Train(training).Forward(Tensor.Zeros(shape))).Message);
        Check("layer 0 (Conv2d(3 → 6, 5)): Conv2d: an input (n, 3, h, w) is needed: found (1, 1, 32, 32) for weights " +
            "(6, 3, 5, 5); the channels must be the weights' second axis", new LeNetCifar(), 1, 1, 32, 32);
        Check("layer 7 (Linear(400 → 120)): Linear: an input (n, 400) is needed: found (1, 256) for weights (120, " +
            "400); the last axis must be the number of inputs", new LeNetCifar(), 1, 3, 28, 28);
        Check("layer 3 (Conv2d(6 → 16, 5)): Conv2d: a kernel 5×5 with dilation 1 is larger than the input (1, 6, 4, " +
            "4) with padding 0; use a smaller kernel or more padding", new LeNetCifar(), 1, 3, 12, 12);
        Check("layer 0 (Conv2d(4 → 6, 3, groups 2)): Conv2d: an input (n, 4, h, w) is needed: found (1, 5, 8, 8) for " +
            "weights (6, 2, 3, 3); the channels must be the weights' second axis times the 2 groups",
            new Sequential(new Conv2d(4, 6, 3, new() { Groups = 2 })), 1, 5, 8, 8);
        Check("layer 1 (BatchNorm(4)): BatchNorm: an input (n, 4, …) is needed: found (2, 3, 8, 8); the second axis " +
            "must be the number of channels", new Sequential(new Relu(), new BatchNorm(4)), 2, 3, 8, 8);
        Check("layer 0 (MaxPool2d(3)): MaxPool2d: a window 3 is larger than the input (1, 1, 2, 2) with padding 0; " +
            "use a smaller window", new Sequential(new MaxPool2d(3)), 1, 1, 2, 2);
        Check("layer 0 (ConvTranspose2d(4 → 6, 3)): ConvTranspose2d: an input (n, 4, h, w) is needed: found (1, 5, " +
            "8, 8) for weights (4, 6, 3, 3); the channels must be the weights' first axis",
            new Sequential(new ConvTranspose2d(4, 6, 3)), 1, 5, 8, 8);
    }

    [Fact]
    public void Modules_compute_what_the_methods_do_and_begin_as_PyTorch_documents()
    {
        Tensor Image(params int[] shape) => Tensor.Randn(shape, new Generator(4));
        void Same(Tensor expected, Layer module, Tensor x) =>
            Assert.Equal(expected.ToArray<float>(), module.Forward(x).ToArray<float>());
        var (x, line) = (Image(2, 4, 6, 5), Image(2, 4, 9));
        var one = new Conv1d(
            4, 6, 3, new() { Stride = 2, Padding = 1, Dilation = 2, Groups = 2, Generator = new Generator(1) });
        Same(line.Conv1d(one.Weight, one.Bias, 2, 1, 2, 2), one, line);
        var back = new ConvTranspose2d(
            4, 6, 3, new() { Stride = 2, Padding = 1, OutputPadding = 1, Groups = 2, Generator = new Generator(1) });
        Same(x.ConvTranspose2d(back.Weight, back.Bias, 2, 1, 1, groups: 2), back, x);
        Same(x.AdaptiveAvgPool2d((3, 2)), new AdaptiveAvgPool2d((3, 2)), x);
        Same(x.AvgPool2d(3, 2, 1, true), new AvgPool2d(3, 2, 1, ceilMode: true), x);
        Same(x.PadReflect((1, 2)), new ReflectionPad2d((1, 2)), x);
        Same(x.PadZero((1, 2)), new ZeroPad2d((1, 2)), x);
        Same(x.InterpolateNearest((12, 15)), new Upsample((2, 3)), x);
        Same(x.InterpolateBilinear((12, 15)), new Upsample((2, 3), bilinear: true), x);

        // U(−a, a) with a = 1/√fan-in: nothing beyond, variance a²/3.
        void Uniform(Tensor values, int fanIn)
        {
            var all = values.ToArray<float>();
            var a = 1 / Math.Sqrt(fanIn);
            Assert.InRange(all.Max(Math.Abs), 0.9 * a, a);
            Assert.Equal(a * a / 3, all.Average(value => (double)value * value), 0.1 * a * a / 3);
        }

        var random = new Generator(6);
        foreach (var (weight, bias, fanIn) in ((Tensor, Tensor, int)[])
        [
            (new Conv2d(8, 900, 3, new() { Groups = 2, Generator = random }) is var a ? a.Weight : null!, a.Bias!, 4
                * 9), (new Conv1d(8, 900, 3, new() { Generator = random }) is var b ? b.Weight : null!, b.Bias!, 8 * 3),
            // PyTorch's fan-in of a transposed convolution is that of the weights' second axis.
            (new ConvTranspose2d(8, 900, 3, new() { Groups = 2, Generator = random }) is var c ? c.Weight : null!,
                c.Bias!, 450 * 9), (new Linear(70, 900, generator: random) is var d ? d.Weight : null!, d.Bias!, 70),
        ])
        {
            Uniform(weight, fanIn);
            Uniform(bias, fanIn);
        }
        Assert.Equal(1, new Embedding(100, 90, random).Weight.ToArray<float>().Average(value => (double)value * value),
            0.06);
    }

    [Fact]
    public void The_last_batch_of_one_under_batch_norm_trains_without_NaN()
    {
        var data = new Adjoint.Data.TensorDataset("five", (int[])[1, 4, 4],
            [.. Enumerable.Range(0, 80).Select(i => MathF.Sin(i))], [0, 1, 0, 1, 1], ["a", "b"]);
        var model = new Sequential(new Conv2d(1, 3, 3, new() { Generator = new Generator(1) }), new BatchNorm(3),
            new Relu(), new MaxPool2d(2), new BatchNorm(3), new Flatten(),
            new Linear(3, 2, generator: new Generator(2)));
        var trainer = new Adjoint.Training.Trainer(model, new Sgd(model.Parameters(), 0.1, 0.9),
            new ClassificationTask(), new Adjoint.Data.DataLoader(data, 2), new Adjoint.Data.DataLoader(data, 2));
        var result = trainer.Fit(3);
        Assert.True(double.IsFinite(result.Final.TrainLoss!.Value + result.Final.ValidationLoss));
        Assert.All(model.StateDict().Values.SelectMany(value => value.ToArray<float>()),
            value => Assert.True(float.IsFinite(value)));
    }

    private static void Refused(string part, Action act) =>
        Assert.Contains(part, Assert.Throws<AdjointException>(act).Message, StringComparison.Ordinal);

    [Fact]
    public void Whitened_patches_are_uncorrelated_with_variance_1()
    {
        // Smooth images: neighbors are alike, so their patches are far from white.
        var images = Tensor.Randn([60, 3, 12, 12], new Generator(5)).AvgPool2d(3, stride: 1) * 2;
        var y = new SpeedNet(generator: new Generator(1), images: images)[0].Forward(images);
        Assert.Equal((Shape)(int[])[60, 24, 9, 9], y.Shape);
        var maps = y.Permute(1, 0, 2, 3).Contiguous().ToArray<float>().Chunk(60 * 81).ToArray();
        for (var i = 0; i < 12; i++)
        {
            Assert.Equal(maps[i].Select(value => -value), maps[12 + i]);
            for (var j = 0; j <= i; j++)
                Assert.Equal(i == j ? 1 : 0, maps[i].Zip(maps[j], (a, b) => (double)a * b).Average(), 0.02);
        }
        Assert.Contains("found (1, 2, 9, 9)",
            Assert.Throws<AdjointException>(() => new SpeedNet(images: Tensor.Zeros(1, 2, 9, 9))).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void The_fast_network_has_the_published_number_of_parameters_and_begins_as_the_identity()
    {
        var model = new SpeedNet(generator: new Generator(1));
        // Jordan 2024: 1.97 M. By hand: 9·(24·64 + 64·64 + 64·256 + 3·256·256) filters, 2·64 + 4·256 shifts, 24 of the
        // whitening, 2560 of the last layer.
        Assert.Equal(1_971_352, model.Parameters().Sum(parameter => parameter.Length));
        var x = Tensor.Randn([2, 24, 6, 6], new Generator(2));
        // The identity of the mathematics; a convolution by tiles rounds.
        Assert.All(
            x.ToArray<float>().Zip(model[2].Forward(x).Slice(1, 0, 24).Contiguous().ToArray<float>()),
            pair => Assert.Equal(pair.First, pair.Second, 1e-5f));
    }
}
