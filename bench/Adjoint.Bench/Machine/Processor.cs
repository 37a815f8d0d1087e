using System.Runtime.InteropServices;
using System.Text.RegularExpressions;

namespace Adjoint.Bench;

/// <summary>The processor's name, and that of its folder under <c>bench/results</c>.</summary>
internal sealed partial record Processor(string Name, string Folder)
{
    internal static Processor This() => File.Exists("/proc/cpuinfo")
        ? Parse(File.ReadLines("/proc/cpuinfo").TakeWhile(line => line.Length > 0))
        : Unknown();

    /// <summary>From the lines that <c>/proc/cpuinfo</c> has of one processor.</summary>
    internal static Processor Parse(IEnumerable<string> lines)
    {
        var facts = lines.Select(line => line.Split(':', 2, StringSplitOptions.TrimEntries))
            .Where(pair => pair.Length == 2).DistinctBy(pair => pair[0]).ToDictionary(pair => pair[0], pair => pair[1]);
        if (!facts.TryGetValue("model name", out var name)) return Unknown();
        var flags = facts.GetValueOrDefault("flags", "").Split(' ');
        var vectors = flags.Contains("avx512f") ? "avx512" : flags.Contains("avx2") ? "avx2" : "";
        // A virtual machine's model name often hides the generation.
        var isAmd = facts.GetValueOrDefault("vendor_id") == "AuthenticAMD";
        var generation = isAmd ? Zen(facts.GetValueOrDefault("cpu family"), vectors) : "";
        var full = generation.Length > 0 && !name.Contains(generation) ? $"{name} ({generation})" : name;
        return new(full, Slug($"{name} {generation.Replace(" ", "")} {vectors}"));
    }

    // Families by AMD's revision guides; 25 has both Zen 3 and Zen 4, and only the latter has AVX-512.
    private static string Zen(string? family, string vectors) => (family, vectors) switch
    {
        ("26", _) => "Zen 5",
        ("25", "avx512") => "Zen 4",
        ("25", _) => "Zen 3",
        _ => "",
    };

    private static Processor Unknown()
    {
        var architecture = RuntimeInformation.ProcessArchitecture.ToString();
        return new(architecture, Slug(architecture));
    }

    // "Intel(R) Xeon(R) Platinum 8481C CPU @ 2.70GHz avx512" → "intel-xeon-platinum-8481c-avx512".
    private static string Slug(string text) =>
        Separators().Replace(Noise().Replace(text, " "), "-").Trim('-').ToLowerInvariant();

    [GeneratedRegex(@"\((R|TM)\)|@ [0-9.]+GHz|\b(CPU|Processor|[0-9]+-Core)\b", RegexOptions.IgnoreCase)]
    private static partial Regex Noise();

    [GeneratedRegex("[^A-Za-z0-9]+")]
    private static partial Regex Separators();
}
