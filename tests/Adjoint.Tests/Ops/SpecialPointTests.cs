using System.Globalization;
using System.Text.Json;

namespace Adjoint.Tests.Ops;

/// <summary>
/// Values and gradients at 0, −0, NaN, ±∞, ties, huge and tiny numbers against PyTorch 1.13 (Debian's python3-torch).
/// The figures are Goldens/special_points.json, written by the script beside it; where this library differs, a row of
/// <see cref="OpCases"/> says why.
/// </summary>
public class SpecialPointTests
{
    private const string Goldens = "tests/Adjoint.Tests/Ops/Goldens/special_points.json";
    private const int RowCount = 18;

    private static readonly JsonElement[] Cases =
    [
        .. JsonDocument.Parse(File.ReadAllText(Path.Combine(LayeringTests.Root(),
            Goldens))).RootElement.EnumerateArray(),
    ];

    private static readonly Dictionary<string, (OpCase Row, Golden Golden)> Known =
        OpCases.All.SelectMany(row => row.Goldens.Select(golden => (Row: row, Golden: golden)))
            .ToDictionary(one => one.Golden.Name);

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
            var y = (Known[op].Golden.Call ?? Known[op].Row.Call)(leaves);
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
                if (Known[op].Golden.Differences.Any(known => known.Covers(what, point, got))) return;
                wrong.Add($"{op} {type} {what} at ({string.Join(", ", point)}) [{at}]: {got:R}, PyTorch {wanted:R}");
            }
        }
        Assert.True(wrong.Count == 0, name + "\n" + string.Join('\n', wrong.Distinct()));
    }

    [Fact]
    public void Every_row_has_its_special_points_or_says_where_they_are()
    {
        Assert.All(OpCases.All, row =>
            Assert.True(row.Goldens is [] != row.SpecialPoints is null, $"{row.Name}: goldens or a reason"));
        Assert.Equal(Cases.Select(one => Text(one, "op")).Distinct().Order(), Known.Keys.Order());
        // A test that is named exists.
        var named = OpCases.All.Select(row => row.SpecialPoints?.Split([',', ':'])[0] ?? "").Distinct()
            .Where(text => text.EndsWith("Tests", StringComparison.Ordinal));
        Assert.Empty(named.Except(typeof(SpecialPointTests).Assembly.GetTypes().Select(type => type.Name)));
    }

    public static TheoryData<string> Elementwise() =>
        OpCases.Names(row => row.IsElementwise && row.Types.Contains(DType.Float64));

    // Where the naive formula is itself NaN, finite or infinite, so are we.
    [Theory, MemberData(nameof(Elementwise))]
    public void NaN_and_infinities_follow_the_formula(string name)
    {
        var row = OpCases.Named(name);
        double[] special = [double.NaN, double.PositiveInfinity, double.NegativeInfinity, 0.0, 1];
        foreach (var dtype in (DType[])[DType.Float32, DType.Float64])
        {
            var inputs = row.Shapes.Select((_, i) => i == 0 ? special : [1, 2, 2, 2, double.NaN]).ToArray();
            var expected = row.Reference(inputs);
            var x = inputs.Select(values => Tensor.From(values, 5).To(dtype).Detach());
            var actual = row.Call([.. x]).To(DType.Float64).ToArray<double>();
            for (var i = 0; i < 5; i++)
            {
                var point = $"{name}({string.Join(", ", inputs.Select(values => values[i]))}) = {actual[i]}";
                if (i is 0 or 4 && double.IsNaN(expected[i])) Assert.True(double.IsNaN(actual[i]), point);
                if (!double.IsNaN(expected[i])) Assert.Equal(expected[i], actual[i], 1e-6);
            }
        }
    }

    private static bool AreAlike(double wanted, double got, DType type)
    {
        if (double.IsNaN(wanted) || double.IsNaN(got)) return double.IsNaN(wanted) && double.IsNaN(got);
        if (wanted == got) return true;
        var (relative, smallest) = type == DType.Float32 ? (4e-6, 3e-45) : (1e-13, 1e-323);
        return Math.Abs(wanted - got) <= relative * Math.Abs(wanted) + smallest;
    }

    private static string Text(JsonElement one, string name) => one.GetProperty(name).GetString()!;

    private static double[] Numbers(string text) => [.. text.Split(' ').Select(number => number switch
    {
        "nan" => double.NaN,
        "inf" => double.PositiveInfinity,
        "-inf" => double.NegativeInfinity,
        _ => double.Parse(number, CultureInfo.InvariantCulture),
    })];
}
