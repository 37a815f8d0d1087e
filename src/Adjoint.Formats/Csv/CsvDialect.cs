namespace Adjoint.Formats;

/// <summary>
/// How a file of separated values is written; found from the file's first part where it is not given.
/// </summary>
/// <param name="Delimiter">What separates the fields of a row: ',', ';', a tab, '|'.</param>
/// <param name="DecimalMark">What separates a number's fraction: '.' or ','.</param>
/// <param name="HasHeader">Whether the first row holds the names of the columns.</param>
/// <param name="Encoding">The name of the text encoding: utf-8, utf-16, utf-16BE, iso-8859-1, ….</param>
public sealed record CsvDialect(char Delimiter, char DecimalMark, bool HasHeader, string Encoding)
{
    /// <summary>
    /// Whether a quote (") begins a field that may hold delimiters and line breaks; otherwise it is text.
    /// </summary>
    public bool HasQuotes { get; init; } = true;

    internal string DelimiterName => Delimiter == '\t' ? "a tab" : $"'{Delimiter}'";

    /// <summary>Describes the dialect in words, as a profile shows it.</summary>
    /// <returns>A text such as "separated by ';', decimal mark ',', header in row 1, utf-8".</returns>
    public override string ToString()
    {
        var header = HasHeader ? "names of columns in the first row" : "no names of columns";
        return $"separated by {DelimiterName}, decimal mark '{DecimalMark}', {header}, {Encoding}"
            + (HasQuotes ? "" : ", quotes are text");
    }
}
