namespace Adjoint.Data.Tables;

/// <summary>What a network is given of a column.</summary>
public enum ColumnRole
{
    /// <summary>A number, standardized.</summary>
    Number,

    /// <summary>One input for each category.</summary>
    Category,

    /// <summary>The day as a number, and where they vary the time of the year, of the week and of the day.</summary>
    Date,

    /// <summary>Nothing: the column is not used.</summary>
    LeftOut,
}
