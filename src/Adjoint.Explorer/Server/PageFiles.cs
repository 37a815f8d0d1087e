using System.Collections.Frozen;
using System.Text;

namespace Adjoint.Exploring;

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
        [.. Names("page/").Where(name => name.EndsWith(".js", StringComparison.Ordinal)).Select(name => name["page/".Length..]).Order(StringComparer.Ordinal)];

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
        using var reader = new StreamReader(typeof(PageFiles).Assembly.GetManifestResourceStream(resource)!, Encoding.UTF8);
        return reader.ReadToEnd();
    }

    /// <summary>The page itself. Modules import each other by names, which this map leads to files; a page without a server leads them into itself.</summary>
    internal static string Index(Func<string, string> moduleAddress, string style, string data)
    {
        var map = string.Join(",\n      ", Modules.Select(name => $"\"explorer/{Path.GetFileNameWithoutExtension(name)}\": \"{moduleAddress(name)}\""));
        return ReadText("page/index.html")
            .Replace("<!-- style -->", style, StringComparison.Ordinal)
            .Replace("<!-- modules -->", $"<script type=\"importmap\">{{ \"imports\": {{\n      {map} }} }}</script>", StringComparison.Ordinal)
            .Replace("<!-- data -->", data, StringComparison.Ordinal);
    }

    private static IEnumerable<string> Names(string start) => typeof(PageFiles).Assembly.GetManifestResourceNames().Where(name => name.StartsWith(start, StringComparison.Ordinal));
}
