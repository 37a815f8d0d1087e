namespace Adjoint.Data.Tables;

/// <summary>How a number is written; it decides what a column of them is.</summary>
[Flags]
public enum NumberForm
{
    /// <summary>The text is no number.</summary>
    None = 0,

    /// <summary>A whole number without fraction and exponent.</summary>
    Whole = 1,

    /// <summary>A number with a fraction or an exponent, or ±inf.</summary>
    Fraction = 2,

    /// <summary>A whole number with zeros before its first digit, as postal codes have: more likely a name.</summary>
    LeadingZero = 4,

    /// <summary>A whole number beyond 2⁵³, as identifiers are: float64 does not have all of them.</summary>
    Large = 8,

    /// <summary>Groups of three digits are set apart.</summary>
    Grouped = 16,
}
