using System.Xml.Linq;
using Adjoint.Shared;

namespace Adjoint.Experiments;

/// <summary>
/// What the pages of runs and studies have in common: one file without a script, light or dark as the reader's system
/// is, readable on a phone and in print.
/// </summary>
internal static class ReportPage
{
    // In dark mode figures are inverted, white to the page's own gray, and their hues rotated back.
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

    /// <summary>A page.</summary>
    /// <param name="title">Its heading.</param>
    /// <param name="style">What this kind of page adds to the common style.</param>
    /// <param name="body">What stands below the heading.</param>
    internal static string Write(string title, string style, params IEnumerable<object?> body) => Html.Page(
        [new XElement("title", title), new XElement("style", Style + style)], [new XElement("h1", title), .. body]);

    /// <summary>A table of text, which scrolls sideways where it is too wide.</summary>
    internal static XElement Table(
        IEnumerable<string> heads, IEnumerable<IReadOnlyList<string>> rows, string kind = "") => Wide(kind,
        [
            new XElement("tr", heads.Select(head => new XElement("th", new XAttribute("scope", "col"), head))),
            .. rows.Select(row => new XElement("tr", row.Select(cell => new XElement("td", cell)))),
        ]);

    /// <summary>A table of these rows, which scrolls sideways where it is too wide.</summary>
    internal static XElement Wide(string kind, params IEnumerable<XElement> rows) =>
        new("div", Html.Class("wide"), new XElement("table", kind.Length == 0 ? null : Html.Class(kind), rows));

    /// <summary>A figure, whose caption may have parts.</summary>
    internal static XElement Figure(XElement svg, params IEnumerable<object> caption) =>
        new("figure", svg, new XElement("figcaption", caption));
}
