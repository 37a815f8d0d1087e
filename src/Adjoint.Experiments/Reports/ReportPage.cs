using System.Net;
using System.Text;

namespace Adjoint.Experiments;

/// <summary>
/// What the pages of runs and studies have in common: one file without a script, light or dark as the reader's system
/// is, readable on a phone and in print.
/// </summary>
internal static class ReportPage
{
    // In the dark figures are turned inside out, white to the page's own grey, and their hues turned back.
    private const string Style = """
        :root { color-scheme: light dark; --ink: #1a1a1a; --paper: #fff; --quiet: #555; --line: #ccc; --link: #0057a8;
          --good: #006b4f; --bad: #b04a00; --warn: #fff3cd }
        @media screen and (prefers-color-scheme: dark) {
          :root { --ink: #e8eaed; --paper: #171717; --quiet: #a8adb5; --line: #44484f; --link: #7cc0ff; --good: #4fd3a4;
            --bad: #ff9a5c; --warn: #3a2f12 }
          figure svg { filter: invert(.91) hue-rotate(180deg) }
        }
        body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; padding: 1rem; color: var(--ink);
          background: var(--paper); overflow-wrap: break-word }
        a { color: var(--link) } figure { margin: 1.2rem 0; break-inside: avoid }
        figure svg { width: 100%; height: auto; background: #fff }
        table { border-collapse: collapse; font-variant-numeric: tabular-nums } .wide { overflow-x: auto }
        th, td { padding: .25rem .6rem; border-bottom: 1px solid var(--line) }
        :focus-visible { outline: 3px solid var(--link); outline-offset: 2px }
        /* On a phone what is wide scrolls sideways, rather than shrink until nobody can read it. */
        @media screen and (max-width: 40rem) { figure { overflow-x: auto } figure svg { min-width: 38rem } }
        @media print {
          body { max-width: none; padding: 0; font-size: 10pt } h2, h3 { break-after: avoid } tr { break-inside: avoid }
          .wide { overflow: visible } table { font-size: 8pt } th, td { padding: .1rem .3rem }
        }

        """;

    /// <summary>The page up to its heading.</summary>
    /// <param name="title">The heading.</param>
    /// <param name="style">What this kind of page adds to the common style.</param>
    internal static string Head(string title, string style) => $"""
        <!doctype html>
        <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
        <title>{Escape(title)}</title>
        <style>
        {Style}{style}
        </style></head><body>
        <h1>{Escape(title)}</h1>

        """;

    /// <summary>A table of text, which scrolls sideways where it is too wide.</summary>
    internal static string Table(IEnumerable<string> heads, IEnumerable<IReadOnlyList<string>> rows, string kind = "")
    {
        var text = new StringBuilder($"<div class=\"wide\"><table class=\"{kind}\"><tr>");
        foreach (var head in heads) text.Append($"<th scope=\"col\">{Escape(head)}</th>");
        foreach (var row in rows)
            text.Append("</tr>\n<tr>").AppendJoin("", row.Select(cell => $"<td>{Escape(cell)}</td>"));
        return text.Append("</tr></table></div>\n").ToString();
    }

    /// <summary>Text from anywhere as text of a page: no tag, and no character that an XML file may not hold.</summary>
    internal static string Escape(string text) => WebUtility.HtmlEncode(Plain(text));

    /// <summary>
    /// Text without characters that no file of XML or HTML may hold, such as control characters: each becomes �.
    /// </summary>
    internal static string Plain(string text)
    {
        var result = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            var isKept = rune.Value is '\t' or '\n' or '\r'
                || !Rune.IsControl(rune) && rune.Value is not (0xFFFE or 0xFFFF);
            result.Append(isKept ? rune : Rune.ReplacementChar);
        }
        return result.ToString();
    }
}
