using Adjoint.Data.Tables;

namespace Adjoint.Formats;

/// <summary>What is known of a file of separated values; what is left null is found.</summary>
public sealed record CsvOptions
{
    /// <summary>What separates the fields of a row: ',', ';', a tab, '|' or another sign of ASCII.</summary>
    public char? Delimiter { get; init; }

    /// <summary>What separates a number's fraction: '.' or ','.</summary>
    public char? DecimalMark { get; init; }

    /// <summary>
    /// Whether the first row holds the names of the columns. Found as: yes, unless it holds a number or a date and no
    /// column has a name above numbers. Without names, columns are called column1, column2, ….
    /// </summary>
    public bool? HasHeader { get; init; }

    /// <summary>
    /// The text encoding by its IANA name, such as utf-8 or windows-1252. Found by the byte-order mark; utf-8 without.
    /// </summary>
    public string? Encoding { get; init; }

    /// <summary>
    /// Whether a quote (") begins a field that may hold delimiters and line breaks. Found as: yes, unless quotes occur,
    /// but never at the beginning of a field.
    /// </summary>
    public bool? HasQuotes { get; init; }

    /// <summary>
    /// Whether 3/4/2024 is in April. Found by the other dates of the column; where all are open, yes if the decimal
    /// mark is a comma or the delimiter a semicolon.
    /// </summary>
    public bool? IsDayFirst { get; init; }

    /// <summary>
    /// Words that say that a value is missing, in any case, instead of <see cref="FieldText.MissingWords"/> and
    /// <see cref="FieldText.MissingAmongNumbers"/>; an empty field is missing anyway.
    /// </summary>
    public IReadOnlyList<string>? MissingWords { get; init; }

    /// <summary>
    /// The kinds of columns by their names; a field that does not fit is an error. The others are found. Names that the
    /// file does not have do not count, so those of training (<see cref="TableEncoder.Kinds"/>) serve for rows without
    /// targets.
    /// </summary>
    public IReadOnlyDictionary<string, ColumnKind> Kinds { get; init; } = new Dictionary<string, ColumnKind>();

    /// <summary>The names of the columns to read, in this order; null reads all.</summary>
    public IReadOnlyList<string>? Columns { get; init; }
}
