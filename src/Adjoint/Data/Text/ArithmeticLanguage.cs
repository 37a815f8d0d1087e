using System.Globalization;

namespace Adjoint.Data;

/// <summary>
/// Sums of whole numbers in decimal, <c>8+5+9=22</c>, each term drawn evenly from 0 to the largest. What comes next is
/// determined where a term cannot have another digit: then it is the sign behind it; and from the equals sign on: then
/// it is the next digit of the sum, and the end after the last.
/// </summary>
public sealed class ArithmeticLanguage : FormalLanguage
{
    private const int MostTerms = 100, MostLargest = 999_999;

    private readonly int terms;
    private readonly int largest;

    /// <summary>Creates a language.</summary>
    /// <param name="terms">The number of terms of a sum, 2 to 100.</param>
    /// <param name="largest">The largest term, 1 to 999,999.</param>
    /// <exception cref="AdjointException">A number is out of range.</exception>
    public ArithmeticLanguage(int terms = 3, int largest = 9) : base("arithmetic", "+0123456789=")
    {
        if (terms is < 2 or > MostTerms || largest is < 1 or > MostLargest)
            throw new AdjointException(
                $"ArithmeticLanguage: 2 to {MostTerms} terms from 0 to 1, or to {MostLargest} at most, are needed: "
                + $"found {terms} terms to {largest}");
        (this.terms, this.largest) = (terms, largest);
    }

    /// <inheritdoc/>
    public override string Next(ReadOnlySpan<char> prefix)
    {
        var (sum, place) = (0, 0);
        for (var i = 1; i <= terms; i++)
        {
            var sign = i < terms ? '+' : '=';
            var end = prefix[place..].IndexOf(sign);
            var term = end < 0 ? prefix[place..] : prefix.Slice(place, end);
            var next = NextOfTerm(term, sign);
            if (end < 0 || !next.Contains(sign, StringComparison.Ordinal)) return end < 0 ? next : "";
            sum += int.Parse(term, CultureInfo.InvariantCulture);
            place += end + 1;
        }
        var result = $"{sum.ToString(CultureInfo.InvariantCulture)}{End}";
        var given = prefix[place..];
        return given.Length < result.Length && result.AsSpan().StartsWith(given) ? result[given.Length..][..1] : "";
    }

    private protected override string Draw(ref SampleRandom random)
    {
        var (text, sum) = ("", 0);
        for (var i = 1; i <= terms; i++)
        {
            var term = random.Next(largest + 1);
            text += $"{term.ToString(CultureInfo.InvariantCulture)}{(i < terms ? '+' : '=')}";
            sum += term;
        }
        return text + sum.ToString(CultureInfo.InvariantCulture);
    }

    // The digits that can follow those of a term, without zeros in front, and the sign behind it.
    private string NextOfTerm(ReadOnlySpan<char> digits, char sign)
    {
        if (digits.IsEmpty) return "0123456789"[..Math.Min(10, largest + 1)];
        if (digits.Length > 6 || digits[0] == '0' && digits.Length > 1 || digits.ContainsAnyExceptInRange('0', '9'))
            return "";
        var value = int.Parse(digits, CultureInfo.InvariantCulture);
        if (value > largest) return "";
        var more = value == 0 ? 0 : Math.Clamp(largest - 10 * value + 1, 0, 10);
        return "0123456789"[..more] + sign;
    }
}
