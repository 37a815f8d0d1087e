using System.Text.RegularExpressions;

namespace Adjoint.Explorer;

/// <summary>
/// The symbols of an op's formula and derivation: for its result, its inputs and the gradient of the result.
/// </summary>
/// <param name="Result">What stands before the formula's first equals sign.</param>
/// <param name="Inputs">In order: what the derivation differentiates by.</param>
/// <param name="Gradient">∂L/∂(the result): g, or G where matrices have capitals.</param>
internal sealed partial record FormulaSymbols(string Result, IReadOnlyList<string> Inputs, string Gradient)
{
    /// <summary>
    /// Reads the symbols of an op with so many inputs. One for several inputs, as in xᵢ, is numbered: x₁, x₂.
    /// </summary>
    internal static FormulaSymbols Of(Op op, int inputs)
    {
        var result = Letter().Match(op.Formula).Value;
        string[] named = [.. Derived().Matches(op.Derivation).Select(match => match.Groups[1].Value).Distinct()];
        return new(
            result,
            named.Length == inputs
                ? named
                : [.. Enumerable.Range(1, inputs).Select(i => $"{named[0]}{(char)('₀' + i)}")],
            op.Derivation.Contains('G', StringComparison.Ordinal) ? "G" : "g");
    }

    [GeneratedRegex(@"^\p{L}")]
    private static partial Regex Letter();

    [GeneratedRegex(@"∂L/∂(\p{L})")]
    private static partial Regex Derived();
}
