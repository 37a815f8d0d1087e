namespace Adjoint.Data.Tables;

/// <summary>What the values of a column are.</summary>
public enum ColumnKind
{
    /// <summary>No value at all: every row is missing.</summary>
    Empty,

    /// <summary>Whole numbers of at most 2⁵³ in magnitude.</summary>
    Integer,

    /// <summary>Numbers, some with a fraction or an exponent.</summary>
    Number,

    /// <summary>Truth values: true and false, yes and no, 1 and 0.</summary>
    Truth,

    /// <summary>Dates, with or without a time of day.</summary>
    Date,

    /// <summary>Text: categories, names, identifiers, sentences.</summary>
    Text,
}
