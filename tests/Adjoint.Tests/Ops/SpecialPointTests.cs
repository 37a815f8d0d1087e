using System.Globalization;
using System.Text.Json;

namespace Adjoint.Tests.Ops;

/// <summary>
/// Values and gradients at 0, −0, NaN, ±∞, ties, huge and tiny numbers against PyTorch 1.13 (Debian's python3-torch).
/// The
/// figures are Goldens/special_points.json, written by the script beside it; where this library differs, a row says
/// why.
/// </summary>
public class SpecialPointTests
{
    private const string Goldens = "tests/Adjoint.Tests/Ops/Goldens/special_points.json";
    private const int RowCount = 18;

    private static readonly Dictionary<string, Func<Tensor[], Tensor>> Calls = new()
    {
        ["Negate"] = x => -x[0],
        ["Affine"] = x => 2 - x[0] * 3,
        ["Scaled"] = x => x[0] * 2,
        ["Shifted"] = x => x[0] + 1,
        ["DivideByNumber"] = x => x[0] / 3,
        ["Abs"] = x => x[0].Abs(),
        ["Sign"] = x => x[0].Sign(),
        ["Clamp"] = x => x[0].Clamp(-1, 1),
        ["Exp"] = x => x[0].Exp(),
        ["Log"] = x => x[0].Log(),
        ["Log1p"] = x => x[0].Log1p(),
        ["Sqrt"] = x => x[0].Sqrt(),
        ["Square"] = x => x[0].Square(),
        ["Sin"] = x => x[0].Sin(),
        ["Cos"] = x => x[0].Cos(),
        ["Tanh"] = x => x[0].Tanh(),
        ["Sigmoid"] = x => x[0].Sigmoid(),
        ["Relu"] = x => x[0].Relu(),
        ["LeakyRelu"] = x => x[0].LeakyRelu(0.1),
        ["Elu"] = x => x[0].Elu(),
        ["Gelu"] = x => x[0].Gelu(),
        ["GeluTanh"] = x => x[0].GeluTanh(),
        ["NormalCdf"] = x => x[0].NormalCdf(),
        ["Erf"] = x => x[0].Erf(),
        ["Silu"] = x => x[0].Silu(),
        ["Softplus"] = x => x[0].Softplus(),
        ["Reciprocal"] = x => 1 / x[0],
        ["Add"] = x => x[0] + x[1],
        ["Subtract"] = x => x[0] - x[1],
        ["Multiply"] = x => x[0] * x[1],
        ["Divide"] = x => x[0] / x[1],
        ["PowerOfTensors"] = x => x[0].Pow(x[1]),
        ["Minimum"] = x => x[0].Minimum(x[1]),
        ["Maximum"] = x => x[0].Maximum(x[1]),
        ["Where"] = x => Tensor.Where(x[0].Greater(0), x[0], x[1]),
        ["Mse"] = x => Each(x, Loss.Mse),
        ["L1"] = x => Each(x, Loss.L1),
        ["Huber"] = x => Each(x, (a, b, reduction) => Loss.Huber(a, b, reduction: reduction)),
        ["Sum"] = x => x[0].Sum(1),
        ["CumSum"] = x => x[0].CumSum(1),
        ["Mean"] = x => x[0].Mean(1),
        ["Var"] = x => x[0].Var(1),
        ["Var of the count"] = x => x[0].Var(1, correction: 4),
        ["LogSumExp"] = x => x[0].LogSumExp(1),
        ["Max"] = x => x[0].Max(1),
        ["Min"] = x => x[0].Min(1),
        ["Max of all"] = x => x[0].Max(1),
        ["Min of all"] = x => x[0].Min(1),
        ["Softmax"] = x => x[0].Softmax(),
        ["LogSoftmax"] = x => x[0].LogSoftmax(),
        ["LayerNorm"] = x => x[0].LayerNorm(Tensor.Full([4], 1, x[0].DType)),
        ["MaxPool2d"] = x => x[0].Reshape(-1, 1, 2, 2).MaxPool2d(2),
        ["AvgPool2d"] = x => x[0].Reshape(-1, 1, 2, 2).AvgPool2d(2),
        ["CrossEntropy"] = x => PerRow(x[0], row => Loss.CrossEntropy(row, Tensor.From(new long[] { 0 }))),
        ["CrossEntropy, smoothed"] = x =>
            PerRow(x[0], row => Loss.CrossEntropy(row, Tensor.From(new long[] { 1 }), 0.2)),
        ["Nll"] = x => PerRow(x[0], row => Loss.Nll(row.LogSoftmax(), Tensor.From(new long[] { 0 }))),
        ["BceWithLogits"] = x => Each([x[0], Tensor.From([0, 1, 0.25, 1]).To(x[0].DType).Expand(RowCount, 4)],
            Loss.BceWithLogits),
        ["MatMul"] = x => x[0].MatMul(Tensor.From([1.0, 0, 0, 1, -1, 2, 0.5, -1], 4, 2).To(x[0].DType)),
    };

    // Where this library differs, and why. The point is the inputs of an element, or of a row.
    private static readonly Difference[] Differences =
    [
        new("Sign", "value", HasNaN, "NaN stays NaN and leaves a trace; PyTorch gives 0", double.NaN),
        new("Abs", "gradient", HasNaN, "g · sign(NaN) is NaN and leaves a trace; PyTorch gives 0", double.NaN),
        new("L1", "gradient", x => double.IsNaN(x[0] - x[1]), "as for Abs", double.NaN),
        new("Elu", "gradient", HasNaN,
            "PyTorch passes the gradient of a NaN in short tensors, and gives NaN in long ones"),
        new("Elu", "value", x => Math.Abs(x[0]) < 1e-4, "eˣ − 1 without cancellation; PyTorch rounds eˣ first"),
        new("Power 0.5", "value", HasMinusInfinity, "the C standard; PyTorch takes the root", double.PositiveInfinity),
        new("Power 0.5", "gradient", HasMinusInfinity, "½ · (−∞)^−½ by the C standard; PyTorch takes the root", 0),
        new("Power -0.5", "value", HasMinusInfinity, "the C standard; PyTorch takes the root", 0),
        new("Power 1.5", "gradient", HasMinusInfinity, "1.5 · (−∞)^½ by the C standard", double.PositiveInfinity),
        new("Sum", "value", x => x.Any(IsHuge), "which numbers cancel depends on the order, that on the width of vectors"),
        new("Mean", "value", x => x.Any(IsHuge), "as for Sum"),
        new("Var", "gradient", x => !x.All(IsModest),
            "goes through the mean too, where ∞ meets ∞, or rounding of 10⁸ shows"),
        new("Var", "value", x => x.Any(IsHuge), "squares that overflow make it ∞; PyTorch has ∞ − ∞",
            double.PositiveInfinity),
        new("Var of the count", "value", x => x.Any(IsHuge), "as for Var", double.PositiveInfinity),
        new("Var of the count", "gradient", _ => true, "goes through the mean too, where ∞ meets ∞", double.NaN),
        new("LogSumExp", "gradient", x => x.Max() >= 1e4,
            "softmax(x) itself; PyTorch exponentiates a difference of rounded numbers"),
        new("Max", "gradient", HasNaN,
            "NaNs share the gradient, as in max() of PyTorch; its amax() gives NaN to the whole row"),
        new("Min", "gradient", HasNaN,
            "NaNs share the gradient, as in min() of PyTorch; its amin() gives NaN to the whole row"),
        new("MaxPool2d", "gradient", x => x.Count(double.IsNaN) > 1, "the first NaN wins; in PyTorch the last"),
        new("LayerNorm", "value", x => x.Distinct().Count() == 1, "a constant row is 0; PyTorch rounds its mean", 0),
        new("LayerNorm", "", x => x.Max() >= 1e8, "the mean has its last digit; squares that overflow give 0, not NaN"),
        new("BceWithLogits", "value", x => x.Any(double.IsInfinity), "the limit, ∞; PyTorch has 0 · ∞",
            double.PositiveInfinity),
    ];

    private static readonly JsonElement[] Cases =
    [
        .. JsonDocument.Parse(File.ReadAllText(Path.Combine(LayeringTests.Root(),
            Goldens))).RootElement.EnumerateArray(),
    ];

    public static TheoryData<int, string> Rows() =>
        [.. Cases.Select((one, i) => (i, $"{Text(one, "op")} {Text(one, "type")}"))];

    [Theory, MemberData(nameof(Rows))]
    public void Values_and_gradients_are_PyTorchs_or_the_row_says_why_not(int number, string name)
    {
        var one = Cases[number];
        var (op, type) = (Text(one, "op"), Text(one, "type") == "float32" ? DType.Float32 : DType.Float64);
        var inputs = one.GetProperty("x").EnumerateArray().Select(x => Numbers(x.GetString()!)).ToArray();
        var expected = Numbers(Text(one, "y"));
        var slopes = one.GetProperty("dx").EnumerateArray().Select(x => Numbers(x.GetString()!)).ToArray();
        var isOfRows = inputs.Length == 1 && inputs[0].Length == 4 * RowCount;
        var rows = isOfRows ? RowCount : inputs[0].Length;
        var wrong = new List<string>();
        foreach (var createGraph in (bool[])[false, true])
        {
            int[] shape = isOfRows ? [RowCount, 4] : [rows];
            var leaves = inputs.Select(x => Tensor.From(x, shape).To(type).Detach().RequireGrad()).ToArray();
            var y = Call(op)(leaves);
            var weights = Tensor.From([.. Enumerable.Range(0, y.Length).Select(i => 1.0 + i % 3)]).To(type);
            var values = y.To(DType.Float64).ToArray<double>();
            var gradients = Differentiation.Gradients(y, leaves, weights.Reshape(y.Shape.Sizes),
                createGraph: createGraph);
            for (var i = 0; i < expected.Length; i++)
                Check("value", i, i / (expected.Length / rows), expected[i], values[i]);
            for (var k = 0; k < leaves.Length; k++)
            {
                var found = gradients[k]!.To(DType.Float64).ToArray<double>();
                for (var i = 0; i < found.Length; i++)
                    Check($"gradient {k}{(createGraph ? ", by the rule" : "")}", i, i / (found.Length / rows),
                        slopes[k][i], found[i]);
            }

            void Check(string what, int at, int row, double wanted, double got)
            {
                if (AreAlike(wanted, got, type)) return;
                double[] point = isOfRows ? inputs[0][(row * 4)..(row * 4 + 4)] : [.. inputs.Select(x => x[at])];
                if (Differences.Any(known => known.Covers(op, what, point, got))) return;
                wrong.Add($"{op} {type} {what} at ({string.Join(", ", point)}) [{at}]: {got:R}, PyTorch {wanted:R}");
            }
        }
        Assert.True(wrong.Count == 0, name + "\n" + string.Join('\n', wrong.Distinct()));
    }

    // Ops that move, add or multiply elements: nothing in them knows a special value.
    [Fact]
    public void Every_row_of_the_table_has_its_special_points()
    {
        string[] moving =
        [
            "Sum of the middle axis", "Sum of outer axes", "Expand", "Reshape", "Permute", "Slice", "Place",
                "Contiguous",
            "Concat", "Stack", "Gather", "ScatterAdd", "Accumulate", "Cast", "IndexSelect", "IndexAdd", "PadReflect",
            "PadReflect of both axes", "PadZero", "MaxUnpool2d", "MaxSelect2d", "Embedding", "Mask", "Split",
            "Transfer", "CumSum of the middle axis, reversed",
        ];
        // Theirs are in TopKTests: PyTorch leaves open which of equals comes first.
        string[] ordering = ["TopK", "TopK of the smallest, as they lie", "Sort"];
        // Theirs are in IntegerDivisionTests and LogicTests.
        string[] exact = ["FloorDivide", "Remainder", "And", "Or", "Xor", "Not", "Any", "All"];
        string[] products =
            ["MatMul", "Linear", "Conv", "Interpolate", "AdaptiveAvgPool2d", "GlobalAvgPool2d", "AvgPool2d",
                "MaxPool2d"];
        // Their special points are in DivisionTests, and in the rows of the ops that they are made of.
        string[] composed =
            ["Normalize", "BatchNorm", "BatchNorm of columns", "GroupNorm", "RmsNorm", "CrossEntropy, sum, smoothed"];
        var known = Cases.Select(one =>
            Text(one, "op").Split(' ')[0]).Concat(Cases.Select(one => Text(one, "op"))).ToHashSet();
        Assert.DoesNotContain(OpCases.All.Select(row => row.Name), name => !known.Contains(name)
            && !moving.Contains(name) && !composed.Contains(name) && !ordering.Contains(name)
            && !exact.Contains(name) && !products.Any(product => name.StartsWith(product, StringComparison.Ordinal)));
    }

    private static bool HasNaN(double[] x) => x.Any(double.IsNaN);

    private static bool HasMinusInfinity(double[] x) => x.Any(double.IsNegativeInfinity);

    private static bool IsHuge(double x) => Math.Abs(x) > 1e38 && double.IsFinite(x);

    private static bool IsModest(double x) => Math.Abs(x) < 1e6;

    private static Func<Tensor[], Tensor> Call(string op)
    {
        if (!op.StartsWith("Power ", StringComparison.Ordinal)) return Calls[op];
        var p = double.Parse(op["Power ".Length..], CultureInfo.InvariantCulture);
        return x => x[0].Pow(p);
    }

    private static bool AreAlike(double wanted, double got, DType type)
    {
        if (double.IsNaN(wanted) || double.IsNaN(got)) return double.IsNaN(wanted) && double.IsNaN(got);
        if (wanted == got) return true;
        var (relative, smallest) = type == DType.Float32 ? (4e-6, 3e-45) : (1e-13, 1e-323);
        return Math.Abs(wanted - got) <= relative * Math.Abs(wanted) + smallest;
    }

    private static Tensor Each(Tensor[] x, Func<Tensor, Tensor, Reduction, Tensor> loss)
    {
        var (left, right) = (x[0].Reshape(-1), x[1].Reshape(-1));
        var each = Enumerable.Range(0, left.Length).Select(i =>
            loss(left.Slice(0, i, 1), right.Slice(0, i, 1), Reduction.Sum));
        return Tensor.Stack([.. each]).Reshape(x[0].Shape.Sizes);
    }

    private static Tensor PerRow(Tensor x, Func<Tensor, Tensor> loss) =>
        Tensor.Stack([.. Enumerable.Range(0, x.Shape[0]).Select(i => loss(x.Slice(0, i, 1)))]);

    private static string Text(JsonElement one, string name) => one.GetProperty(name).GetString()!;

    private static double[] Numbers(string text) => [.. text.Split(' ').Select(number => number switch
    {
        "nan" => double.NaN,
        "inf" => double.PositiveInfinity,
        "-inf" => double.NegativeInfinity,
        _ => double.Parse(number, CultureInfo.InvariantCulture),
    })];

    /// <summary>A difference from PyTorch that is meant.</summary>
    private sealed record Difference(string Op, string What, Func<double[], bool> At, string Reason, double? Own = null)
    {
        public bool Covers(string op, string what, double[] point, double found) =>
            op == Op && what.StartsWith(What, StringComparison.Ordinal) && At(point)
            && (Own is not { } own || own.Equals(found) || own == found);
    }
}
