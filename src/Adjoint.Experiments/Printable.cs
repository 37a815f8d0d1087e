using System.Globalization;
using System.Text;

namespace Adjoint.Experiments;

/// <summary>Text of others (files, settings, mirrors) as it may be shown: one line that commands no terminal.</summary>
public static class Printable
{
    /// <summary>
    /// The text with control characters, line ends, halves of surrogate pairs, and what turns the direction of writing
    /// as escapes: <c>\u001b</c>, <c>\n</c>.
    /// </summary>
    /// <param name="text">The text of others.</param>
    /// <returns>The same text in one line without control characters.</returns>
    public static string Line(string text)
    {
        if (!text.AsSpan().ContainsAnyExceptInRange(' ', '~')) return text;
        var line = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
            if (char.IsSurrogatePair(text, i)) line.Append(text, i++, 2);
            else if (IsHarmless(text[i])) line.Append(text[i]);
            else line.Append(text[i] switch
            {
                '\n' => "\\n",
                '\r' => "\\r",
                '\t' => "\\t",
                _ => string.Create(CultureInfo.InvariantCulture, $"\\u{(int)text[i]:x4}"),
            });
        return line.ToString();
    }

    private static bool IsHarmless(char letter) =>
        CharUnicodeInfo.GetUnicodeCategory(letter) is not (UnicodeCategory.Control
        or UnicodeCategory.Surrogate or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
            or UnicodeCategory.Format);
}
