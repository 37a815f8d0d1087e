using System.Xml.Linq;
using Adjoint.Shared;

namespace Adjoint.Tests.Shared;

/// <summary>Markup is written by HTML's rules, and no text becomes markup.</summary>
public class HtmlTests
{
    public static TheoryData<string> Hostile =>
    [
        "<script>alert(1)</script>", "</td></table><img src=x onerror=alert(1)>", "\" onload=\"alert(1)", "' x='",
        "&lt;b&gt; &amp; &#60;", "<!-- ", "]]>", "<![CDATA[<b>]]>", "\u00A0\u2028\u202E", "javascript:alert('1')",
    ];

    // XML's parser is a reference of its own: what it reads back is what went in.
    [Theory, MemberData(nameof(Hostile))]
    public void A_text_is_read_back_as_it_was(string text)
    {
        var markup = Html.Write(new XElement("p", new XAttribute("title", text), text, new XElement("b", text), text));
        var read = XElement.Parse(markup, LoadOptions.PreserveWhitespace);
        Assert.Equal(text + text + text, read.Value);
        Assert.Equal(text, read.Attribute("title")?.Value);
        Assert.Equal(["p", "b"], read.DescendantsAndSelf().Select(element => element.Name.LocalName));
    }

    [Theory, MemberData(nameof(Hostile))]
    public void A_page_holds_no_more_elements_than_it_was_given(string text)
    {
        var page = Html.Page([new XElement("title", text)], new XElement("h1", text), text);
        Assert.StartsWith("<!doctype html>\n<html lang=\"en\">", page, StringComparison.Ordinal);
        // Two of them are void elements, which XML would not read.
        var tags = page.Split('<').Skip(1).Select(tag => tag.Split(' ', '>')[0]);
        Assert.Equal(
            ["!doctype", "html", "head", "meta", "meta", "title", "/title", "/head", "body", "h1", "/h1", "/body",
                "/html"], tags);
    }

    [Theory]
    [InlineData("a\0b\u0001\u001b[31m\u007f\u0085", "a�b��[31m��")]
    [InlineData("\uFFFE\uFFFF", "��")]
    [InlineData("tab\t line\n 𝛼", "tab\t line\n 𝛼")]
    public void What_no_page_may_hold_is_replaced(string text, string expected) =>
        Assert.Equal($"<b>{expected}</b>", Html.Write(new XElement("b", text)));

    [Fact]
    public void Half_of_a_surrogate_pair_is_replaced() =>
        Assert.Equal("<b>half �</b>", Html.Write(new XElement("b", $"half {(char)0xD800}")));

    [Fact]
    public void Only_void_elements_have_no_end_tag() => Assert.Equal(
        "<td></td><br><img src=\"a&amp;b\"><svg><path d=\"M0 0\" /><g></g></svg>",
        Html.Write(new XElement("td"), new XElement("br"), Html.Element("img", ("src", "a&b")),
            new XElement(Html.Svg + "svg", Html.Element(Html.Svg + "path", ("d", "M0 0")),
                new XElement(Html.Svg + "g", ""))));

    [Fact]
    public void A_style_is_not_escaped_and_cannot_be_ended()
    {
        Assert.Equal("<style>a > b { content: \"&\" }</style>\n",
            Html.Write(new XElement("style", "a > b { content: \"&\" }")));
        Assert.Throws<InvalidOperationException>(() => Html.Write(new XElement("style", "</STYLE><script>")));
        Assert.Throws<InvalidOperationException>(() => Html.Write(new XElement("script", "\"</script >\"")));
        Assert.Throws<InvalidOperationException>(() => Html.Write(new XElement("script", "\"<!--<script>\"")));
    }

    [Fact]
    public void Numbers_are_written_the_same_everywhere()
    {
        var before = Thread.CurrentThread.CurrentCulture;
        try
        {
            Thread.CurrentThread.CurrentCulture = (System.Globalization.CultureInfo)before.Clone();
            Thread.CurrentThread.CurrentCulture.NumberFormat.NumberDecimalSeparator = ",";
            Assert.Equal("<td width=\"0.5\">1.5</td>",
                Html.Write(new XElement("td", new XAttribute("width", 0.5), 1.5)));
        }
        finally
        {
            Thread.CurrentThread.CurrentCulture = before;
        }
    }
}
