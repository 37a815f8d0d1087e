using Adjoint.Nn;
using Adjoint.Optim;

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
        Assert.Equal((Shape)(int[])[2, 10], new LeNet5(generator: new Generator(1)).Forward(Tensor.Zeros(2, 1, 28, 28)).Shape);
        foreach (var (layers, millions) in ((int, double)[])[(20, 0.27), (32, 0.46), (44, 0.66), (56, 0.85)])
            Assert.Equal(millions, new ResNet(layers, generator: new Generator(1)).Parameters().Sum(parameter => (double)parameter.Length) / 1e6, 0.01);
        Assert.Equal((Shape)(int[])[2, 10], new ResNet(20, generator: new Generator(1)).Forward(Tensor.Randn([2, 3, 32, 32], new Generator(2))).Shape);
        Assert.Contains("6n + 2", Assert.Throws<AdjointException>(() => new ResNet(21)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Gradients_of_a_small_residual_network_agree_with_finite_differences()
    {
        // Smooth activations: ReLU's kinks have no finite difference.
        Tensor Network(Tensor[] t)
        {
            var x = t[0].Conv2d(t[1], padding: 1).BatchNorm(t[2], t[3]).Gelu();
            var shortcut = x.Slice(2, 0, 2, 2).Slice(3, 0, 2, 2).PadAxis(1, 1, 0);
            var y = x.Conv2d(t[4], stride: 2, padding: 1).BatchNorm(t[5], t[6]).Gelu().Conv2d(t[7], padding: 1) + shortcut;
            return Loss.CrossEntropy(y.GlobalAvgPool2d().MatMul(t[8]), Tensor.From(new long[] { 1, 0, 2 }));
        }

        Tensor Values(ulong seed, params int[] shape) => Tensor.Randn(shape, new Generator(seed), DType.Float64);
        var result = GradCheck.Run(Network, [Values(1, 3, 2, 4, 4), Values(2, 2, 2, 3, 3), Values(3, 2), Values(4, 2), Values(5, 3, 2, 3, 3), Values(6, 3), Values(7, 3), Values(8, 3, 3, 3, 3), Values(9, 3, 3)]);
        Assert.True(result.Passed && result.Comparisons > 200, $"{result}");
    }

    [Theory, InlineData("lenet"), InlineData("resnet20"), InlineData("speednet")]
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
                var (x, y) = (Tensor.Randn([4, 3, 32, 32], new Generator((ulong)i)), Tensor.From(new long[] { 1, 2, 3, i }));
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
            var (norm, dropout) = (new BatchNorm(6), new Dropout(0.5, new Generator(3)));
            Tensor LossOf(Tensor x, Tensor y) => dropout.Forward(norm.Forward(x)).Sum();
            var step = CapturedStep.Create(LossOf, norm.Parameters(), fallBackToEager: true);
            for (var i = 0; i < 4; i++)
            {
                var x = Tensor.Randn([40, 6], new Generator((ulong)i));
                if (captured) step.Run(x, x);
                else LossOf(x, x).Backward();
            }
            Assert.False(step.IsCaptured);
            return [.. norm.NamedBuffers().SelectMany(buffer => buffer.Value.ToArray<float>())];
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
            Assert.Equal(0.75 + 0.25 * channel.Sum(v => (v - mean) * (v - mean)) / 2, state["running_var"].ToArray<float>()[c], 1e-3);
        }
        norm.Eval();
        var (running, variance) = (state["running_mean"].ToArray<float>()[0], state["running_var"].ToArray<float>()[0]);
        Assert.Equal((2 - running) / Math.Sqrt(variance + 1e-5), norm.Forward(x).ToArray<float>()[2], 1e-5);
        var other = new BatchNorm(2);
        other.LoadStateDict(state);
        Assert.Equal(norm.Forward(x).ToArray<float>(), ((BatchNorm)other.Eval()).Forward(x).ToArray<float>());
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
        Assert.Contains("groups must divide", Assert.Throws<AdjointException>(() => new Conv2d(4, 6, 3, groups: 4)).Message, StringComparison.Ordinal);
        Assert.Contains("stride and dilation must be positive", Assert.Throws<AdjointException>(() => new Conv2d(4, 6, 3, stride: 0)).Message, StringComparison.Ordinal);
        Assert.Contains("groups must divide the channels", Assert.Throws<AdjointException>(() => new GroupNorm(3, 4)).Message, StringComparison.Ordinal);
        Assert.Contains("larger than the input 2×2", Assert.Throws<AdjointException>(() => Tensor.Zeros(1, 1, 2, 2).Conv2d(Tensor.Zeros(1, 1, 3, 3))).Message, StringComparison.Ordinal);
        var error = Assert.Throws<AdjointException>(() => new LeNetCifar().Forward(Tensor.Zeros(1, 1, 32, 32)));
        Assert.Equal("layer 0 (Conv2d(3 → 6, 5)): Conv2d: the input has 1 channels, the weight (6, 3, 5, 5) with 1 groups needs 3, and filters that 1 divides", error.Message);
        Assert.Contains("half of the kernel", Assert.Throws<AdjointException>(() => Tensor.Zeros(1, 1, 4, 4).MaxPool2d(2, padding: 2)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Whitened_patches_are_uncorrelated_with_variance_1()
    {
        // Smooth images: neighbours are alike, so their patches are far from white.
        var images = Tensor.Randn([60, 3, 12, 12], new Generator(5)).AvgPool2d(3, stride: 1) * 2;
        var y = new SpeedNet(generator: new Generator(1), images: images).Children[0].Value.Forward(images);
        Assert.Equal((Shape)(int[])[60, 24, 9, 9], y.Shape);
        var maps = y.Permute(1, 0, 2, 3).Contiguous().ToArray<float>().Chunk(60 * 81).ToArray();
        for (var i = 0; i < 12; i++)
        {
            Assert.Equal(maps[i].Select(value => -value), maps[12 + i]);
            for (var j = 0; j <= i; j++)
                Assert.Equal(i == j ? 1 : 0, maps[i].Zip(maps[j], (a, b) => (double)a * b).Average(), 0.02);
        }
        Assert.Contains("found (1, 2, 9, 9)", Assert.Throws<AdjointException>(() => new SpeedNet(images: Tensor.Zeros(1, 2, 9, 9))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_fast_network_has_the_published_number_of_parameters_and_begins_as_the_identity()
    {
        var model = new SpeedNet(generator: new Generator(1));
        // Jordan 2024: 1.97 M. By hand: 9·(24·64 + 64·64 + 64·256 + 3·256·256) filters, 2·64 + 4·256 shifts, 24 of the whitening, 2560 of the last layer.
        Assert.Equal(1_971_352, model.Parameters().Sum(parameter => parameter.Length));
        var x = Tensor.Randn([2, 24, 6, 6], new Generator(2));
        Assert.Equal(x.ToArray<float>(), model.Children[2].Value.Forward(x).Slice(1, 0, 24).Contiguous().ToArray<float>());
    }
}
