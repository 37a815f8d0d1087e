namespace Adjoint.Tests.Tensors;

/// <summary>
/// Types of results against PyTorch 1.13 (Debian's python3-torch): Goldens/promotion.txt, written by the script beside.
/// </summary>
public class PromotionTests
{
    private static readonly string Goldens =
        Path.Combine(LayeringTests.Root(), "tests", "Adjoint.Tests", "Tensors", "Goldens");

    private static string[] Lines() => File.ReadAllLines(Path.Combine(Goldens, "promotion.txt"));

    [Fact]
    public void Types_of_results_are_PyTorchs()
    {
        var lines = Lines();
        Assert.All(lines, line =>
        {
            var words = line.Split(' ');
            Assert.Equal(words[^1], (words[0] == "types"
                ? DTypes.Promote(Named(words[1]), Named(words[2]))
                : words[1] switch
                {
                    "int" => Promotion.ResultType(Operand(words[0]), 3),
                    "float" => Promotion.ResultType(Operand(words[0]), 0.5),
                    _ => Promotion.ResultType([.. words[..^1].Select(Operand)]),
                }).Label());
        });
        var types = Enum.GetValues<DType>().Length;
        Assert.Equal(5 * types * types + 4 * types + types * types * types, lines.Distinct().Count());
    }

    [Fact]
    public async Task The_golden_file_is_what_PyTorch_says_today() =>
        Assert.Equal(Lines(), await PyTorchScript.LinesOf(Path.Combine(Goldens, "promotion.py")));

    [Fact]
    public void A_type_that_is_none_is_named()
    {
        var error = Assert.Throws<AdjointException>(() => DTypes.Promote((DType)77, DType.Bool));
        Assert.Equal("Tensor: no element type has the number 77; use a member of DType", error.Message);
        Assert.Throws<ArgumentException>(() => Promotion.ResultType());
    }

    private static DType Named(string label) => Enum.GetValues<DType>().Single(type => type.Label() == label);

    private static Tensor Operand(string text)
    {
        var words = text.Split(':');
        return Tensor.Empty(words[0] == "axes" ? [2] : default(Shape), Named(words[1]));
    }
}
