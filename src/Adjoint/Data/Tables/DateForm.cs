namespace Adjoint.Data.Tables;

/// <summary>What the text of a date says about the order of day and month; a column gathers it over its rows.</summary>
[Flags]
public enum DateForm
{
    /// <summary>The text is no date.</summary>
    None = 0,

    /// <summary>The form has one order only: year first, a month by name, or 31.3.2024.</summary>
    Plain = 1,

    /// <summary>The first number can only be a day: 31/3/2024.</summary>
    DayFirst = 2,

    /// <summary>The second number can only be a day: 3/31/2024.</summary>
    MonthFirst = 4,

    /// <summary>Either number can be the day: 3/4/2024.</summary>
    Open = 8,
}
