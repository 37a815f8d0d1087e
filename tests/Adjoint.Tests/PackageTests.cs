using System.IO.Compression;
using System.Reflection.Metadata;
using System.Text;
using System.Xml.Linq;

namespace Adjoint.Tests;

/// <summary>What <c>dotnet pack</c> made: a step of .ci/run packs, and names the folder in ADJOINT_PACKAGES.</summary>
public class PackageTests
{
    public static TheoryData<string, string> Packages => new()
    {
        { "Adjoint.Kernels", "lib/net10.0/Adjoint.Kernels" },
        { "Adjoint", "lib/net10.0/Adjoint" },
        { "Adjoint.Formats", "lib/net10.0/Adjoint.Formats" },
        { "Adjoint.Experiments", "lib/net10.0/Adjoint.Experiments" },
        { "Adjoint.Explorer", "lib/net10.0/Adjoint.Explorer" },
        { "Adjoint.Tool", "tools/net10.0/any/Adjoint.Cli" },
    };

    [Theory, MemberData(nameof(Packages))]
    public void A_package_has_what_its_page_and_its_users_need(string id, string assembly)
    {
        using var package = Open(id, "nupkg");
        Assert.NotNull(package.GetEntry(assembly + ".dll"));
        Assert.Contains("<summary>", Text(package, assembly + ".xml"), StringComparison.Ordinal);
        Assert.StartsWith($"# {id}", Text(package, "README.md"), StringComparison.Ordinal);
        Assert.Equal("PNG"u8, Bytes(package, "icon.png").AsSpan(1, 3));
        Assert.StartsWith("MIT License", Text(package, "LICENSE"), StringComparison.Ordinal);
        Assert.NotNull(package.GetEntry("THIRD-PARTY-NOTICES.txt"));

        using var nuspec = package.GetEntry(id + ".nuspec")!.Open();
        var metadata = XDocument.Load(nuspec).Root!.Elements().First();
        string Value(string name) => metadata.Elements().Single(element => element.Name.LocalName == name).Value;
        Assert.Equal((id, "MIT", "README.md", "icon.png"),
            (Value("id"), Value("license"), Value("readme"), Value("icon")));
        Assert.InRange(Value("description").Length, 20, 200);
        Assert.Contains("autograd", Value("tags"), StringComparison.Ordinal);
    }

    [Fact]
    public void The_tool_carries_the_notices_of_what_it_contains()
    {
        using var package = Open("Adjoint.Tool", "nupkg");
        string[] files = ["LICENSE", "THIRD-PARTY-NOTICES.txt", "notices/System.IO.Hashing-THIRD-PARTY-NOTICES.txt"];
        Assert.All(files, file => Assert.NotNull(package.GetEntry("tools/net10.0/any/" + file)));
    }

    [Theory, MemberData(nameof(Packages))]
    public void No_package_tells_where_it_was_built(string id, string assembly)
    {
        var root = LayeringTests.Root();
        using var package = Open(id, "nupkg");
        foreach (var entry in package.Entries.Where(
            entry => entry.Name.StartsWith("Adjoint", StringComparison.Ordinal)))
        {
            var bytes = Bytes(package, entry.FullName);
            foreach (var encoding in new[] { Encoding.UTF8, Encoding.Unicode })
                Assert.True(bytes.AsSpan().IndexOf(encoding.GetBytes(root)) < 0,
                    $"{entry.FullName} has the path {root}");
        }

        using var symbols = Open(id, "snupkg");
        using var provider = MetadataReaderProvider.FromPortablePdbStream(
            new MemoryStream(Bytes(symbols, assembly + ".pdb")));
        var pdb = provider.GetMetadataReader();
        var sources = pdb.Documents.Select(handle => pdb.GetString(pdb.GetDocument(handle).Name)).ToArray();
        Assert.NotEmpty(sources);
        Assert.All(sources, source => Assert.StartsWith("/_/", source, StringComparison.Ordinal));
    }

    private static ZipArchive Open(string id, string extension)
    {
        if (Environment.GetEnvironmentVariable("ADJOINT_PACKAGES") is not { Length: > 0 } folder)
        {
            Assert.Skip("skipped: a step of .ci/run; set ADJOINT_PACKAGES to a folder of packages to run it");
            return null;
        }
        return ZipFile.OpenRead(Path.Combine(folder,
            $"{id}.{typeof(Tensor).Assembly.GetName().Version!.ToString(3)}.{extension}"));
    }

    private static string Text(ZipArchive package, string entry) => Encoding.UTF8.GetString(Bytes(package, entry));

    private static byte[] Bytes(ZipArchive package, string entry)
    {
        using var stream = package.GetEntry(entry)!.Open();
        using var copy = new MemoryStream();
        stream.CopyTo(copy);
        return copy.ToArray();
    }
}
