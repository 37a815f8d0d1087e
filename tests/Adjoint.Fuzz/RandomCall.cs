using System.Diagnostics;
using Adjoint.Data;
using Adjoint.Nn;
using Adjoint.Optim;

namespace Adjoint.Fuzz;

/// <summary>
/// One call of the public API with arguments that nobody means: it gives a tensor whose elements can be read, or an
/// <see cref="AdjointException"/>; never another exception, and never a byte beyond a buffer.
/// </summary>
internal static class RandomCall
{
    private static readonly int[] Numbers =
    [
        0, 0, 1, 1, 2, 2, 3, 4, 5, 7, 16, 17, -1, -1, -2, -3, 255, 65535, 65536, 66000, 1 << 24, 1 << 30, int.MaxValue,
        int.MaxValue - 1, int.MinValue, int.MinValue + 1, -65536,
    ];

    private static readonly double[] Reals =
    [
        0, -0.0, 1, -1, 0.5, 2, 1e-300, 1e300, -1e300, double.NaN, double.PositiveInfinity, double.NegativeInfinity,
        double.Epsilon, double.MaxValue, 1e18, 9007199254740993,
    ];

    // Larger results are right, but too slow to try millions of.
    private const long MostBytes = 1L << 24;
    private static readonly TimeSpan MostTime = TimeSpan.FromSeconds(20);

    internal static void Run(FuzzRandom random)
    {
        var (name, call) = random.Of(Calls);
        var start = Stopwatch.GetTimestamp();
        string arguments = "";
        Tensor Any()
        {
            var tensor = Operand(random);
            arguments += $" {tensor.Shape} {tensor.DType}";
            return tensor;
        }
        int Number()
        {
            var number = random.Of(Numbers);
            arguments += $" {number}";
            return number;
        }
        double Real()
        {
            var real = random.Of(Reals);
            arguments += FormattableString.Invariant($" {real}");
            return real;
        }
        try
        {
            var result = call(new(random, Any, Number, Real));
            if (result is not null)
            {
                _ = result.ToString();
                if ((long)result.Length * result.DType.Size() < MostBytes) _ = result.Clone();
                if (result.RequiresGrad && result.Length < 1 << 20) result.Sum().Backward();
            }
        }
        catch (AdjointException error)
        {
            if (error.Message.Length > 1000)
                throw new FindingException($"{name}({arguments}): a message of {error.Message.Length} characters");
        }
        catch (OutOfMemoryException)
        {
            // What was asked for fits a tensor, but not this machine.
        }
        catch (Exception error)
        {
            throw new FindingException($"{name}({arguments}): {error}");
        }
        if (Stopwatch.GetElapsedTime(start) > MostTime)
            throw new FindingException($"{name}({arguments}): took {Stopwatch.GetElapsedTime(start)}");
        Adjoint.Memory.BufferGuard.Check();
    }

    internal readonly record struct Source(FuzzRandom Random, Func<Tensor> Tensor, Func<int> Int, Func<double> Real)
    {
        internal int[] Ints()
        {
            var numbers = new int[Random.Below(5)];
            for (var i = 0; i < numbers.Length; i++) numbers[i] = Int();
            return numbers;
        }

        internal Size2 Size() => Random.Once(2) ? Int() : new Size2(Int(), Int());
        internal bool Flag() => Random.Once(2);
        internal DType Type() => Random.Of(Enum.GetValues<DType>());

        /// <summary>A shape that is refused, or small enough to make.</summary>
        internal Shape Shape()
        {
            var sizes = Ints();
            long length = 1;
            foreach (var size in sizes)
                length = size > 0 && length > MostBytes / size ? long.MaxValue / 4 : length * Math.Max(size, 0);
            return Adjoint.Shape.Create(length < MostBytes || length > 1L << 33 ? sizes : [3]);
        }
    }

    private static Tensor Operand(FuzzRandom random)
    {
        var shape = new int[random.Below(5)];
        for (var axis = 0; axis < shape.Length; axis++) shape[axis] = random.Pick(0, 1, 1, 2, 3, 4, 5, 17);
        var tensor = Tensor.Randn(Adjoint.Shape.Create(shape), new Generator(random.Next()),
            random.Pick(DType.Float32, DType.Float64, DType.BFloat16, DType.Float16));
        tensor = random.Below(10) switch
        {
            0 or 1 => (tensor * 3).To(random.Of(Enum.GetValues<DType>())),
            2 or 3 when shape.Length > 1 => tensor.Transpose(0, 1).RequireGradIfLeaf(),
            4 when shape.Length > 0 && shape[0] > 1 => tensor.Slice(0, 1, (shape[0] - 1 + 1) / 2, 2),
            5 => tensor.Expand([2, .. shape]),
            _ => tensor.RequireGradIfLeaf(),
        };
        return tensor;
    }

    private static Tensor RequireGradIfLeaf(this Tensor tensor) =>
        tensor.IsLeaf && tensor.DType.IsFloating() ? tensor.RequireGrad() : tensor;

    private static readonly IReadOnlyList<(string Name, Func<Source, Tensor?> Call)> Calls =
    [
        ("Zeros", s => Tensor.Zeros(s.Shape(), s.Type())),
        ("Full", s => Tensor.Full(s.Shape(), s.Real(), s.Type())),
        ("Rand", s => Tensor.Rand(s.Shape(), new Generator(1), s.Type())),
        ("Randn", s => Tensor.Randn(s.Shape(), new Generator(1), s.Type())),
        ("Arange", s => Tensor.Arange(s.Real(), s.Real(), s.Real(), s.Type())),
        ("Arange", s => Tensor.Arange(Math.Min(s.Int(), 1 << 16))),
        ("Eye", s => s.Int() is var n && n is > 1000 and < 46000
            ? null
            : Tensor.Eye(n, s.Flag() ? s.Random.Between(-2, 9) : null, s.Type())),
        ("From", s => Tensor.From(new float[s.Random.Below(20)], s.Ints())),
        ("Item", s => Tensor.Scalar(s.Tensor().Item())),
        ("ItemAt", s => Tensor.Scalar(s.Tensor().ItemAt(s.Ints()))),
        ("x[i]", s => s.Tensor()[s.Int()]),
        ("x[i, j]", s => s.Tensor()[s.Int(), s.Int()]),
        ("x[a..b]", s => s.Tensor()[Math.Max(0, s.Int())..Math.Max(0, s.Int())]),
        ("x[^a..^b]", s => s.Tensor()[^Math.Max(0, s.Int())..^Math.Max(0, s.Int())]),
        ("Fill", s => s.Tensor().Detach() is var x ? Filled(x, s.Real()) : null),
        ("To", s => s.Tensor().To(s.Type())),
        ("Slice", s => s.Tensor().Slice(s.Int(), s.Int(), s.Int(), s.Int())),
        ("Select", s => s.Tensor().Select(s.Int(), s.Int())),
        ("Reshape", s => s.Tensor().Reshape(s.Ints())),
        ("Flatten", s => s.Tensor().Flatten(s.Int())),
        ("Squeeze", s => s.Tensor().Squeeze(s.Int())),
        ("Unsqueeze", s => s.Tensor().Unsqueeze(s.Int())),
        ("Permute", s => s.Tensor().Permute(s.Ints())),
        ("Transpose", s => s.Tensor().Transpose(s.Int(), s.Int())),
        ("Expand", s => s.Tensor().Expand(s.Ints()) is { Length: < 1 << 22 } y ? y : null),
        ("Concat", s => Tensor.Concat([s.Tensor(), s.Tensor()], s.Int())),
        ("Stack", s => Tensor.Stack([s.Tensor(), s.Tensor()], s.Int())),
        ("Gather", s => s.Tensor().Gather(s.Int(), s.Tensor().To(DType.Int64))),
        ("SelectPerRow", s => s.Tensor().SelectPerRow(s.Tensor().To(DType.Int64))),
        ("IndexSelect", s => s.Tensor().IndexSelect(s.Int(), s.Ints())),
        ("ArgMax", s => s.Tensor().ArgMax(s.Int())),
        ("ArgMin", s => s.Tensor().ArgMin(s.Int())),
        ("Embedding", s => s.Tensor().Embedding(s.Tensor().To(DType.Int64))),
        ("PadZero", s => s.Tensor().PadZero(s.Size())),
        ("PadReflect", s => s.Tensor().PadReflect(s.Size())),
        ("PadAxis", s => s.Tensor().PadAxis(s.Int(), s.Int(), s.Int())),
        ("InterpolateNearest", s => s.Tensor().InterpolateNearest(s.Size())),
        ("InterpolateBilinear", s => s.Tensor().InterpolateBilinear(s.Size())),
        ("Where", s => Tensor.Where(s.Tensor().To(DType.Bool), s.Tensor(), s.Tensor())),
        ("+", s => s.Tensor() + s.Tensor()),
        ("−", s => s.Tensor() - s.Tensor()),
        ("×", s => s.Tensor() * s.Tensor()),
        ("÷", s => s.Tensor() / s.Tensor()),
        ("+ number", s => s.Tensor() + s.Real()),
        ("÷ number", s => s.Tensor() / s.Real()),
        ("number ÷", s => s.Real() / s.Tensor()),
        ("Pow", s => s.Tensor().Pow(s.Real())),
        ("Pow", s => s.Tensor().Pow(s.Tensor())),
        ("Clamp", s => s.Tensor().Clamp(s.Real(), s.Real())),
        ("Less", s => s.Tensor().Less(s.Real())),
        ("EqualTo", s => s.Tensor().EqualTo(s.Tensor())),
        ("GreaterOrEqual", s => s.Tensor().GreaterOrEqual(s.Tensor())),
        ("Maximum", s => s.Tensor().Maximum(s.Tensor())),
        ("Minimum", s => s.Tensor().Minimum(s.Tensor())),
        ("unary", s => s.Random.Below(12) switch
        {
            0 => s.Tensor().Exp(), 1 => s.Tensor().Log(), 2 => s.Tensor().Sqrt(), 3 => s.Tensor().Abs(),
            4 => s.Tensor().Sign(), 5 => s.Tensor().Gelu(), 6 => s.Tensor().Softplus(), 7 => s.Tensor().Log1p(),
            8 => s.Tensor().Relu(), 9 => s.Tensor().Elu(s.Real()), 10 => s.Tensor().LeakyRelu(s.Real()),
            _ => -s.Tensor(),
        }),
        ("Sum", s => s.Tensor().Sum(s.Ints(), s.Flag())),
        ("Mean", s => s.Tensor().Mean(s.Ints(), s.Flag())),
        ("Max", s => s.Tensor().Max(s.Ints(), s.Flag())),
        ("Min", s => s.Tensor().Min(s.Int(), s.Flag())),
        ("Var", s => s.Tensor().Var(s.Ints(), s.Flag(), s.Int())),
        ("LogSumExp", s => s.Tensor().LogSumExp(s.Ints(), s.Flag())),
        ("Softmax", s => s.Tensor().Softmax(s.Int())),
        ("LogSoftmax", s => s.Tensor().LogSoftmax(s.Int())),
        ("MatMul", s => s.Tensor().MatMul(s.Tensor())),
        ("Linear", s => s.Tensor().Linear(s.Tensor(), s.Tensor())),
        ("Conv1d", s => s.Tensor().Conv1d(s.Tensor(), null, s.Int(), s.Int(), s.Int(), s.Int())),
        ("Conv2d", s => s.Tensor().Conv2d(s.Tensor(), null, s.Size(), s.Size(), s.Size(), s.Int())),
        ("Conv2d", s => s.Tensor().Conv2d(
            s.Tensor(), s.Tensor(), s.Random.Between(1, 3), s.Random.Below(4), s.Random.Between(1, 2), 1)),
        ("ConvTranspose2d", s => s.Tensor().ConvTranspose2d(s.Tensor(), null, s.Size(), s.Size(), s.Size())),
        ("ConvTranspose2d",
            s => s.Tensor().ConvTranspose2d(s.Tensor(), null, s.Random.Between(1, 3), s.Random.Below(4))),
        ("MaxPool2d",
            s => s.Tensor().MaxPool2d(s.Size(), s.Flag() ? s.Size() : null, s.Flag() ? s.Size() : null, s.Flag())),
        ("AvgPool2d",
            s => s.Tensor().AvgPool2d(s.Size(), s.Flag() ? s.Size() : null, s.Flag() ? s.Size() : null, s.Flag())),
        ("AdaptiveAvgPool2d", s => s.Tensor().AdaptiveAvgPool2d(s.Size())),
        ("GlobalAvgPool2d", s => s.Tensor().GlobalAvgPool2d()),
        ("BatchNorm", s => s.Tensor().BatchNorm(s.Tensor(), s.Tensor(), s.Real())),
        ("LayerNorm", s => s.Tensor().LayerNorm(s.Tensor(), null, s.Real())),
        ("RmsNorm", s => s.Tensor().RmsNorm(s.Tensor(), s.Real())),
        ("GroupNorm", s => s.Tensor().GroupNorm(s.Int(), s.Tensor(), s.Tensor())),
        ("InstanceNorm", s => s.Tensor().InstanceNorm(s.Tensor(), null, s.Real())),
        ("CrossEntropy", s => Loss.CrossEntropy(s.Tensor(), s.Tensor().To(DType.Int64), s.Flag() ? s.Real() : 0)),
        ("Nll", s => Loss.Nll(s.Tensor(), s.Tensor().To(DType.Int64))),
        ("Mse", s => Loss.Mse(s.Tensor(), s.Tensor())),
        ("L1", s => Loss.L1(s.Tensor(), s.Tensor())),
        ("Huber", s => Loss.Huber(s.Tensor(), s.Tensor(), s.Real())),
        ("BceWithLogits", s => Loss.BceWithLogits(s.Tensor(), s.Tensor())),
        ("Backward", s => s.Tensor() is var x && x.Sum() is { RequiresGrad: true } y ? Gone(y) : null),
        ("Grad", s => s.Tensor() is var x ? WithGradient(x, s.Tensor()) : null),
        ("new Linear", s => new Linear(Small(s.Int()), Small(s.Int())).Forward(s.Tensor())),
        ("new Conv2d",
            s => new Conv2d(Small(s.Int()), Small(s.Int()), Small(s.Int()),
                new() { Stride = Small(s.Int()), Padding = s.Int() })
            .Forward(s.Tensor())),
        ("new Dropout", s => new Dropout(s.Real()).Forward(s.Tensor())),
        ("new Embedding", s => new Embedding(Small(s.Int()), Small(s.Int())).Forward(s.Tensor().To(DType.Int64))),
        ("new Sgd", s => Stepped(new Sgd([s.Tensor().Detach().RequireGradIfLeaf()], s.Real(), s.Real()))),
        ("new Adam", s => Stepped(new Adam([s.Tensor().Detach().RequireGradIfLeaf()], s.Real()))),
        ("Synth", s => Loaded(s)),
    ];

    private static int Small(int size) => size is > 100 and < int.MaxValue - 1 ? 3 : size;

    private static Tensor Filled(Tensor x, double value)
    {
        x.Fill(value);
        return x;
    }

    private static Tensor? Gone(Tensor loss)
    {
        loss.Backward();
        return null;
    }

    private static Tensor? WithGradient(Tensor x, Tensor gradient)
    {
        x.Grad = gradient.Detach();
        if (x.RequiresGrad) (x * x).Sum().Backward();
        return x.Grad;
    }

    private static Tensor? Stepped(Optimizer optimizer)
    {
        var parameter = optimizer.Groups[0].Parameters[0];
        if (parameter.RequiresGrad) (parameter * 2).Sum().Backward();
        optimizer.Step();
        return parameter.Detach();
    }

    private static Tensor? Loaded(Source s)
    {
        var loader = new DataLoader(Synth.Create(train: 40, validation: 4).Train, s.Int(),
            new() { DropLast = s.Flag(), Prefetch = Math.Clamp(s.Int(), -3, 3) });
        return Tensor.Scalar(loader.Count);
    }
}
