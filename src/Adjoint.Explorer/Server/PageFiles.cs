using System.Collections.Frozen;
using System.Text;
using System.Xml.Linq;
using Adjoint.Shared;

namespace Adjoint.Explorer;

/// <summary>The files of the page, and the sources of ops, from this assembly.</summary>
internal static class PageFiles
{
    private static readonly FrozenDictionary<string, string> Types = new Dictionary<string, string>
    {
        [".html"] = "text/html; charset=utf-8",
        [".js"] = "text/javascript; charset=utf-8",
        [".css"] = "text/css; charset=utf-8",
        [".svg"] = "image/svg+xml",
    }.ToFrozenDictionary();

    /// <summary>The modules of the page, by name, in the order of the folder.</summary>
    internal static IReadOnlyList<string> Modules { get; } =
    [
        .. Names("page/").Where(name => name.EndsWith(".js", StringComparison.Ordinal))
            .Select(name => name["page/".Length..]).Order(StringComparer.Ordinal),
    ];

    /// <summary>The sources of ops, by file name.</summary>
    internal static IReadOnlyList<string> OpSources { get; } = [.. Names("ops/").Order(StringComparer.Ordinal)];

    /// <summary>The type of a file by its name, null where it is none of the page's.</summary>
    internal static string? TypeOf(string name) => Types.GetValueOrDefault(Path.GetExtension(name));

    /// <summary>The bytes of a file of the page; null where there is none.</summary>
    internal static byte[]? Read(string name)
    {
        using var stream = typeof(PageFiles).Assembly.GetManifestResourceStream($"page/{name}");
        if (stream is null) return null;
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }

    /// <summary>A text of this assembly.</summary>
    internal static string ReadText(string resource)
    {
        var stream = typeof(PageFiles).Assembly.GetManifestResourceStream(resource)!;
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return reader.ReadToEnd();
    }

    /// <summary>The page itself.</summary>
    /// <param name="addressOf">
    /// Where a module is. Modules import each other by names, which a map leads to these addresses; a page without a
    /// server leads them into itself.
    /// </param>
    /// <param name="style">The style, or a link to it.</param>
    /// <param name="data">What the page shows, where no server is asked.</param>
    /// <param name="nonce">What the server's policy demands of scripts in the page; null without a server.</param>
    internal static string Index(
        Func<string, string> addressOf, XElement style, XElement? data = null, string? nonce = null)
    {
        var modules = Modules.Select(name =>
            $"\"explorer/{Path.GetFileNameWithoutExtension(name)}\": \"{addressOf(name)}\"");
        var map = $"{{ \"imports\": {{\n      {string.Join(",\n      ", modules)} }} }}";
        return ReadText("page/index.html")
            .Replace("<!-- style -->", Html.Write(style), StringComparison.Ordinal)
            .Replace("<!-- modules -->", Html.Write(Script("importmap", map)), StringComparison.Ordinal)
            .Replace("<!-- start -->", Html.Write(data, Script("module", "import \"explorer/main\";")),
                StringComparison.Ordinal);

        XElement Script(string type, string text) => new("script",
            new XAttribute("type", type), nonce is null ? null : new XAttribute("nonce", nonce), text);
    }

    private static IEnumerable<string> Names(string start) => typeof(PageFiles).Assembly.GetManifestResourceNames()
        .Where(name => name.StartsWith(start, StringComparison.Ordinal));
}
