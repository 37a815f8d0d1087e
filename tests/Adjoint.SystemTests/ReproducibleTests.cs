using System.IO.Compression;
using System.Reflection.Metadata;
using System.Text.Json;
using System.Xml.Linq;

namespace Adjoint.SystemTests;

/// <summary>
/// Packages of one commit from two clones, whose remote and tag a step of .ci/run sets; it names the two folders in
/// ADJOINT_TWINS.
/// </summary>
public class ReproducibleTests
{
    private const string Remote = "https://github.com/example/adjoint.git";
    private const string Version = "9.8.7";

    // Names of parts and of who packed are made anew each time (ECMA-376, open packaging conventions).
    private static readonly string[] MadeAnew = ["_rels/", "package/"];

    // The kind of debug information that has a link to the sources (portable PDB specification).
    private static readonly Guid SourceLink = new("CC110556-A091-4D38-9FEC-25AB9A351A6A");

    public static TheoryData<string, string> Packages => PackageTests.Packages;

    [Theory, MemberData(nameof(Packages))]
    public void Two_clones_give_the_same_bytes(string id, string assembly)
    {
        var (one, another) = Twins();
        foreach (var extension in new[] { "nupkg", "snupkg" })
        {
            var name = $"{id}.{Version}.{extension}";
            using var left = PackageTests.OpenIn(one, name);
            using var right = PackageTests.OpenIn(another, name);
            var files = Files(left);
            Assert.Equal(files, Files(right));
            Assert.Contains(files, file => file == assembly + (extension == "nupkg" ? ".dll" : ".pdb"));
            Assert.All(files, file => Assert.True(
                PackageTests.Bytes(left, file).AsSpan().SequenceEqual(PackageTests.Bytes(right, file)),
                $"{name}: {file} differs"));
        }

        static string[] Files(ZipArchive package) => [.. package.Entries.Select(entry => entry.FullName)
            .Where(file => !MadeAnew.Any(folder => file.StartsWith(folder, StringComparison.Ordinal))).Order()];
    }

    [Theory, MemberData(nameof(Packages))]
    public void A_package_and_its_symbols_name_the_remote_and_the_commit(string id, string assembly)
    {
        var folder = Twins().One;
        using var package = PackageTests.OpenIn(folder, $"{id}.{Version}.nupkg");
        using var nuspec = package.GetEntry(id + ".nuspec")!.Open();
        var elements = XDocument.Load(nuspec).Root!.Elements().First().Elements().ToArray();
        var repository = elements.Single(element => element.Name.LocalName == "repository");
        var commit = repository.Attribute("commit")!.Value;
        Assert.Matches("^[0-9a-f]{40}$", commit);
        Assert.Equal(("git", Remote), (repository.Attribute("type")!.Value, repository.Attribute("url")!.Value));
        Assert.All(
            elements.SelectMany(element => element.Descendants()).Where(element =>
                element.Attribute("id")?.Value.StartsWith("Adjoint", StringComparison.Ordinal) == true),
            dependency => Assert.Equal(Version, dependency.Attribute("version")!.Value));

        using var symbols = PackageTests.OpenIn(folder, $"{id}.{Version}.snupkg");
        using var provider = MetadataReaderProvider.FromPortablePdbStream(
            new MemoryStream(PackageTests.Bytes(symbols, assembly + ".pdb")));
        var pdb = provider.GetMetadataReader();
        var link = pdb.GetCustomDebugInformation(EntityHandle.ModuleDefinition).Select(pdb.GetCustomDebugInformation)
            .Single(information => pdb.GetGuid(information.Kind) == SourceLink);
        using var json = JsonDocument.Parse(pdb.GetBlobBytes(link.Value));
        Assert.Equal($"https://raw.githubusercontent.com/example/adjoint/{commit}/*",
            json.RootElement.GetProperty("documents").GetProperty("/_/*").GetString());
    }

    private static (string One, string Another) Twins()
    {
        if (Environment.GetEnvironmentVariable("ADJOINT_TWINS")?.Split(':') is [var one, var another])
            return (one, another);
        Assert.Skip("skipped: a step of .ci/run --long; set ADJOINT_TWINS to two folders of packages to run it");
        return ("", "");
    }
}
