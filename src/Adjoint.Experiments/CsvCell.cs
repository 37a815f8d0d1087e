using System.Globalization;

namespace Adjoint.Experiments;

/// <summary>Text as a cell of a CSV file (RFC 4180).</summary>
public static class CsvCell
{
    // What spreadsheets, some of any language, take for the beginning of a formula.
    private const string FormulaStarts = "=+-@\t\r\n＝＋－＠";

    /// <summary>
    /// Quotes a text as a cell where it needs quotes. A text that a spreadsheet would take for a formula gets an
    /// apostrophe before it; a number is none.
    /// </summary>
    /// <param name="text">The text of the cell.</param>
    /// <returns>The cell as it stands in the file.</returns>
    public static string Text(string text)
    {
        var isNumber = double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            && double.IsFinite(number);
        var isFormula = text.Length > 0 && FormulaStarts.Contains(text[0], StringComparison.Ordinal) && !isNumber;
        var cell = isFormula ? "'" + text : text;
        // Where a comma is decimal, spreadsheets part cells at semicolons, and a formula might begin after one.
        var needsQuotes = cell.AsSpan().IndexOfAny(",;\"\r\n") >= 0;
        return needsQuotes ? $"\"{cell.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : cell;
    }
}
