using System.Reflection;
using Adjoint.Data;
using Adjoint.IO;
using Adjoint.Nn;
using Adjoint.Optim;
using Adjoint.Tests.Autograd;
using Adjoint.Training;

namespace Adjoint.Tests.Sizes;

/// <summary>
/// Every public call that takes a size, an axis, a count or an index, at values around every edge: it answers,
/// or refuses with an <see cref="AdjointException"/> before it has allocated much.
/// </summary>
public class SizeArgumentTests
{
    private const long MostBytes = 64 << 20;

    private static readonly int[] Values = [0, -1, 1, 2, 46341, 65536, 1 << 30, int.MaxValue - 1, int.MaxValue,
        int.MinValue, int.MinValue + 1];

    // By name of the type, or of type and method: one way of calling for each argument.
    private static readonly Dataset Data = new("five", [2], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], [0, 1, 0, 1, 0], ["0",
        "1"]);
    private static readonly Tensor X = Tensor.Randn([1, 2, 5, 5], new Generator(1));
    private static readonly Tensor Y = Tensor.Randn([1, 1, 5, 5], new Generator(2));
    private static readonly Tensor W = Tensor.Randn([2, 2, 3, 3], new Generator(3));
    private static readonly Tensor W2 = Tensor.Randn([2, 1, 3, 3], new Generator(4));

    private static readonly (string Member, Func<int, object?> Call)[] Calls =
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
        ("TensorMethods.Zeros", n => Tensor.Zeros([Extreme(n)], DType.Bool)),
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
        ("TensorMethods.Expand", n => Tensor.Ones(1).Expand(Extreme(n)).ToArray<float>().Length),
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
        ("TensorMethods.MaxPool2d", n => Through(x => x.MaxPool2d(2, stride: n, ceil: true))),
        ("TensorMethods.MaxPool2d", n => X.MaxPool2d(2, padding: n)),
        ("TensorMethods.MaxPool2d", n => X.MaxPool2d((n, 1), padding: (n / 2, 0))),
        ("TensorMethods.AvgPool2d", n => X.AvgPool2d(n)),
        ("TensorMethods.AvgPool2d", n => Through(x => x.AvgPool2d(2, stride: n, ceil: true))),
        ("TensorMethods.AvgPool2d", n => X.AvgPool2d(2, padding: n)),
        ("TensorMethods.AvgPool2d", n => X.AvgPool2d(n, padding: n / 2)),
        ("TensorMethods.AvgPool2d", n => X.AvgPool2d((1, n), padding: (0, n / 2), ceil: true)),
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
        ("Linear", n => new Linear(n, n)),
        ("Linear", n => new Linear(n, 1)),
        ("Linear", n => new Linear(1, n)),
        ("Mlp", n => new Mlp(n, [2], 2)),
        ("Mlp", n => new Mlp(2, [n], 2)),
        ("Mlp", n => new Mlp(2, [2], n)),
        ("Conv1d", n => new Conv1d(n, 1, 3)),
        ("Conv1d", n => new Conv1d(1, n, 3)),
        ("Conv1d", n => new Conv1d(1, 1, n)),
        ("Conv1d", n => new Conv1d(1, 1, 3, n)),
        ("Conv1d", n => new Conv1d(1, 1, 3, 1, n)),
        ("Conv1d", n => new Conv1d(1, 1, 3, 1, 0, n)),
        ("Conv1d", n => new Conv1d(n, n, 3, groups: n)),
        ("Conv2d", n => new Conv2d(n, 1, 3)),
        ("Conv2d", n => new Conv2d(1, n, 3)),
        ("Conv2d", n => new Conv2d(1, 1, n)),
        ("Conv2d", n => new Conv2d(1, 1, (1, n))),
        ("Conv2d", n => new Conv2d(1, 1, 3, n).Forward(Y)),
        ("Conv2d", n => new Conv2d(1, 1, 3, 1, n).Forward(Y)),
        ("Conv2d", n => new Conv2d(1, 1, 3, 1, 0, n).Forward(Y)),
        ("Conv2d", n => new Conv2d(1, 1, 3, groups: n)),
        ("ConvTranspose2d", n => new ConvTranspose2d(n, 1, 3)),
        ("ConvTranspose2d", n => new ConvTranspose2d(1, n, 3)),
        ("ConvTranspose2d", n => new ConvTranspose2d(1, 1, n)),
        ("ConvTranspose2d", n => new ConvTranspose2d(1, 1, 3, n).Forward(Y)),
        ("ConvTranspose2d", n => new ConvTranspose2d(1, 1, 3, 1, n).Forward(Y)),
        ("ConvTranspose2d", n => new ConvTranspose2d(1, 1, 3, n, 0, n - 1)),
        ("ConvTranspose2d", n => new ConvTranspose2d(1, 1, 3, 1, 0, 0, n).Forward(Y)),
        ("ConvTranspose2d", n => new ConvTranspose2d(n, n, 1, groups: n)),
        ("BatchNorm", n => new BatchNorm(n)),
        ("GroupNorm", n => new GroupNorm(1, n)),
        ("GroupNorm", n => new GroupNorm(n, n)),
        ("LayerNorm", n => new LayerNorm([n])),
        ("LayerNorm", n => new LayerNorm([n, n])),
        ("RmsNorm", n => new RmsNorm([n])),
        ("TensorMemory.Trim", n => Trim(n)),
        ("TensorMemory.set_PoolLimit", n => Limit(n)),
        ("Standardize", n => new Standardize(Extreme(n))),
        ("Embedding", n => new Embedding(n, 2)),
        ("Embedding", n => new Embedding(2, n)),
        ("Embedding", n => new Embedding(n, n)),
        ("Embedding", n => new Embedding(3, 2).Forward(Tensor.Full([2], n, DType.Int64))),
        ("MaxPool2d", n => new MaxPool2d(n).Forward(X)),
        ("MaxPool2d", n => new MaxPool2d(2, n).Forward(X)),
        ("MaxPool2d", n => new MaxPool2d(2, 2, n).Forward(X)),
        ("AvgPool2d", n => new AvgPool2d(n).Forward(X)),
        ("AvgPool2d", n => new AvgPool2d(2, n).Forward(X)),
        ("AvgPool2d", n => new AvgPool2d(2, 2, n).Forward(X)),
        ("AdaptiveAvgPool2d", n => new AdaptiveAvgPool2d(n).Forward(X)),
        ("Upsample", n => new Upsample(n).Forward(X)),
        ("Upsample", n => new Upsample((1, n), bilinear: true).Forward(X)),
        ("ZeroPad2d", n => new ZeroPad2d(n).Forward(X)),
        ("ReflectionPad2d", n => new ReflectionPad2d(n).Forward(X)),
        ("WhiteningConv2d", n => new WhiteningConv2d(n, 3)),
        ("WhiteningConv2d", n => new WhiteningConv2d(1, n)),
        ("WhiteningConv2d", n => new WhiteningConv2d(n, n)),
        ("WhiteningConv2d", n => new WhiteningConv2d(2, n, X)),
        ("LeNet5", n => new LeNet5(Extreme(n))),
        ("LeNetCifar", n => new LeNetCifar(Extreme(n))),
        ("SpeedNet", n => new SpeedNet(n > 50 ? int.MaxValue : n)),
        ("SpeedNet", n => new SpeedNet(3, Extreme(n))),
        ("ResNet", n => new ResNet(n)),
        ("ResNet", n => new ResNet(8, Extreme(n))),
        ("ResNet", n => new ResNet(8, 3, n)),
        ("ResNet", n => new ResNet(8, 3, 10, n > 4 ? Math.Max(n, 1 << 30) : n)),
        ("ResidualBlock", n => new ResidualBlock(n, 1)),
        ("ResidualBlock", n => new ResidualBlock(1, n > 4 ? Math.Max(n, 1 << 30) : n)),
        ("ResidualBlock", n => new ResidualBlock(1, 1, n).Forward(Y)),
        ("Initializer.Create", n => Initializer.XavierNormal.Create(n, n, new Generator(1))),
        ("Initializer.Create", n => Initializer.Default.Create(n, 0, new Generator(1))),
        ("Layer.Summary", n => new Linear(2, 2).Summary(n, 2)),
        ("ModuleList`1.get_Item", n => new ModuleList<Relu>(new Relu())[n]),
        ("Sequential.get_Item", n => new Sequential(new Relu())[n]),
        ("Schedule.StepDecay", n => Schedule.StepDecay(n).Factor(5)),
        ("Schedule.Cosine", n => Schedule.Cosine(n).Factor(5)),
        ("Schedule.OneCycle", n => Schedule.OneCycle(n).Factor(5)),
        ("Schedule.Triangular", n => Schedule.Triangular(n).Factor(5)),
        ("Schedule.WarmUp", n => Schedule.WarmUp(n, Schedule.Constant()).Factor(5)),
        ("Schedule.Factor", n => Schedule.WarmUp(3, Schedule.Cosine(10)).Factor(n)),
        ("ReduceOnPlateau", n => new ReduceOnPlateau(new Sgd([Tensor.Zeros(1).RequireGrad()], 0.1), 0.1, n).Observe(1)),
        ("Dataset", n => new Dataset("x", [n], [], [], [])),
        ("Dataset", n => new Dataset("x", [n], new float[2], new byte[1], [])),
        ("Dataset.Sample", n => Data.Sample(n).Length),
        ("Dataset.Part", n => Data.Part("p", n, 1)),
        ("Dataset.Part", n => Data.Part("p", 0, n)),
        ("Dataset.Part", n => Data.Part("p", n, n)),
        ("Dataset.Batch", n => Data.Batch([n])),
        ("DataLoader", n => Count(new DataLoader(Data, n))),
        ("DataLoader", n => Count(new DataLoader(Data, n, dropLast: true))),
        ("DataLoader", n => Count(new DataLoader(Data, 2, prefetch: n))),
        ("DataLoader.set_Start", n => Count(new DataLoader(Data, 2) { Start = n })),
        ("DataLoader.set_Epoch", n => Count(new DataLoader(Data, 2, shuffle: true) { Epoch = n })),
        ("DataLoader.StepsIn", n => new DataLoader(Data, 1).StepsIn(n)),
        ("Synth.Create", n => Synth.Create(0, Extreme(n), 1)),
        ("Synth.Create", n => Synth.Create(0, 1, Extreme(n))),
        ("RandomCrop", n => Transformed(new RandomCrop(n))),
        ("Cutout", n => Transformed(new Cutout(n))),
        ("Transform.Check", n => Refused(new RandomCrop(1), [1, n, n])),
        ("SampleRandom", n => new SampleRandom(1, n, n, n).Next(7)),
        ("SampleRandom.Next", n => new SampleRandom(1, 2, 3, 4).Next(n)),
        ("CheckpointStore", n => new CheckpointStore("/nowhere", n)),
        ("EarlyStopping", n => new EarlyStopping(n)),
        ("Trainer.Run", n => Train(n)),
        ("TrainingState.Numbers", n => State().Numbers("x", n)),
    ];

    // What carries numbers without working with them, what only implements a member above, and what reads files,
    // which has tests of its own.
    private static readonly string[] Plain =
    [
        "CaptureReport", "EpochResult", "FetchProgress", "GradCheckResult", "OpCost", "ProfileRow", "RemoteFile",
        "StepInfo", "Size2", "CpuBackend", "AlternatingFlip", "RandomFlip", "Transform.Apply", "RandomCrop.Apply",
        "RandomCrop.Check", "Cutout.Apply", "Cutout.Check", "IdxFile", "RegularFile", "TensorSpec.set_Shape",
        "OpNode.Needs", "Shape.op_Equality", "Shape.op_Inequality", "Number.op_Implicit",
    ];

    public static TheoryData<int, string> Rows() => [.. Calls.Select((call, i) => (i, call.Member))];

    [Theory, MemberData(nameof(Rows))]
    public void Answers_or_refuses_before_it_allocates(int row, string member)
    {
        foreach (var n in Values)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                Calls[row].Call(n);
            }
            catch (AdjointException error)
            {
                Assert.NotEmpty(error.Message);
                var used = GC.GetAllocatedBytesForCurrentThread() - before;
                Assert.True(used < MostBytes, $"{member} at {n}: {used:N0} bytes before the refusal: {error.Message}");
            }
            catch (Exception error)
            {
                Assert.Fail($"{member} at {n}: {error}");
            }
        }
    }

    [Fact]
    public void Every_public_call_with_a_size_has_a_row()
    {
        Type[] sizes = [typeof(int), typeof(int?), typeof(long), typeof(Size2), typeof(Size2?), typeof(Shape),
            typeof(int[]), typeof(ReadOnlySpan<int>), typeof(Index), typeof(Range)];
        const BindingFlags declared =
            BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;
        var names =
            from type in typeof(Tensor).Assembly.GetExportedTypes()
            where !type.IsSubclassOf(typeof(Exception)) && !type.Name.StartsWith('<')
            where type.Namespace is "Adjoint" or "Adjoint.Nn" or "Adjoint.Optim"
            from method in type.GetMembers(declared).OfType<MethodBase>()
            where method.GetParameters().Any(parameter => sizes.Contains(parameter.ParameterType))
            where method.Name is not "Deconstruct" && !type.FullName!.Contains('<', StringComparison.Ordinal)
            select method.IsConstructor ? type.Name : $"{type.Name}.{method.Name}";
        var covered = Calls.Select(call => call.Member).ToHashSet();
        bool IsPlain(string name) => Plain.Any(plain => name == plain || name.StartsWith(plain + ".",
            StringComparison.Ordinal));
        Assert.Equal("", string.Join(", ", names.Distinct().Where(name => !covered.Contains(name) && !IsPlain(name))));
    }

    // What would be answered, but with gigabytes, is asked for beyond what there can be.
    private static int Extreme(int n) => n > 1 << 17 ? int.MaxValue : n;

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

    private static int Count(DataLoader loader)
    {
        var samples = 0;
        foreach (var (x, _) in loader) samples += x.Shape[0];
        return samples;
    }

    private static object? Transformed(Transform transform)
    {
        var random = new SampleRandom(1, 2, 3, 4);
        transform.Check([1, 4, 4]);
        transform.Apply(new float[16], [1, 4, 4], ref random);
        return null;
    }

    private static object? Refused(Transform transform, Shape shape)
    {
        transform.Check(shape);
        return null;
    }

    private static object? Train(int epochs)
    {
        // More than two would not end.
        var model = new Linear(2, 2);
        return new Trainer(model, new Sgd(model.Parameters(), 0.1), new DataLoader(Data, 2), new DataLoader(Data,
            5)).Run(Math.Min(epochs, 2));
    }

    private static TrainingState State()
    {
        var state = new TrainingState();
        state.Set("x", 3);
        return state;
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
