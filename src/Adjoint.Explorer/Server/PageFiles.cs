using System.Collections.Frozen;
using System.Text;
using System.Xml.Linq;
using Adjoint.Shared;

namespace Adjoint.Explorer;

/// <summary>The files of a page from this assembly. Pages share modules and styles.</summary>
internal sealed class PageFiles
{
    private static readonly FrozenDictionary<string, string> Types = new Dictionary<string, string>
    {
        [".html"] = "text/html; charset=utf-8",
        [".js"] = "text/javascript; charset=utf-8",
        [".css"] = "text/css; charset=utf-8",
        [".svg"] = "image/svg+xml",
    }.ToFrozenDictionary();

    private readonly string index, main;

    // File name to resource.
    private readonly Dictionary<string, string> files;

    private PageFiles(string index, string main, IEnumerable<string> resources)
    {
        (this.index, this.main) = (index, main);
        files = resources.Where(name => name != index).ToDictionary(name => name[(name.IndexOf('/') + 1)..]);
    }

    /// <summary>The page that shows a computation.</summary>
    internal static PageFiles Explorer { get; } = new("page/index.html", "explorer/main", Names("page/"));

    /// <summary>The page that shows runs under way.</summary>
    internal static PageFiles Watch { get; } = new("watch/index.html", "watch/watch",
        ["page/style.css", "page/dom.js", "page/format.js", .. Names("watch/")]);

    /// <summary>The page of a language model.</summary>
    internal static PageFiles Language { get; } = new("language/index.html", "language/language",
    [
        "page/style.css", "page/dom.js", "page/format.js", "page/colors.js", "page/source.js", .. Names("language/"),
    ]);

    /// <summary>The page of a file of tensors.</summary>
    internal static PageFiles Tensors { get; } = new("tensors/index.html", "tensors/tensors",
    [
        "page/style.css", "page/dom.js", "page/format.js", "page/colors.js", "page/source.js", "page/tensor-view.js",
        .. Names("tensors/"),
    ]);

    /// <summary>The sources of ops, by file name.</summary>
    internal static IReadOnlyList<string> OpSources { get; } = [.. Names("ops/").Order(StringComparer.Ordinal)];

    /// <summary>The styles of the page, the more general ones first.</summary>
    internal IEnumerable<string> Styles => files.Keys.Where(name => name.EndsWith(".css", StringComparison.Ordinal));

    /// <summary>The type of a file by its name, null where it is none of a page's.</summary>
    internal static string? TypeOf(string name) => Types.GetValueOrDefault(Path.GetExtension(name));

    /// <summary>The bytes of a file of the page; null where there is none.</summary>
    internal byte[]? Read(string name)
    {
        if (!files.TryGetValue(name, out var resource)) return null;
        using var stream = typeof(PageFiles).Assembly.GetManifestResourceStream(resource)!;
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
    /// <param name="styles">The styles, or links to them.</param>
    /// <param name="data">What the page shows, where no server is asked.</param>
    /// <param name="nonce">What the server's policy demands of scripts in the page; null without a server.</param>
    internal string Index(Func<string, string> addressOf, IEnumerable<XElement> styles, XElement? data = null,
        string? nonce = null)
    {
        var modules = files.Where(file => file.Key.EndsWith(".js", StringComparison.Ordinal))
            .OrderBy(file => file.Value, StringComparer.Ordinal)
            .Select(file => $"\"{Module(file.Value)}\": \"{addressOf(file.Key)}\"");
        var map = $"{{ \"imports\": {{\n      {string.Join(",\n      ", modules)} }} }}";
        return ReadText(index)
            .Replace("<!-- style -->", Html.Write(styles), StringComparison.Ordinal)
            .Replace("<!-- modules -->", Html.Write(Script("importmap", map)), StringComparison.Ordinal)
            .Replace("<!-- start -->", Html.Write(data, Script("module", $"import \"{main}\";")),
                StringComparison.Ordinal);

        XElement Script(string type, string text) => new("script",
            new XAttribute("type", type), nonce is null ? null : new XAttribute("nonce", nonce), text);
    }

    // page/dom.js is imported as explorer/dom, watch/curves.js as watch/curves.
    private static string Module(string resource) => (resource.StartsWith("page/", StringComparison.Ordinal)
        ? $"explorer/{resource["page/".Length..]}" : resource)[..^".js".Length];

    private static IEnumerable<string> Names(string start) => typeof(PageFiles).Assembly.GetManifestResourceNames()
        .Where(name => name.StartsWith(start, StringComparison.Ordinal));
}
