using Adjoint.Tests.Autograd;

namespace Adjoint.Tests.Sizes;

/// <summary>Rows of <see cref="SizeArgumentTests"/>: tensors, ops and their memory.</summary>
internal static class TensorSizeArguments
{
    private static readonly Tensor X = Tensor.Randn([1, 2, 5, 5], new Generator(1));
    private static readonly Tensor Y = Tensor.Randn([1, 1, 5, 5], new Generator(2));
    private static readonly Tensor W = Tensor.Randn([2, 2, 3, 3], new Generator(3));
    private static readonly Tensor W2 = Tensor.Randn([2, 1, 3, 3], new Generator(4));

    internal static (string Member, Func<int, object?> Call)[] Rows { get; } =
    [
        ("Shape.Create", n => Shape.Create([n])),
        ("Shape.Create", n => Shape.Create([n, n])),
        ("Shape.Create", n => Shape.Create([0, n, n, n])),
        ("Shape.Create", n => Shape.Create([n, n, n, 0])),
        ("Shape.op_Implicit", n => (Shape)(int[])[n, 3]),
        ("Shape.get_Item", n => Shape.Create([2, 3])[n]),
        ("OpInputs.get_Item", n => Y.Clone().RequireGrad().Exp().Source!.Inputs[n]),
        ("Shape.Equals", n => Shape.Create([2]).Equals(Shape.Create([n]))),
        ("TensorMethods.Zeros", n => Tensor.Zeros(n)),
        ("TensorMethods.Zeros", n => Tensor.Zeros(n, n)),
        ("TensorMethods.Zeros", n => Tensor.Zeros([SizeArgumentTests.Extreme(n)], DType.Bool)),
        ("TensorMethods.Zeros", n => Tensor.Zeros([0, n, n], DType.Int64)),
        ("TensorMethods.Ones", n => Tensor.Ones(n)),
        ("TensorMethods.Full", n => Tensor.Full([n], 2)),
        ("TensorMethods.Rand", n => Tensor.Rand(n)),
        ("TensorMethods.Rand", n => Tensor.Rand([n], new Generator(1))),
        ("TensorMethods.Randn", n => Tensor.Randn(n)),
        ("TensorMethods.Randn", n => Tensor.Randn([n], new Generator(1))),
        ("TensorMethods.Bernoulli", n => Tensor.Bernoulli([n], 0.5, new Generator(1))),
        ("TensorMethods.Arange", n => Tensor.Arange(n)),
        ("TensorMethods.Arange", n => Tensor.Arange(0, n * 1e9)),
        ("TensorMethods.Arange", n => Tensor.Arange(n, 5, -1e-9)),
        ("TensorMethods.Arange", n => Tensor.Arange(-double.MaxValue, double.MaxValue, n)),
        ("TensorMethods.Eye", n => Tensor.Eye(n)),
        ("TensorMethods.Eye", n => Tensor.Eye(3, n)),
        ("TensorMethods.Eye", n => Tensor.Eye(n, 3, DType.Bool)),
        ("Tensor.From", n => Tensor.From(new float[4], n, 4)),
        ("Tensor.From", n => Tensor.From((ReadOnlySpan<float>)[1, 2], 2, n)),
        ("Tensor.From", n => Tensor.From(new float[2].AsMemory(), 2, n)),
        ("Tensor.From", n => Tensor.From((ReadOnlyMemory<float>)new float[2], 2, n)),
        ("Tensor.ItemAt", n => X.ItemAt(0, 0, n, 0)),
        ("AxisIndex.op_Implicit", n => X[n]),
        ("AxisIndex.op_Implicit", n => X[0, n]),
        ("AxisIndex.op_Implicit", n => X[Math.Max(0, n)..]),
        ("AxisIndex.op_Implicit", n => X[^Math.Max(0, n)]),
        ("AxisIndex.op_Implicit", n => X[..Math.Max(0, n), 0]),
        ("AxisIndex.op_Implicit", n => Tensor.Ones(1).Expand(int.MaxValue)[n]),
        ("ViewLayout", n => Op.Apply(new OwnViewTests.Look(new([n], n)), X)),
        ("ViewLayout", n => Op.Apply(new OwnViewTests.Look(new([n, 2], [n, n], n)), X)),
        ("TensorMethods.Reshape", n => X.Reshape(n)),
        ("TensorMethods.Reshape", n => X.Reshape(n, -1)),
        ("TensorMethods.Reshape", n => X.Reshape(n, n, n, 0)),
        ("TensorMethods.Flatten", n => X.Flatten(n)),
        ("TensorMethods.Squeeze", n => X.Squeeze(n)),
        ("TensorMethods.Unsqueeze", n => X.Unsqueeze(n)),
        ("TensorMethods.Expand", n => Tensor.Ones(1, 1).Expand(n, n)),
        ("TensorMethods.Expand", n => Tensor.Ones(1).Expand(n).Clone()),
        ("TensorMethods.Expand", n => Tensor.Ones(1).Expand(SizeArgumentTests.Extreme(n)).ToArray<float>().Length),
        ("TensorMethods.Expand", n => Tensor.Ones(1).Expand(n) + 1),
        ("TensorMethods.Expand", n => Tensor.Ones(1).Expand(n).Sum()),
        ("TensorMethods.Expand", n => Tensor.Ones(1).Expand(n).ArgMax()),
        ("TensorMethods.Permute", n => X.Permute(0, 1, 2, n)),
        ("TensorMethods.Transpose", n => X.Transpose(n)),
        ("TensorMethods.Transpose", n => X.Transpose(0, n)),
        ("TensorMethods.Slice", n => X.Slice(n, 0, 1)),
        ("TensorMethods.Slice", n => X.Slice(2, n, 1).Clone()),
        ("TensorMethods.Slice", n => X.Slice(2, 0, n)),
        ("TensorMethods.Slice", n => X.Slice(2, 0, 1, n).Clone()),
        ("TensorMethods.Slice", n => X.Slice(2, 1, 2, n).Clone()),
        ("TensorMethods.Slice", n => Through(x => x.Slice(2, 0, 1, n))),
        ("TensorMethods.ChannelShuffle", n => X.ChannelShuffle(n)),
        ("TensorMethods.Split", n => X.Split(n, 2)),
        ("TensorMethods.Split", n => X.Split(2, n)),
        ("TensorMethods.Split", n => X.Split([n, n, 5], 2)),
        ("TensorMethods.Chunk", n => X.Chunk(n, 2)),
        ("TensorMethods.Chunk", n => X.Chunk(2, n)),
        ("TensorMethods.TopK", n => X.TopK(n)),
        ("TensorMethods.TopK", n => X.TopK(2, n)),
        ("TensorMethods.Sort", n => X.Sort(n)),
        ("TensorMethods.Select", n => X.Select(n, 0)),
        ("TensorMethods.Select", n => X.Select(2, n)),
        ("TensorMethods.Concat", n => Tensor.Concat([X, X], n)),
        ("TensorMethods.Stack", n => Tensor.Stack([X, X], n)),
        ("TensorMethods.Concat", n => Tensor.Concat([Tensor.Ones(1).Expand(n), Tensor.Ones(1).Expand(n)])),
        ("TensorMethods.Concat", n => Tensor.Concat([Tensor.Zeros(0, 1).Expand(0, n), Tensor.Zeros(0, 1).Expand(0, n)],
            1)),
        ("TensorMethods.CumSum", n => X.CumSum(n)),
        ("TensorMethods.Sum", n => X.Sum(n)),
        ("TensorMethods.Any", n => X.Any(n)),
        ("TensorMethods.All", n => X.All(n)),
        ("TensorMethods.Mean", n => X.Mean(n)),
        ("TensorMethods.Var", n => X.Var(n)),
        ("TensorMethods.Var", n => X.Var(2, correction: n)),
        ("TensorMethods.LogSumExp", n => X.LogSumExp(n)),
        ("TensorMethods.Max", n => X.Max(n)),
        ("TensorMethods.Min", n => X.Min(n)),
        ("TensorMethods.Softmax", n => X.Softmax(n)),
        ("TensorMethods.LogSoftmax", n => X.LogSoftmax(n)),
        ("TensorMethods.Normalize", n => X.Normalize(n)),
        ("TensorMethods.ArgMax", n => X.ArgMax(n)),
        ("TensorMethods.ArgMin", n => X.ArgMin(n)),
        ("TensorMethods.Gather", n => X.Gather(n, Tensor.Zeros([1, 2, 5, 5], DType.Int64))),
        ("TensorMethods.Gather", n => X.Gather(3, Tensor.Full([1, 2, 5, 5], n, DType.Int64))),
        ("TensorMethods.IndexSelect", n => X.IndexSelect(n, 0)),
        ("TensorMethods.IndexSelect", n => X.IndexSelect(2, n)),
        ("TensorMethods.PadZero", n => X.PadZero(n)),
        ("TensorMethods.PadZero", n => X.PadZero((n, 0))),
        ("TensorMethods.PadReflect", n => X.PadReflect(n)),
        ("TensorMethods.PadReflect", n => Tensor.Ones(1, 1).Expand(1, int.MaxValue).PadReflect((0, n))),
        ("TensorMethods.PadAxis", n => X.PadAxis(n, 1, 1)),
        ("TensorMethods.PadAxis", n => X.PadAxis(2, n, 0)),
        ("TensorMethods.PadAxis", n => X.PadAxis(2, 1, n)),
        ("TensorMethods.PadAxis", n => X.PadAxis(2, n, n)),
        ("TensorMethods.InterpolateNearest", n => X.InterpolateNearest(n)),
        ("TensorMethods.InterpolateNearest", n => X.InterpolateNearest((1, n))),
        ("TensorMethods.InterpolateNearest", n => Tensor.Zeros(0, 1, 5, 5).InterpolateNearest((1, n))),
        ("TensorMethods.InterpolateBilinear", n => X.InterpolateBilinear(n)),
        ("TensorMethods.InterpolateBilinear", n => X.InterpolateBilinear((n, 1))),
        ("TensorMethods.Conv2d", n => Through(x => x.Conv2d(W, stride: n))),
        ("TensorMethods.Conv2d", n => Through(x => x.Conv2d(W, stride: (1, n)))),
        ("TensorMethods.Conv2d", n => X.Conv2d(W, padding: n)),
        ("TensorMethods.Conv2d", n => X.Conv2d(W, padding: (n, 0))),
        ("TensorMethods.Conv2d", n => X.Conv2d(W, dilation: n)),
        ("TensorMethods.Conv2d", n => X.Conv2d(W, padding: n, dilation: n)),
        ("TensorMethods.Conv2d", n => X.Conv2d(W, stride: n, padding: n, dilation: n)),
        ("TensorMethods.Conv2d", n => X.Conv2d(W, groups: n)),
        ("TensorMethods.Conv2d", n => X.Conv2d(Tensor.Zeros(0, 2, 3, 3), groups: n)),
        ("TensorMethods.Conv2d", n => Through(x => x.Conv2d(Tensor.Ones(1, 2, 1, 1), dilation: n))),
        ("TensorMethods.Conv1d", n => X[0].Conv1d(Tensor.Ones(3, 5, 3), stride: n)),
        ("TensorMethods.Conv1d", n => X[0].Conv1d(Tensor.Ones(3, 5, 3), padding: n)),
        ("TensorMethods.Conv1d", n => X[0].Conv1d(Tensor.Ones(3, 5, 3), dilation: n)),
        ("TensorMethods.Conv1d", n => X[0].Conv1d(Tensor.Ones(3, 5, 3), groups: n)),
        ("TensorMethods.ConvTranspose2d", n => X.ConvTranspose2d(W2, stride: n)),
        ("TensorMethods.ConvTranspose2d", n => X.ConvTranspose2d(W2, padding: n)),
        ("TensorMethods.ConvTranspose2d", n => X.ConvTranspose2d(W2, dilation: n)),
        ("TensorMethods.ConvTranspose2d", n => X.ConvTranspose2d(W2, groups: n)),
        ("TensorMethods.ConvTranspose2d", n => X.ConvTranspose2d(W2, stride: n, outputPadding: n - 1)),
        ("TensorMethods.ConvTranspose2d", n => X.ConvTranspose2d(W2, stride: n, padding: n, dilation: n)),
        ("TensorMethods.ConvTranspose2d", n => X[.., .., 0..1, 0..1].ConvTranspose2d(W2, stride: n)),
        ("TensorMethods.MaxPool2d", n => X.MaxPool2d(n)),
        ("TensorMethods.MaxPool2d", n => Through(x => x.MaxPool2d(2, stride: n))),
        ("TensorMethods.MaxPool2d", n => Through(x => x.MaxPool2d(2, stride: n, ceilMode: true))),
        ("TensorMethods.MaxPool2d", n => X.MaxPool2d(2, padding: n)),
        ("TensorMethods.MaxPool2d", n => X.MaxPool2d((n, 1), padding: (n / 2, 0))),
        ("TensorMethods.AvgPool2d", n => X.AvgPool2d(n)),
        ("TensorMethods.AvgPool2d", n => Through(x => x.AvgPool2d(2, stride: n, ceilMode: true))),
        ("TensorMethods.AvgPool2d", n => X.AvgPool2d(2, padding: n)),
        ("TensorMethods.AvgPool2d", n => X.AvgPool2d(n, padding: n / 2)),
        ("TensorMethods.AvgPool2d", n => X.AvgPool2d((1, n), padding: (0, n / 2), ceilMode: true)),
        ("TensorMethods.AdaptiveAvgPool2d", n => X.AdaptiveAvgPool2d(n)),
        ("TensorMethods.AdaptiveAvgPool2d", n => X.AdaptiveAvgPool2d((1, n))),
        ("TensorMethods.GroupNorm", n => X.GroupNorm(n, Tensor.Ones(2), Tensor.Ones(2))),
        ("IndexSelect", n => Run(() => Backend.Run(new Primitives.IndexSelect(n), X, Index(0), Tensor.Zeros(1, 2, 5,
            5)))),
        ("IndexSelect", n => Run(() => Backend.Run(new Primitives.IndexSelect(0), X, Index(n), Tensor.Zeros(1, 2, 5,
            5)))),
        ("IndexAdd", n => Run(() => Backend.Run(new Primitives.IndexAdd(n), X, Index(0), Tensor.Zeros(1, 2, 5, 5)))),
        ("IndexAdd", n => Run(() => Backend.Run(new Primitives.IndexAdd(0), X, Index(n), Tensor.Zeros(1, 2, 5, 5)))),
        ("Generator.Permutation", n => new Generator(1).Permutation(n > 1 << 20 ? Math.Max(n, int.MaxValue - 1) : n)),
        ("OpContext.Allocate", n => Op.Apply(new Allocating(n), X)),
        ("TensorSpec", n => Op.Apply(new Inferring(n), X)),
        ("TensorMemory.Trim", n => Trim(n)),
        ("TensorMemory.set_PoolLimit", n => Limit(n)),
    ];

    private static object? Trim(int n)
    {
        TensorMemory.Trim(n);
        return null;
    }

    private static object? Limit(int n)
    {
        var before = TensorMemory.PoolLimit;
        TensorMemory.PoolLimit = n;
        TensorMemory.PoolLimit = before;
        return null;
    }

    // Forward and backward.
    private static object? Through(Func<Tensor, Tensor> function)
    {
        var x = X.Clone().RequireGrad();
        function(x).Sum().Backward();
        return x.Grad;
    }

    private static Tensor Index(params long[] positions) => Tensor.From(positions, positions.Length);

    private static object? Run(Action call)
    {
        call();
        return null;
    }

    private sealed class Allocating(int n) : Op
    {
        public override string Name => "Allocating";
        public override string Formula => "y = x";
        public override string Derivation => "none";
        public override Saves Saves => Saves.Nothing;
        public override TensorSpec Infer(ReadOnlySpan<Tensor> inputs) => new(inputs[0].Shape, inputs[0].DType);
        public override void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, Tensor output) =>
            context.Allocate([n, n], DType.Float32);
        public override Tensor?[] Backward(OpNode node, Tensor gradient) => [gradient];
    }

    private sealed class Inferring(int n) : Op
    {
        public override string Name => "Inferring";
        public override string Formula => "y = x";
        public override string Derivation => "none";
        public override Saves Saves => Saves.Nothing;
        public override TensorSpec Infer(ReadOnlySpan<Tensor> inputs) => new((int[])[n, n], DType.Float32);
        public override void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, Tensor output) =>
            Backend.Run(new Primitives.Copy(), inputs[0], output);
        public override Tensor?[] Backward(OpNode node, Tensor gradient) => [gradient];
    }
}
