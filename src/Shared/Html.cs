using System.Collections.Frozen;
using System.Text;
using System.Xml.Linq;

namespace Adjoint.Shared;

/// <summary>
/// Writes pages, and the SVG and MathML in them. A page is a tree of System.Xml.Linq, where a text is a text and never
/// markup: nothing that comes from a file can end a tag. It is written by HTML's own rules
/// (https://html.spec.whatwg.org/#serialising-html-fragments), which differ from those of XML: void elements have no
/// end tag, all others have one, and what a <c>style</c> or a <c>script</c> holds is not escaped.
/// </summary>
internal static class Html
{
    /// <summary>The namespace of SVG: <c>Html.Svg + "path"</c> names an element of it.</summary>
    internal static readonly XNamespace Svg = "http://www.w3.org/2000/svg";

    private static readonly FrozenSet<string> Void =
        FrozenSet.Create("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr");

    // White space after these is not shown: one of them on a line makes a page that people can read and compare.
    private static readonly FrozenSet<string> Lines = FrozenSet.Create(
        "div", "figure", "h1", "h2", "h3", "head", "link", "meta", "nav", "p", "section", "style", "table", "title",
        "tr", "ul");

    /// <summary>An element with attributes, whose values are written in the invariant culture.</summary>
    internal static XElement Element(XName name, params ReadOnlySpan<(string Name, object Value)> attributes)
    {
        var element = new XElement(name);
        foreach (var (key, value) in attributes) element.Add(new XAttribute(key, value));
        return element;
    }

    /// <summary>The attribute <c>class</c>.</summary>
    internal static XAttribute Class(string names) => new("class", names);

    /// <summary>A whole page in English, for screens of every width.</summary>
    /// <param name="head">What its head holds besides the encoding and the width: title, style, links.</param>
    /// <param name="body">What is shown.</param>
    internal static string Page(IEnumerable<XElement> head, params IEnumerable<object?> body) =>
        "<!doctype html>\n" + Write(new XElement("html", new XAttribute("lang", "en"),
            new XElement("head",
                Element("meta", ("charset", "utf-8")),
                Element("meta", ("name", "viewport"), ("content", "width=device-width, initial-scale=1")),
                head),
            new XElement("body", body))) + "\n";

    /// <summary>An element, or several with text between them, as markup.</summary>
    /// <exception cref="InvalidOperationException">The content of a style or a script would end it.</exception>
    internal static string Write(params IEnumerable<object?> content)
    {
        var text = new StringBuilder();
        foreach (var node in new XElement("content", content).Nodes()) Write(text, node);
        return text.ToString();
    }

    /// <summary>
    /// A text without characters that no HTML or XML may hold, such as control characters: each becomes �.
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

    private static void Write(StringBuilder text, XNode node)
    {
        if (node is XElement element) Write(text, element);
        else if (node is XText { Parent.Name.LocalName: "style" or "script" } raw) text.Append(Unescaped(raw));
        else if (node is XText words) text.Append(Escaped(words.Value).Replace(">", "&gt;", StringComparison.Ordinal));
    }

    private static void Write(StringBuilder text, XElement element)
    {
        var name = element.Name.LocalName;
        text.Append('<').Append(name);
        foreach (var attribute in element.Attributes())
        {
            text.Append(' ');
            if (element.GetPrefixOfNamespace(attribute.Name.Namespace) is { } prefix) text.Append(prefix).Append(':');
            var value = Escaped(attribute.Value).Replace("\"", "&quot;", StringComparison.Ordinal);
            text.Append(attribute.Name.LocalName).Append("=\"").Append(value).Append('"');
        }
        // What is empty is closed at once in SVG, by HTML's parser too.
        if (element.Name.Namespace != XNamespace.None && element.IsEmpty) text.Append(" />");
        else
        {
            text.Append('>');
            foreach (var node in element.Nodes()) Write(text, node);
            if (!Void.Contains(name)) text.Append("</").Append(name).Append('>');
        }
        if (Lines.Contains(name)) text.Append('\n');
    }

    // A space that does not break is written as what it is: nobody sees the difference in a source.
    private static string Escaped(string text) => Plain(text).Replace("&", "&amp;", StringComparison.Ordinal)
        .Replace("<", "&lt;", StringComparison.Ordinal).Replace("\u00A0", "&#160;", StringComparison.Ordinal);

    private static string Unescaped(XText text) =>
        text.Value.Contains($"</{text.Parent!.Name.LocalName}", StringComparison.OrdinalIgnoreCase)
            || text.Value.Contains("<!--", StringComparison.Ordinal)
            ? throw new InvalidOperationException($"the content of a {text.Parent.Name.LocalName} must not end it")
            : text.Value;
}
