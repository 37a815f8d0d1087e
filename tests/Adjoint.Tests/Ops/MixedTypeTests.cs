using System.Globalization;

namespace Adjoint.Tests.Ops;

/// <summary>
/// Ops on operands of two types against PyTorch 1.13 (Debian's python3-torch): Goldens/mixed_types.txt, written by the
/// script beside.
/// </summary>
public class MixedTypeTests
{
    private static readonly string Goldens =
        Path.Combine(LayeringTests.Root(), "tests", "Adjoint.Tests", "Ops", "Goldens");

    private static string[] Lines() => File.ReadAllLines(Path.Combine(Goldens, "mixed_types.txt"));

    [Fact]
    public void Types_and_values_are_PyTorchs()
    {
        var wrong = new List<string>();
        var compared = 0;
        foreach (var line in Lines())
        {
            var words = line.Split(' ');
            // What its processors' kernels lack in half precision, ours has.
            if (words[3] == "refused" && line.Contains("float16", StringComparison.Ordinal)) continue;
            var found = Result(words);
            // It refuses any difference with truth values; ours is one of numbers where the other is a number.
            if (words[3] == "refused" && words[0] == "sub" && found != "refused") continue;
            compared++;
            if (!Agree(words[3..], found.Split(' '))) wrong.Add($"{line}: found {found}");
        }
        Assert.Empty(wrong);
        Assert.InRange(compared, 3500, 4416);
    }

    [Fact]
    public async Task The_golden_file_is_what_PyTorch_says_today() =>
        Assert.Equal(Lines(), await PyTorchScript.LinesOf(Path.Combine(Goldens, "mixed_types.py")));

    [Fact]
    public void Each_operand_gets_a_gradient_of_its_own_type()
    {
        var (x, y) = (Tensor.From(new[] { 2f, 3 }).RequireGrad(), Tensor.From(new[] { 0.5, 4 }).RequireGrad());
        var z = x * y + Tensor.From(new long[] { 1, 2 });
        Assert.Equal(DType.Float64, z.DType);
        z.Sum().Backward();
        Assert.Equal([0.5f, 4], x.Grad!.ToArray<float>());
        Assert.Equal([2.0, 3], y.Grad!.ToArray<double>());
        (x.Grad, y.Grad) = (null, null);
        Tensor.Concat([x, y, Tensor.From(new[] { true })]).Square().Sum().Backward();
        Assert.Equal([4f, 6], x.Grad!.ToArray<float>());
        Assert.Equal([1.0, 8], y.Grad!.ToArray<double>());
    }

    [Fact]
    public void A_graph_may_have_parts_without_gradients()
    {
        var x = Tensor.From(new[] { -2f, 1, 3, 5 }).RequireGrad();
        var mask = x.Greater(0) & ~x.Greater(4);
        var count = mask.Sum();
        (Tensor.Where(mask, x * x, 0) / count).Sum().Backward();
        Assert.Equal(2, count.Item<long>());
        Assert.Equal([0f, 1, 3, 0], x.Grad!.ToArray<float>());
        Assert.False(mask.RequiresGrad);
        Assert.Null(mask.Source);
    }

    [Fact]
    public void The_casts_are_part_of_a_recorded_graph()
    {
        using var recording = new RecordGraph();
        var y = Tensor.From(new long[] { 1, 2 }).Exp();
        Assert.Equal("Cast", y.Source!.Inputs[0].Source!.Op.Name);
        Assert.Equal(DType.Int64, y.Source.Inputs[0].Source!.Inputs[0].DType);
    }

    [Fact]
    public void Captured_parts_of_whole_numbers_have_the_eager_values_and_errors()
    {
        static Tensor Step(Tensor x)
        {
            var mask = x.Greater(0) & !x.Greater(1);
            var count = mask.CumSum(0);
            return Tensor.Where(mask, x * count.Remainder(2), 0) + (count & 1) * 2 + x.Pow(2) + count.FloorDivide(3);
        }

        var captured = CapturedFunction.Create(Step);
        for (var i = 0; i < 4; i++)
        {
            var x = Tensor.Randn([40], new Generator((ulong)i));
            Assert.Equal(Step(x).ToArray<float>(), captured.Run(x).ToArray<float>());
        }
        Assert.Equal(2, captured.Report.Replayed);
        var quotient = CapturedFunction.Create((Tensor x, Tensor y) => x.FloorDivide(y));
        var whole = Tensor.Arange(3);
        for (var i = 0; i < 3; i++) Assert.Equal([0L, 0, 0], quotient.Run(whole, whole + 1).ToArray<long>());
        Assert.Contains("no quotient by 0", Assert.Throws<AdjointException>(() => quotient.Run(whole, whole)).Message,
            StringComparison.Ordinal);
        Assert.Equal([0L, 0, 0], quotient.Run(whole, whole + 1).ToArray<long>());
    }

    private static string Result(string[] words)
    {
        var (x, left) = Operand(words[1], [7, 3]);
        var (y, right) = Operand(words[2], [2, 1]);
        Tensor z;
        try
        {
            z = words[0] switch
            {
                "add" => x is null ? left + y! : y is null ? x + right : x + y,
                "sub" => x is null ? left - y! : y is null ? x - right : x - y,
                "mul" => x is null ? left * y! : y is null ? x * right : x * y,
                "div" => x is null ? left / y! : y is null ? x / right : x / y,
                "floor" => y is null ? x!.FloorDivide(right) : x!.FloorDivide(y),
                "remainder" => y is null ? x!.Remainder(right) : x!.Remainder(y),
                "maximum" => x!.Maximum(y!),
                "minimum" => x!.Minimum(y!),
                "pow" => y is null ? x!.Pow(right) : x!.Pow(y),
                "equal" => y is null ? x!.EqualTo(right) : x!.EqualTo(y),
                "less" => y is null ? x!.Less(right) : x!.Less(y),
                "and" => y is null ? x! & right : x! & y,
                "or" => y is null ? x! | right : x! | y,
                "xor" => y is null ? x! ^ right : x! ^ y,
                "where" => Tensor.Where(Tensor.From(new[] { true, false }), x!, y!),
                "concat" => Tensor.Concat([x!, y!]),
                var other => throw new NotSupportedException(other),
            };
        }
        catch (AdjointException)
        {
            return "refused";
        }
        var values = z.To(DType.Float64).ToArray<double>()
            .Select(value => value.ToString("R", CultureInfo.InvariantCulture));
        return $"{z.DType.Label()} {string.Join(' ', values)}";
    }

    // A tensor, or a number.
    private static (Tensor? Tensor, Number Number) Operand(string text, double[] values)
    {
        var words = text.Split(':');
        if (words[0] == "int") return (null, 2);
        if (words[0] == "float") return (null, 2.5);
        var type = Enum.GetValues<DType>().Single(type => type.Label() == words[1]);
        var all = Tensor.From(values).To(type);
        return (words[0] == "axes" ? all : all[0], default);
    }

    private static bool Agree(string[] expected, string[] found)
    {
        if (expected[0] != found[0] || expected.Length != found.Length) return false;
        var exact = expected[0] switch { "bfloat16" => 8e-3, "float16" => 1e-3, "float32" => 1e-6, _ => 1e-8 };
        return expected[1..].Zip(found[1..]).All(pair =>
        {
            var (a, b) = (
                double.Parse(
                    pair.First.Replace("inf", "Infinity", StringComparison.Ordinal), CultureInfo.InvariantCulture),
                double.Parse(pair.Second, CultureInfo.InvariantCulture));
            return a.Equals(b) || Math.Abs(a - b) <= exact * Math.Max(1, Math.Abs(a));
        });
    }
}
