using System.Text.Json;
using System.Xml.Linq;

namespace Adjoint.Tests;

/// <summary>
/// The packages that the tree depends on: their licenses, and what THIRD-PARTY-NOTICES.txt says of them.
/// </summary>
public class ThirdPartyTests
{
    // Licenses that ask for no more than their notice.
    private static readonly string[] Allowed = ["MIT", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause"];

    // Analyzers run in the compiler, others in the build, and nothing of them is in what is published.
    private static readonly string[] OfTheBuild = [
        "Grpc.Tools", "Microsoft.CodeAnalysis.PublicApiAnalyzers", "Microsoft.NET.ILLink.Tasks",
        "MinVer", "Roslynator.Formatting.Analyzers",
    ];

    // Packages that only give the address of their license; what was read there.
    private static readonly Dictionary<string, string> ByAddress = new()
    {
        ["https://github.com/MiloszKrajewski/K4os.Compression.LZ4/blob/master/LICENSE?raw=true"] = "MIT",
    };

    private sealed record Package(string Name, string Version)
    {
        private static readonly string Root = Environment.GetEnvironmentVariable("NUGET_PACKAGES") ?? Path.Combine(
            Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");

        public string Folder =>
            Path.Combine(Root, Name.ToLowerInvariant(), Version.ToLowerInvariant());

        private XElement Metadata =>
            XDocument.Load(Path.Combine(Folder, Name.ToLowerInvariant() + ".nuspec")).Root!.Elements().First();

        public string? Copyright => Value("copyright") ?? Value("authors");

        public bool HasNotices => Directory.GetFiles(Folder).Any(file =>
            Path.GetFileName(file).Replace("-", "", StringComparison.Ordinal)
                .StartsWith("thirdpartynotices", StringComparison.OrdinalIgnoreCase));

        // An expression, or where a package has only a file, MIT by the file's words.
        public string License
        {
            get
            {
                var license = Metadata.Elements().FirstOrDefault(element => element.Name.LocalName == "license");
                if (license?.Attribute("type")?.Value == "expression") return license.Value;
                if (ByAddress.TryGetValue(Value("licenseUrl") ?? "", out var known)) return known;
                var file = Directory.GetFiles(Folder).FirstOrDefault(path =>
                    Path.GetFileName(path).StartsWith("license", StringComparison.OrdinalIgnoreCase));
                return file is not null && File.ReadAllText(file).Contains(
                    "Permission is hereby granted, free of charge", StringComparison.Ordinal) ? "MIT" : "unknown";
            }
        }

        private string? Value(string name) =>
            Metadata.Elements().FirstOrDefault(element => element.Name.LocalName == name)?.Value;
    }

    [Fact]
    public void Every_package_has_a_license_of_the_list()
    {
        var packages = Closure("*").ToArray();
        Assert.True(packages.Length > 20);
        Assert.Empty(packages.Where(package => !Allowed.Contains(package.License))
            .Select(package => $"{package.Name} {package.Version}: {package.License}"));
    }

    [Fact]
    public void The_notices_name_what_is_published_and_nothing_else()
    {
        var parts = File.ReadAllText(Path.Combine(LayeringTests.Root(), "THIRD-PARTY-NOTICES.txt"))
            .ReplaceLineEndings("\n").Split("\n\n")
                .Where(part => part.Contains("\n    License: ", StringComparison.Ordinal));
        var expected = Closure("src").Where(package => !OfTheBuild.Contains(package.Name))
            .OrderBy(package => package.Name, StringComparer.Ordinal)
            .ThenBy(package => package.Version, StringComparer.Ordinal).Select(package =>
                $"{package.Name} {package.Version}\n    License: {package.License}\n    {package.Copyright}"
                + (package.HasNotices ? "\n    With notices of its own." : ""));
        Assert.Equal(expected, parts);
    }

    // Of the lock files; projects outside the solution count where their packages are there.
    private static IEnumerable<Package> Closure(string folder) =>
        Directory.GetDirectories(LayeringTests.Root(), folder).SelectMany(Directory.GetDirectories)
            .Select(project => Path.Combine(project, "packages.lock.json")).Where(File.Exists)
            .Where(path => IsInSolution(path) || ReadLock(path).All(package => Directory.Exists(package.Folder)))
            .SelectMany(ReadLock).Distinct();

    private static bool IsInSolution(string path) =>
        File.ReadAllText(Path.Combine(LayeringTests.Root(), "Adjoint.slnx"))
            .Contains($"{Path.GetFileName(Path.GetDirectoryName(path))}.csproj", StringComparison.Ordinal);

    private static IEnumerable<Package> ReadLock(string path)
    {
        using var json = JsonDocument.Parse(File.ReadAllBytes(path));
        return [.. from framework in json.RootElement.GetProperty("dependencies").EnumerateObject()
                   from entry in framework.Value.EnumerateObject()
                   where entry.Value.GetProperty("type").GetString() != "Project"
                   select new Package(entry.Name, entry.Value.GetProperty("resolved").GetString()!)];
    }
}
