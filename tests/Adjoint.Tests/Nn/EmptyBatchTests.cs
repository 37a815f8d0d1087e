using Adjoint.Nn;
using Adjoint.Tests.Ops;

namespace Adjoint.Tests.Nn;

/// <summary>A batch of nothing passes every layer and op, forward and backward, as in PyTorch: an empty result,
/// gradients of 0.</summary>
public class EmptyBatchTests
{
    private static readonly (string Name, Func<Layer> Create, int[] Input, int[] Output)[] Modules =
    [
        ("Linear", () => new Linear(3, 4), [0, 3], [0, 4]),
        ("Linear", () => new Linear(3, 4), [0, 5, 3], [0, 5, 4]),
        ("Linear", () => new Linear(3, 4, bias: false), [2, 0, 3], [2, 0, 4]),
        ("Mlp", () => new Mlp(12, [5], 2), [0, 3, 2, 2], [0, 2]),
        ("Flatten", () => new Flatten(), [0, 3, 4, 5], [0, 60]),
        ("Flatten", () => new Flatten(), [2, 0, 4, 5], [2, 0]),
        ("Sequential", () => new Sequential(new Flatten(), new Linear(8, 2), new Relu()), [0, 2, 4], [0, 2]),
        ("Conv1d", () => new Conv1d(2, 3, 3, padding: 1), [0, 2, 7], [0, 3, 7]),
        ("Conv2d", () => new Conv2d(2, 3, 3), [0, 2, 5, 6], [0, 3, 3, 4]),
        ("Conv2d", () => new Conv2d(16, 16, 3, padding: 1), [0, 16, 8, 8], [0, 16, 8, 8]),
        ("Conv2d", () => new Conv2d(4, 8, 5, 2, 2, groups: 2), [0, 4, 9, 9], [0, 8, 5, 5]),
        ("ConvTranspose2d", () => new ConvTranspose2d(2, 3, 3, 2), [0, 2, 4, 4], [0, 3, 9, 9]),
        ("WhiteningConv2d", () => new WhiteningConv2d(2, 2), [0, 2, 4, 4], [0, 16, 3, 3]),
        ("BatchNorm", () => new BatchNorm(3), [0, 3], [0, 3]),
        ("BatchNorm", () => new BatchNorm(3), [0, 3, 4, 5], [0, 3, 4, 5]),
        ("BatchNorm", () => new BatchNorm(3), [2, 3, 0], [2, 3, 0]),
        ("GroupNorm", () => new GroupNorm(2, 4), [0, 4, 3, 3], [0, 4, 3, 3]),
        ("GroupNorm", () => new GroupNorm(2, 4), [2, 4, 0], [2, 4, 0]),
        ("LayerNorm", () => new LayerNorm([5]), [0, 5], [0, 5]),
        ("RmsNorm", () => new RmsNorm([5]), [0, 2, 5], [0, 2, 5]),
        ("MaxPool2d", () => new MaxPool2d(2), [0, 2, 4, 6], [0, 2, 2, 3]),
        ("MaxPool2d", () => new MaxPool2d(3, 2, 1, ceil: true), [0, 2, 4, 5], [0, 2, 3, 3]),
        ("AvgPool2d", () => new AvgPool2d(2), [0, 2, 4, 6], [0, 2, 2, 3]),
        ("AvgPool2d", () => new AvgPool2d(3, 2, 1, ceil: true), [0, 2, 4, 5], [0, 2, 3, 3]),
        ("AdaptiveAvgPool2d", () => new AdaptiveAvgPool2d(2), [0, 2, 4, 6], [0, 2, 2, 2]),
        ("AdaptiveAvgPool2d", () => new AdaptiveAvgPool2d(3), [0, 2, 4, 2], [0, 2, 3, 3]),
        ("GlobalAvgPool2d", () => new GlobalAvgPool2d(), [0, 2, 4, 6], [0, 2]),
        ("Upsample", () => new Upsample(2), [0, 2, 3, 4], [0, 2, 6, 8]),
        ("Upsample", () => new Upsample(2, bilinear: true), [0, 2, 3, 4], [0, 2, 6, 8]),
        ("ZeroPad2d", () => new ZeroPad2d(1), [0, 2, 3, 4], [0, 2, 5, 6]),
        ("ReflectionPad2d", () => new ReflectionPad2d(1), [0, 2, 3, 4], [0, 2, 5, 6]),
        ("Dropout", () => new Dropout(), [0, 3], [0, 3]),
        ("Dropout2d", () => new Dropout2d(), [0, 3, 4, 4], [0, 3, 4, 4]),
        ("Sigmoid", () => new Sigmoid(), [0, 3], [0, 3]),
        ("Relu", () => new Relu(), [0, 3], [0, 3]),
        ("Tanh", () => new Tanh(), [0, 3], [0, 3]),
        ("Gelu", () => new Gelu(), [0, 3], [0, 3]),
        ("Silu", () => new Silu(), [0, 3], [0, 3]),
        ("Softplus", () => new Softplus(), [0, 3], [0, 3]),
        ("LeakyRelu", () => new LeakyRelu(), [0, 3], [0, 3]),
        ("Elu", () => new Elu(), [0, 3], [0, 3]),
        ("Softmax", () => new Softmax(), [0, 3], [0, 3]),
        ("Softmax", () => new Softmax(), [2, 0], [2, 0]),
        ("Scale", () => new Scale(2), [0, 3], [0, 3]),
        ("Standardize", () => new Standardize(3), [0, 3, 2], [0, 3, 2]),
        ("LeNet5", () => new LeNet5(), [0, 1, 28, 28], [0, 10]),
        ("LeNetCifar", () => new LeNetCifar(), [0, 3, 32, 32], [0, 10]),
        ("ResNet", () => new ResNet(8), [0, 3, 32, 32], [0, 10]),
        ("ResidualBlock", () => new ResidualBlock(4, 8, 2), [0, 4, 8, 8], [0, 8, 4, 4]),
        ("SpeedNet", () => new SpeedNet(), [0, 3, 32, 32], [0, 10]),
    ];

    public static TheoryData<int, string> ModuleRows() => [.. Modules.Select((row, i) => (i, row.Name))];

    [Theory, MemberData(nameof(ModuleRows))]
    public void Every_module_takes_an_empty_batch(int row, string name)
    {
        var (_, create, input, output) = Modules[row];
        foreach (var training in (bool[])[true, false])
        {
            var module = create();
            module.Train(training);
            var buffers = module.StateDict().ToDictionary(entry => entry.Key, entry => entry.Value.ToArray<float>());
            var x = Tensor.Zeros(input).RequireGrad();
            var y = module.Forward(x);
            Assert.Equal((Shape)output, y.Shape);
            y.Sum().Backward();
            Assert.Equal(x.Shape, x.Grad!.Shape);
            foreach (var (parameter, value) in module.NamedParameters())
                Assert.True(value.Grad is { } gradient && gradient.ToArray<float>().All(g => g == 0),
                    $"{name}: gradient of {parameter}");
            foreach (var (key, value) in module.StateDict()) Assert.Equal(buffers[key], value.ToArray<float>());
        }
    }

    [Fact]
    public void Every_module_has_a_row()
    {
        var names =
            from type in typeof(Module).Assembly.GetExportedTypes()
            where type.IsSubclassOf(typeof(Layer)) && !type.IsAbstract && type != typeof(Embedding)
            select type.Name;
        Assert.Equal([], names.Except(Modules.Select(row => row.Name)));
    }

    [Fact]
    public void An_embedding_of_nothing_has_the_shape_of_its_rows()
    {
        foreach (var sizes in (int[][])[[0], [0, 4], [3, 0]])
        {
            var embedding = new Embedding(5, 2);
            var y = embedding.Forward(Tensor.Zeros(sizes, DType.Int64));
            Assert.Equal((Shape)(int[])[.. sizes, 2], y.Shape);
            y.Sum().Backward();
            Assert.All(embedding.Weight.Grad!.ToArray<float>(), g => Assert.Equal(0, g));
        }
    }

    private static readonly Tensor Labels = Tensor.Zeros([0], DType.Int64);

    [Fact]
    public void Means_of_nothing_are_NaN_and_folds_their_identity()
    {
        var x = Tensor.Zeros(0, 3);
        Assert.True(double.IsNaN(x.Mean().Item()));
        Assert.True(double.IsNaN(Loss.CrossEntropy(x, Labels).Item()));
        Assert.True(double.IsNaN(Loss.Mse(x, x).Item()));
        Assert.Equal(0, x.Sum().Item());
        Assert.Equal([float.NegativeInfinity, float.NegativeInfinity, float.NegativeInfinity],
            x.LogSumExp(0).ToArray<float>());
        Assert.Equal(0, x.ArgMax(1).Length);
        Assert.Throws<AdjointException>(() => x.Max(0));
        Assert.Throws<AdjointException>(() => x.ArgMax(0));
    }

    [Fact]
    public void Empty_views_are_copied_wherever_they_begin()
    {
        foreach (var type in (DType[])[DType.Float32, DType.Float64, DType.Int64, DType.Bool])
        {
            var (none, some) = (Tensor.Zeros([0, 3], type), Tensor.Zeros([30, 50], type));
            foreach (var view in (Tensor[])[none[.., 2..], none.Slice(1, 2, 1), none.Transpose(), some[30..],
                some[25..25, 3..8], some[.., 50..], some[30.., 49..].Transpose(), none[.., 1].Unsqueeze(0)])
            {
                Assert.Equal(0, view.Length);
                Assert.Equal(view.Shape, view.Clone().Shape);
                Assert.Equal(view.Shape, view.Contiguous().Shape);
                Assert.Equal(view.Shape, view.IndexSelect(0).Concat(view).Shape);
                Assert.Contains("shape", view.ToString(), StringComparison.Ordinal);
                view.Fill(1);
            }
        }
        Assert.Empty(Tensor.Zeros(0, 3)[.., 2..].ToArray<float>());
    }

    [Fact]
    public void Images_without_rows_or_columns_are_refused_by_name()
    {
        foreach (var x in (Tensor[])[Tensor.Zeros(1, 2, 0, 4), Tensor.Zeros(1, 2, 4, 0)])
        {
            foreach (var call in (Func<object>[])[() => x.MaxPool2d(2, padding: 1), () => x.AvgPool2d(2, padding: 1),
                () => x.AdaptiveAvgPool2d(2), () => x.InterpolateNearest(2), () => x.InterpolateBilinear(2)])
                Assert.Contains($"found {x.Shape}", Assert.Throws<AdjointException>(call).Message,
                    StringComparison.Ordinal);
            Assert.Contains("larger than the input", Assert.Throws<AdjointException>(() => x.Conv2d(Tensor.Zeros(1, 2,
                3, 3))).Message, StringComparison.Ordinal);
        }
    }
}

file static class TensorMethods
{
    internal static Tensor Concat(this Tensor first, Tensor second) => Tensor.Concat([first, second]);
}
