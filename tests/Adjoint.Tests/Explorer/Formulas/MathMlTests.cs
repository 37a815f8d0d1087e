using System.Xml.Linq;
using Adjoint.Explorer;
using Adjoint.Shared;

namespace Adjoint.Tests.Explorer;

public sealed class MathMlTests
{
    public static TheoryData<string, string> Texts()
    {
        var texts = new TheoryData<string, string>();
        foreach (var entry in OpCatalogue.All)
        {
            texts.Add(entry.Op.Name, entry.Op.Formula);
            texts.Add(entry.Op.Name, entry.Op.Derivation);
        }
        return texts;
    }

    [Theory, MemberData(nameof(Texts))]
    public void Every_formula_is_well_formed_and_loses_nothing(string op, string text)
    {
        var set = XElement.Parse($"<p>{Html.Write(MathMl.Convert(text))}</p>").Value;
        Assert.True(Signs(text) == Signs(set), $"{op}: {text}\n{Signs(text)}\n{Signs(set)}");
    }

    [Theory]
    [InlineData("z = x / y", "<math><mi>z</mi></math> <math><mo>=</mo><mfrac><mi>x</mi><mi>y</mi></mfrac></math>")]
    [InlineData("y = x²", "<math><mi>y</mi></math> " +
        "<math><mo>=</mo><msup><mi>x</mi><mrow><mn>2</mn></mrow></msup></math>")]
    [InlineData("√(2π)", "<math><msqrt><mn>2</mn><mi>π</mi></msqrt></math>")]
    [InlineData(
        "Σₖ Aᵢₖ",
        "<math><msub><mo>Σ</mo><mrow><mi>k</mi></mrow></msub>" +
        "<msub><mi>A</mi><mrow><mi>i</mi><mi>k</mi></mrow></msub></math>")]
    [InlineData(
        "∂L/∂x = g",
        "<math><mfrac><mrow><mo>∂</mo><mi>L</mi></mrow><mrow><mo>∂</mo><mi>x</mi></mrow></mfrac></math> " +
        "<math><mo>=</mo><mi>g</mi></math>")]
    [InlineData(
        "e^(−x²/2)",
        "<math><msup><mi>e</mi><mrow><mo>−</mo><mfrac><msup><mi>x</mi>" +
        "<mrow><mn>2</mn></mrow></msup><mn>2</mn></mfrac></mrow></msup></math>")]
    [InlineData("g where x < y, else 0", "<math><mi>g</mi></math> where " +
        "<math><mi>x</mi><mo>&lt;</mo><mi>y</mi></math>, else <math><mn>0</mn></math>")]
    [InlineData("|x|", "<math><mrow><mo>|</mo><mi>x</mi><mo>|</mo></mrow></math>")]
    [InlineData("y = 123456789 · 12345678912345 + x · z", "<math><mi>y</mi></math> " +
        "<math><mo>=</mo><mn>123456789</mn><mo>·</mo><mn>12345678912345</mn></math> <math><mo " +
        "form=\"infix\">+</mo><mi>x</mi><mo>·</mo><mi>z</mi></math>")]
    public void Forms_are_set(string text, string expected) => Assert.Equal(expected, Html.Write(MathMl.Convert(text)));

    [Theory, InlineData(""), InlineData("("), InlineData("x^"), InlineData("a/"), InlineData("|"), InlineData("√"),
        InlineData("]}"), InlineData("∂"), InlineData("<b>&amp;")]
    public void What_is_no_formula_does_no_harm(string text) =>
        XElement.Parse($"<p>{Html.Write(MathMl.Convert(text))}</p>");

    // What may differ: spaces, the bars of fractions, the signs that only say raised, lowered or root, and brackets
    // that those make needless.
    private static string Signs(string text)
    {
        const string from = "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺ᵀᵖʸˣᵏⁿⁱ₀₁₂₃₄₅₆₇₈₉₋₊ᵢⱼₖₙₘ\u0302";
        const string to = "0123456789−+Tpyxkni0123456789−+ijknm^";
        return string.Concat(text.Select(sign => from.IndexOf(sign, StringComparison.Ordinal) is >= 0 and var i
            ? to[i]
            : sign).Where(sign => !" \u00a0/√^_(){}".Contains(sign, StringComparison.Ordinal)));
    }
}
