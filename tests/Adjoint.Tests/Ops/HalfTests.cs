using System.Globalization;
using System.Numerics;
using Adjoint.Optim;
using Adjoint.Primitives;

namespace Adjoint.Tests.Ops;

/// <summary>
/// Computing in bfloat16 and float16, beyond the rows of <see cref="OpCases"/>; and values of PyTorch
/// (Goldens/bfloat16.txt, written by the script beside it).
/// </summary>
public class HalfTests
{
    public static TheoryData<string> GoldenNames() => [.. Goldens().Keys];

    [Theory, InlineData(DType.BFloat16), InlineData(DType.Float16)]
    public void Threads_change_no_bit(DType type)
    {
        Tensor Leaf(ulong seed, params int[] shape) => Tensor.Randn(shape, new Generator(seed)).To(type).Detach();
        var (x, y, a, b) = (Leaf(1, 300, 301), Leaf(2, 300, 301).RequireGrad(), Leaf(3, 301, 70), Leaf(4, 301));
        var found = Threads.Of(1, 2, 3, 8).Select(_ =>
        {
            y.Grad = null;
            var z = (x * y + b).Sigmoid();
            (z.MatMul(a).Square().Mean() + z.Sum(0).Abs().Max() + z.LogSoftmax().Sum() * 0.001).Backward();
            return (short[])[.. Bits(z), .. Bits(y.Grad!), .. Bits(Tensor.Rand(x.Shape, new Generator(5), type))];
        }).ToArray();
        Assert.All(found, bits => Assert.Equal(found[0], bits));
    }

    [Theory, InlineData(DType.BFloat16), InlineData(DType.Float16)]
    public void Sums_round_once_and_means_do_not_overflow(DType type)
    {
        var ones = Tensor.Full([10_000], 1, type);
        var rounded = type == DType.BFloat16 ? 9984 : 10_000;
        Assert.Equal(rounded, ones.Sum().Item());
        Assert.Equal(rounded, ones.MatMul(ones).Item());
        Assert.Equal(rounded, ones.Reshape(100, 100).Sum([1, 0]).Item());
        Assert.Equal(1000, Tensor.Full([10_000], 1000, type).Mean().Item());
    }

    [Theory, InlineData(DType.BFloat16), InlineData(DType.Float16)]
    public void Views_with_wide_gaps_and_broadcast_ones_give_the_same_as_copies(DType type)
    {
        var all = Tensor.Randn([8, 9, 10], new Generator(1)).To(type).Detach();
        var weight = Tensor.Randn([3, 2], new Generator(2)).To(type).Detach();
        Tensor[] views = [all.Slice(2, 1, 3, step: 3), all.Slice(0, 0, 2, step: 7).Slice(2, 0, 3),
            all.Slice(2, 0, 1).Expand(8, 9, 3), all.Slice(0, 0, 1).Slice(1, 2, 1).Slice(2, 2, 3).Expand(5, 4, 3)];
        foreach (var view in views)
        {
            var copy = view.Clone();
            Func<Tensor, Tensor>[] ops = [x => x.MatMul(weight), x => x.Sum([0, 2]), x => x.Softmax(1), x => x.Max(0),
                x => x + x.Exp(), x => x.CumSum(1), x => x.TopK(2, 1).Values, x => x.LayerNorm(weight.Slice(1, 0, 1)
                    .Reshape(3))];
            foreach (var op in ops) Assert.Equal(Bits(op(copy)), Bits(op(view)));
        }
    }

    [Theory, InlineData(DType.BFloat16), InlineData(DType.Float16)]
    public void Empty_tensors_give_empty_results(DType type)
    {
        Tensor Empty(params int[] shape) => Tensor.Zeros(shape, type).RequireGrad();
        Assert.Equal(0, Empty(0).Sum().Item());
        Assert.True(double.IsNaN(Empty(0).Mean().Item()));
        Assert.Equal(new double[6], Empty(2, 0).MatMul(Empty(0, 3)).To(DType.Float64).ToArray<double>());
        Tensor[] empty = [Empty(0, 3).MatMul(Empty(3, 2)), Empty(0, 3).Softmax(), Empty(3, 0).LogSoftmax(),
            Empty(0, 2, 4, 4).Conv2d(Empty(3, 2, 3, 3)), Empty(0, 2, 4, 4).MaxPool2d(2), Empty(0, 3) + Empty(3),
            Empty(0, 3).BatchNorm(Empty(3), Empty(3)), Empty(0, 3).LayerNorm(Empty(3)), Empty(0, 3).CumSum(0)];
        foreach (var y in empty)
        {
            Assert.Equal((0, type), (y.Length, y.DType));
            y.Sum().Backward();
        }
    }

    [Theory, InlineData(DType.BFloat16), InlineData(DType.Float16)]
    public void Anomalies_are_found(DType type)
    {
        using var _ = new AnomalyMode();
        var x = Tensor.From([1f, 0, 2]).To(type);
        Assert.Contains("infinity at element 1 of (3,)",
            Assert.Throws<AnomalyException>(() => x.Log()).Message, StringComparison.Ordinal);
        Assert.Contains("NaN at element 1 of (3,)",
            Assert.Throws<AnomalyException>(() => x / x).Message, StringComparison.Ordinal);
    }

    [Theory, InlineData(DType.BFloat16), InlineData(DType.Float16)]
    public void Gradients_are_clipped_by_a_norm_in_float64(DType type)
    {
        var x = Tensor.Full([10_000], 1, type).RequireGrad();
        (x * 200).Sum().Backward();
        Assert.Equal(20_000, ClipGradients.ByNorm([x], 100).Item());
        Assert.All(x.Grad!.To(DType.Float64).ToArray<double>(), g => Assert.Equal(1, g));
        Assert.Equal(type, x.Grad!.DType);
    }

    [Theory, InlineData(DType.BFloat16, 16), InlineData(DType.Float16, 13)]
    public void Uniform_numbers_are_those_of_float32_rounded_down(DType type, int dropped)
    {
        var wide = Tensor.Rand([100_000], new Generator(3)).ToArray<float>();
        var narrow = Tensor.Rand([100_000], new Generator(3), type).To(DType.Float32).ToArray<float>();
        Assert.Contains(wide, x => (float)Round(x, type) == 1);
        for (var i = 0; i < wide.Length; i++)
            Assert.Equal(BitConverter.SingleToUInt32Bits(wide[i]) >> dropped << dropped,
                BitConverter.SingleToUInt32Bits(narrow[i]));
        var normal = Tensor.Randn([1000], new Generator(3)).To(type);
        Assert.Equal(Bits(normal), Bits(Tensor.Randn([1000], new Generator(3), type)));
        var mask = Tensor.Bernoulli([1000], 0.3, new Generator(3)).To(type);
        Assert.Equal(Bits(mask), Bits(Tensor.Bernoulli([1000], 0.3, new Generator(3), type)));
    }

    [Theory, InlineData(DType.BFloat16), InlineData(DType.Float16)]
    public void A_primitive_of_ones_own_computes_in_float32(DType type)
    {
        Tensor Half(params double[] values) => Tensor.From(values).To(type).Detach();
        // Every second one, the same for each row, with places and a state that are no half precision.
        var x = Half(1, double.NaN, 2, double.NaN, 3).Slice(0, 0, 3, step: 2).Expand(2, 3);
        var places = Tensor.From(new long[] { 2, 0, 1, 0, 0, 2 }, 2, 3);
        var (state, y) = (Tensor.From([1e-9f]), Half(10, 20, 30, 40, 50, 60).Reshape(2, 3).Clone());
        Backend.Run(new Pick(0.1), x, places, state, y);
        double[] expected = [10.3, 20.1, 30.2, 40.1, 50.1, 60.3];
        Assert.Equal(Bits(Half(expected)), Bits(y.Reshape(6)));
        Assert.Equal(7e-9f, state.ItemAt(0), 1e-15);
        Backend.Run(new Pick(0.1), x.To(DType.Float32), places, state, y);
        Assert.Equal(13e-9f, state.ItemAt(0), 1e-15);
        var error = Assert.Throws<AdjointException>(() => Backend.Run(new Pick(0.1), places, places));
        Assert.Contains("Pick: does not compute on int64", error.Message, StringComparison.Ordinal);
    }

    // y += scale · x[row, places], and a count of what was picked in units of 10⁻⁹.
    private readonly record struct Pick(double Scale) : IFloatingPrimitive<Pick>
    {
        public static string Name => "Pick";
        public static int Outputs => 2;
        public static bool IsInPlace => true;

        public static void Check(in Pick primitive, ReadOnlySpan<Tensor?> operands) { }

        public static void Run<T>(in Pick primitive, ReadOnlySpan<Tensor?> operands)
            where T : unmanaged, IBinaryFloatingPointIeee754<T>
        {
            var (x, places) = (operands[0]!.ToArray<T>(), operands[1]!.ToArray<long>());
            var (state, y) = (operands[2]!, operands[3]!.ToArray<T>());
            for (var i = 0; i < y.Length; i++)
                y[i] += T.CreateTruncating(primitive.Scale) * x[i / 3 * 3 + (int)places[i]];
            operands[3]!.CopyFrom<T>(y);
            state.CopyFrom<float>([(float)(state.ItemAt(0) + 1e-9 * places.Length)]);
        }
    }

    [Theory, MemberData(nameof(GoldenNames))]
    public void Values_agree_with_PyTorchs(string name)
    {
        Tensor x = Wave(1, 3, 40), y = Wave(2, 1, 40), positive = Round((Wave64(3, 1, 40).Abs() + 0.25));
        var value = name switch
        {
            "add" => x + y,
            "multiply" => x * y,
            "divide" => x / positive,
            "number / x" => 0.3 / positive,
            "number * x" => x * 0.1,
            "x / number" => x / 0.3,
            "number - x" => 0.1 - x,
            "pow" => positive.Pow(2.3),
            "exp" => x.Exp(),
            "log" => positive.Log(),
            "sqrt" => positive.Sqrt(),
            "sin" => x.Sin(),
            "tanh" => x.Tanh(),
            "sigmoid" => x.Sigmoid(),
            "gelu" => x.Gelu(),
            "silu" => x.Silu(),
            "clamp" => x.Clamp(-0.3, 0.3),
            "sum" => Wave(1, 3, 4, 300).Sum(1),
            "mean" => Wave(1, 3, 4, 300).Mean(1),
            "sum of ones" => Tensor.Full([10_000], 1, DType.BFloat16).Sum(),
            "max" => Wave(1, 1, 4, 30).Max(1),
            "softmax" => Wave(1, 3, 4, 10).Softmax(),
            "log_softmax" => Wave(1, 3, 4, 10).LogSoftmax(),
            "linear" => Wave(1, 1, 5, 70).Linear(Wave(2, 1, 3, 70), Wave(3, 1, 3)),
            "conv2d" => Wave(1, 1, 1, 3, 6, 5).Conv2d(Wave(2, 1, 2, 3, 3, 3), Wave(3, 1, 2), padding: 1),
            "max_pool2d" => Wave(1, 1, 1, 2, 6, 4).MaxPool2d(2),
            "layer_norm" => Wave(1, 1, 4, 30).LayerNorm(Wave(2, 1, 30), Wave(3, 1, 30)),
            "cumsum" => Wave(1, 1, 4, 30).CumSum(1),
            _ => throw new ArgumentException(name),
        };
        Assert.Equal(DType.BFloat16, value.DType);
        Assert.InRange(
            Closeness.Units(Goldens()[name], value.To(DType.Float64).ToArray<double>(), DType.BFloat16), 0, 1);
    }

    private static Dictionary<string, double[]> Goldens() => File.ReadLines(Path.Combine(
        LayeringTests.Root(), "tests", "Adjoint.Tests", "Ops", "Goldens", "bfloat16.txt"))
        .Select(line => line.Split('\t')).ToDictionary(parts => parts[0],
            parts => parts[1].Split(' ').Select(value => double.Parse(value, CultureInfo.InvariantCulture)).ToArray());

    private static Tensor Wave(int k, double scale, params int[] shape) => Round(Wave64(k, scale, shape));

    private static Tensor Wave64(int k, double scale, params int[] shape) => Tensor.From(
        [.. Enumerable.Range(0, shape.Aggregate(1, (a, b) => a * b)).Select(i => Math.Sin(0.7 * i + k) * scale)],
        shape).To(DType.BFloat16).To(DType.Float64);

    private static Tensor Round(Tensor x) => x.To(DType.BFloat16);

    private static double Round(float x, DType type) => type == DType.BFloat16 ? (BFloat16)x : (double)(Half)x;

    private static short[] Bits(Tensor x) => x.DType switch
    {
        DType.BFloat16 => Array.ConvertAll(x.ToArray<BFloat16>(), value => (short)value.Bits),
        DType.Float16 => Array.ConvertAll(x.ToArray<Half>(), BitConverter.HalfToInt16Bits),
        _ => [.. x.ToArray<double>().SelectMany(
            value => new[] { (short)(BitConverter.DoubleToInt64Bits(value) >> 48) })],
    };
}
