using Adjoint.Nn;

namespace Adjoint.Tests.Nn;

/// <summary>A row of the table of modules.</summary>
/// <param name="Name">That of the type.</param>
/// <param name="Create">Makes one.</param>
/// <param name="Input">The shape of an input without elements.</param>
/// <param name="Output">That of what comes out.</param>
/// <param name="IndexBelow">Of a module that takes indices: what they are below.</param>
internal sealed record ModuleCase(
    string Name, Func<Layer> Create, int[] Input, int[] Output, int IndexBelow = 0)
{
    /// <summary>Zeros; indices where the module takes some.</summary>
    internal Tensor Zeros() => IndexBelow > 0 ? Tensor.Zeros(Input, DType.Int64) : Tensor.Zeros(Input).RequireGrad();

    /// <summary>A batch of two in place of the empty one.</summary>
    internal Tensor Two(ulong seed)
    {
        var x = Tensor.Rand((int[])[2, .. Input[1..]], new Generator(seed));
        return IndexBelow > 0 ? (x * IndexBelow * 0.999).To(DType.Int64) : x * 2 - 1;
    }
}

/// <summary>The table of modules; what follows from a row is in <see cref="ModuleCasesTests"/>.</summary>
internal static class ModuleCases
{
    internal static IReadOnlyList<ModuleCase> All { get; } =
    [
        new("Linear", () => new Linear(3, 4), [0, 3], [0, 4]),
        new("Linear", () => new Linear(3, 4), [0, 5, 3], [0, 5, 4]),
        new("Linear", () => new Linear(3, 4, bias: false), [2, 0, 3], [2, 0, 4]),
        new("Mlp", () => new Mlp(12, [5], 2), [0, 3, 2, 2], [0, 2]),
        new("Flatten", () => new Flatten(), [0, 3, 4, 5], [0, 60]),
        new("Flatten", () => new Flatten(), [2, 0, 4, 5], [2, 0]),
        new("Sequential", () => new Sequential(new Flatten(), new Linear(8, 2), new Relu()), [0, 2, 4], [0, 2]),
        new("Conv1d", () => new Conv1d(2, 3, 3, new() { Padding = 1 }), [0, 2, 7], [0, 3, 7]),
        new("Conv2d", () => new Conv2d(2, 3, 3), [0, 2, 5, 6], [0, 3, 3, 4]),
        new("Conv2d", () => new Conv2d(16, 16, 3, new() { Padding = 1 }), [0, 16, 8, 8], [0, 16, 8, 8]),
        new("Conv2d", () => new Conv2d(4, 8, 5, new() { Stride = 2, Padding = 2, Groups = 2 }), [0, 4, 9, 9],
            [0, 8, 5, 5]),
        new("ConvTranspose2d", () => new ConvTranspose2d(2, 3, 3, new() { Stride = 2 }), [0, 2, 4, 4], [0, 3, 9, 9]),
        new("WhiteningConv2d", () => new WhiteningConv2d(2, 2), [0, 2, 4, 4], [0, 16, 3, 3]),
        new("BatchNorm", () => new BatchNorm(3), [0, 3], [0, 3]),
        new("BatchNorm", () => new BatchNorm(3), [0, 3, 4, 5], [0, 3, 4, 5]),
        new("BatchNorm", () => new BatchNorm(3), [2, 3, 0], [2, 3, 0]),
        new("GroupNorm", () => new GroupNorm(2, 4), [0, 4, 3, 3], [0, 4, 3, 3]),
        new("GroupNorm", () => new GroupNorm(2, 4), [2, 4, 0], [2, 4, 0]),
        new("InstanceNorm", () => new InstanceNorm(4), [0, 4, 3, 3], [0, 4, 3, 3]),
        new("InstanceNorm", () => new InstanceNorm(4, affine: true), [0, 4, 5], [0, 4, 5]),
        new("InstanceNorm", () => new InstanceNorm(4, affine: true), [2, 4, 0], [2, 4, 0]),
        new("LayerNorm", () => new LayerNorm([5]), [0, 5], [0, 5]),
        new("RmsNorm", () => new RmsNorm([5]), [0, 2, 5], [0, 2, 5]),
        new("MaxPool2d", () => new MaxPool2d(2), [0, 2, 4, 6], [0, 2, 2, 3]),
        new("MaxPool2d", () => new MaxPool2d(3, 2, 1, ceilMode: true), [0, 2, 4, 5], [0, 2, 3, 3]),
        new("AvgPool2d", () => new AvgPool2d(2), [0, 2, 4, 6], [0, 2, 2, 3]),
        new("AvgPool2d", () => new AvgPool2d(3, 2, 1, ceilMode: true), [0, 2, 4, 5], [0, 2, 3, 3]),
        new("AdaptiveAvgPool2d", () => new AdaptiveAvgPool2d(2), [0, 2, 4, 6], [0, 2, 2, 2]),
        new("AdaptiveAvgPool2d", () => new AdaptiveAvgPool2d(3), [0, 2, 4, 2], [0, 2, 3, 3]),
        new("GlobalAvgPool2d", () => new GlobalAvgPool2d(), [0, 2, 4, 6], [0, 2]),
        new("Upsample", () => new Upsample(2), [0, 2, 3, 4], [0, 2, 6, 8]),
        new("Upsample", () => new Upsample(2, bilinear: true), [0, 2, 3, 4], [0, 2, 6, 8]),
        new("ZeroPad2d", () => new ZeroPad2d(1), [0, 2, 3, 4], [0, 2, 5, 6]),
        new("ReflectionPad2d", () => new ReflectionPad2d(1), [0, 2, 3, 4], [0, 2, 5, 6]),
        new("Dropout", () => new Dropout(), [0, 3], [0, 3]),
        new("SqueezeExcitation", () => new SqueezeExcitation(8, 2, gate: new HardSigmoid()), [0, 8, 4, 3],
            [0, 8, 4, 3]),
        new("Dropout2d", () => new Dropout2d(), [0, 3, 4, 4], [0, 3, 4, 4]),
        new("StochasticDepth", () => new StochasticDepth(0.5), [0, 3, 4], [0, 3, 4]),
        new("Sigmoid", () => new Sigmoid(), [0, 3], [0, 3]),
        new("Relu", () => new Relu(), [0, 3], [0, 3]),
        new("Relu6", () => new Relu6(), [0, 3], [0, 3]),
        new("HardSigmoid", () => new HardSigmoid(), [0, 3], [0, 3]),
        new("HardSwish", () => new HardSwish(), [0, 3], [0, 3]),
        new("Tanh", () => new Tanh(), [0, 3], [0, 3]),
        new("Gelu", () => new Gelu(), [0, 3], [0, 3]),
        new("Silu", () => new Silu(), [0, 3], [0, 3]),
        new("Softplus", () => new Softplus(), [0, 3], [0, 3]),
        new("LeakyRelu", () => new LeakyRelu(), [0, 3], [0, 3]),
        new("Elu", () => new Elu(), [0, 3], [0, 3]),
        new("Softmax", () => new Softmax(), [0, 3], [0, 3]),
        new("Softmax", () => new Softmax(), [2, 0], [2, 0]),
        new("Scale", () => new Scale(2), [0, 3], [0, 3]),
        new("Standardize", () => new Standardize(3), [0, 3, 2], [0, 3, 2]),
        new("Rescale", () => new Rescale(3), [0, 3, 2], [0, 3, 2]),
        new("LeNet5", () => new LeNet5(), [0, 1, 28, 28], [0, 10]),
        new("LeNetCifar", () => new LeNetCifar(), [0, 3, 32, 32], [0, 10]),
        new("CifarResNet", () => new CifarResNet(8), [0, 3, 32, 32], [0, 10]),
        new("ResidualBlock", () => new ResidualBlock(4, 8, 2), [0, 4, 8, 8], [0, 8, 4, 4]),
        new("SpeedNet", () => new SpeedNet(), [0, 3, 32, 32], [0, 10]),
        new("ConvNext", () => new ConvNext(new()
        {
            Depths = [1, 2], Widths = [4, 6], Classes = 3, Channels = 2, StochasticDepth = 0.2, LayerScale = 0.5,
        }), [0, 2, 16, 9], [0, 3]),
        new("VisionTransformer", () => new VisionTransformer(new()
        {
            ImageSize = 9, Patch = 3, Layers = 2, Heads = 2, Width = 4, FeedForward = 6, Classes = 3, Channels = 2,
            Dropout = 0.1, AttentionDropout = 0.2,
        }), [0, 2, 9, 9], [0, 3]),
        new("ResNet", () => VisionModels.ResNet18(10, width: 2), [0, 3, 33, 32], [0, 10]),
        new("ResNet", () => VisionModels.ResNet50(10, 1, width: 2), [0, 1, 32, 32], [0, 10]),
        new("Vgg", () => VisionModels.Vgg11(10, width: 1), [0, 3, 32, 32], [0, 10]),
        new("Vgg", () => VisionModels.Vgg13Bn(10, 1, width: 1), [0, 1, 32, 32], [0, 10]),
        new("SqueezeNet", () => VisionModels.SqueezeNet10(10, 1), [0, 1, 31, 31], [0, 10]),
        new("SqueezeNet", () => VisionModels.SqueezeNet11(10), [0, 3, 31, 31], [0, 10]),
        new("ShuffleNetV2", () => VisionModels.ShuffleNetV2X05(10), [0, 3, 32, 32], [0, 10]),
        new("MobileNetV2", () => VisionModels.MobileNetV2(10, width: 0.25), [0, 3, 32, 32], [0, 10]),
        new("MobileNetV3", () => VisionModels.MobileNetV3Small(10, width: 0.25), [0, 3, 32, 32], [0, 10]),
        new("EfficientNet", () => VisionModels.EfficientNetB0(10, width: 0.25), [0, 3, 32, 32], [0, 10]),
        new("Rnn", () => new Rnn(3, 4, new() { Layers = 2 }), [0, 5, 3], [0, 5, 4]),
        new("Gru", () => new Gru(3, 4, new() { Layers = 2, IsBidirectional = true }), [0, 5, 3], [0, 5, 8]),
        new("Lstm", () => new Lstm(3, 4, new() { IsBidirectional = true, Projection = 2 }), [0, 5, 3], [0, 5, 4]),
        new("Lstm", () => new Lstm(3, 4), [2, 0, 3], [2, 0, 4]),
        new("LstmLanguageModel", () => new LstmLanguageModel(5, 4, dropout: 0.5), [0, 3], [0, 3, 5], IndexBelow: 5),
        new("Embedding", () => new Embedding(5, 2), [0], [0, 2], IndexBelow: 5),
        new("Embedding", () => new Embedding(5, 2), [0, 4], [0, 4, 2], IndexBelow: 5),
        new("Embedding", () => new Embedding(5, 2), [3, 0], [3, 0, 2], IndexBelow: 5),
        new("MultiHeadAttention", () => new MultiHeadAttention(8, 2), [0, 3, 8], [0, 3, 8]),
        new("MultiHeadAttention", () => new MultiHeadAttention(8, 2), [2, 0, 8], [2, 0, 8]),
        new("MultiHeadAttention", () => new MultiHeadAttention(16, 4, new()
        {
            KeyValueHeads = 2, HasBias = false, Dropout = 0.1, RotaryTheta = 500, HasAlibi = true,
        }), [0, 5, 16], [0, 5, 16]),
        new("LearnedPositions", () => new LearnedPositions(4, 3), [0, 4, 3], [0, 4, 3]),
        new("LearnedPositions", () => new LearnedPositions(4, 3), [2, 0, 3], [2, 0, 3]),
        new("SinusoidalPositions", () => new SinusoidalPositions(4, 3), [0, 2, 3], [0, 2, 3]),
        new("TransformerEncoderLayer", () => new TransformerEncoderLayer(8, 2), [0, 3, 8], [0, 3, 8]),
        new("TransformerEncoderLayer", () => new TransformerEncoderLayer(8, 2, new()
        {
            FeedForward = 5, Dropout = 0, Activation = FeedForwardActivation.Silu, IsPreNorm = true,
            Norm = NormKind.Rms, Epsilon = 1e-4, KeyValueHeads = 1, RotaryTheta = 100, HasAlibi = true,
        }), [0, 3, 8], [0, 3, 8]),
        new("TransformerEncoder", () => new TransformerEncoder(8, 2, 2, new() { HasFinalNorm = true }), [0, 3, 8],
            [0, 3, 8]),
        new("Gpt", () => new Gpt(new() { Vocabulary = 5, Context = 3, Width = 8, Heads = 2, Layers = 2 }), [0, 3],
            [0, 3, 5], IndexBelow: 5),
        new("Gpt", () => new Gpt(new()
        {
            Vocabulary = 5, Width = 8, Heads = 2, Layers = 1, KeyValueHeads = 1, FeedForward = 6, Dropout = 0.1,
            Positions = PositionKind.Rotary, RotaryTheta = 500, Norm = NormKind.Rms, IsTied = false,
            Activation = FeedForwardActivation.GeluTanh, Epsilon = 1e-4,
        }), [0, 4], [0, 4, 5], IndexBelow: 5),
        new("BertClassifier", () => new BertClassifier(3, new()
        {
            Vocabulary = 5, Context = 6, Types = 3, Width = 8, Heads = 2, Layers = 2, FeedForward = 10,
            Activation = FeedForwardActivation.GeluTanh, Dropout = 0.2, AttentionDropout = 0.3, Epsilon = 1e-6,
        }), [0, 4], [0, 3], IndexBelow: 5),
    ];
}
