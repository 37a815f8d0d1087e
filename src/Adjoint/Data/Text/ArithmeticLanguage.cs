using System.Globalization;

namespace Adjoint.Data;

/// <summary>
/// Sums of two whole numbers in decimal, <c>27+8=35</c>, each summand drawn evenly from 0 to the largest. What comes
/// next is determined where a summand cannot have another digit, and from the equals sign on: the digits of the sum,
/// and the end after the last of them.
/// </summary>
public sealed class ArithmeticLanguage : FormalLanguage
{
    private readonly int largest;

    /// <summary>Creates a language.</summary>
    /// <param name="largest">The largest summand, from 1 to 999,999.</param>
    /// <exception cref="AdjointException">The number is out of range.</exception>
    public ArithmeticLanguage(int largest = 99) : base("arithmetic", "+0123456789=") =>
        this.largest = largest is >= 1 and <= 999_999
            ? largest
            : throw new AdjointException(
                $"ArithmeticLanguage: a largest summand from 1 to 999999 is needed: found {largest}");

    /// <inheritdoc/>
    public override string Next(ReadOnlySpan<char> prefix)
    {
        var (sum, place) = (0, 0);
        foreach (var sign in "+=")
        {
            var end = prefix[place..].IndexOf(sign);
            var summand = end < 0 ? prefix[place..] : prefix.Slice(place, end);
            var next = NextOfSummand(summand, sign);
            if (end < 0 || !next.Contains(sign, StringComparison.Ordinal)) return end < 0 ? next : "";
            sum += int.Parse(summand, CultureInfo.InvariantCulture);
            place += end + 1;
        }
        var result = $"{sum.ToString(CultureInfo.InvariantCulture)}{End}";
        var given = prefix[place..];
        return given.Length < result.Length && result.AsSpan().StartsWith(given) ? result[given.Length..][..1] : "";
    }

    private protected override string Draw(ref SampleRandom random)
    {
        var (left, right) = (random.Next(largest + 1), random.Next(largest + 1));
        return string.Create(CultureInfo.InvariantCulture, $"{left}+{right}={left + right}");
    }

    // The digits that can follow those of a summand, without zeros in front, and the sign behind it.
    private string NextOfSummand(ReadOnlySpan<char> digits, char sign)
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
