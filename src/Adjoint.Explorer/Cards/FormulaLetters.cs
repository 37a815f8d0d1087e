using System.Text.RegularExpressions;

namespace Adjoint.Exploring;

/// <summary>What an op's formula and derivation call its result, its inputs and the gradient that arrives.</summary>
/// <param name="Result">What stands before the formula's first equals sign.</param>
/// <param name="Inputs">In order: what the derivation derives by.</param>
/// <param name="Arriving">∂L/∂(the result): g, or G where matrices have capitals.</param>
internal sealed partial record FormulaLetters(string Result, IReadOnlyList<string> Inputs, string Arriving)
{
    /// <summary>
    /// Reads the letters of an op with so many inputs. One letter for several inputs, as in xᵢ, is counted: x₁, x₂.
    /// </summary>
    internal static FormulaLetters Of(Op op, int inputs)
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
