using System.Diagnostics;
using System.IO.Compression;
using System.Reflection.Metadata;
using System.Text;
using System.Text.Json;
using System.Xml.Linq;
using Adjoint.Tests.Cli;

namespace Adjoint.SystemTests;

/// <summary>What <c>dotnet pack</c> made: a step of .ci/run packs, and names the folder in ADJOINT_PACKAGES.</summary>
public class PackageTests
{
    public static TheoryData<string, string> Packages => new()
    {
        { "Adjoint.Kernels", "lib/net10.0/Adjoint.Kernels" },
        { "Adjoint", "lib/net10.0/Adjoint" },
        { "Adjoint.Formats", "lib/net10.0/Adjoint.Formats" },
        { "Adjoint.Hosting", "lib/net10.0/Adjoint.Hosting" },
        { "Adjoint.Experiments", "lib/net10.0/Adjoint.Experiments" },
        { "Adjoint.TensorBoard", "lib/net10.0/Adjoint.TensorBoard" },
        { "Adjoint.Mpi", "lib/net10.0/Adjoint.Mpi" },
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
    public void Every_project_of_src_is_packed()
    {
        var sources = Path.Combine(LayeringTests.Root(), "src");
        using var filter = JsonDocument.Parse(File.ReadAllText(Path.Combine(sources, "Packages.slnf")));
        Assert.Equal(
            Directory.GetFiles(sources, "*.csproj", SearchOption.AllDirectories).Select(Path.GetFileName).Order(),
            filter.RootElement.GetProperty("solution").GetProperty("projects").EnumerateArray()
                .Select(path => Path.GetFileName(path.GetString())).Order());
        Assert.Equal(Packages.Count, Directory.GetFiles(sources, "*.csproj", SearchOption.AllDirectories).Length);
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

    [Theory]
    [InlineData("table", "{\"maker\":\"Dynamo\",\"year\":2020,\"km\":60000,\"power\":120,\"electric\":\"no\"}",
        "{\"price\":3[0-9]{4}")]
    [InlineData("images", "app/data/shapes/circle/01.png", "{\"class\":\"circle\"")]
    public async Task A_new_project_builds_passes_its_test_and_answers(string kind, string request, string answer)
    {
        if (Environment.GetEnvironmentVariable("ADJOINT_LONG") is null)
            Assert.Skip("skipped: a step of .ci/run --long; set ADJOINT_LONG=1 to run it");
        var folder = Directory.CreateTempSubdirectory("adjoint-new-").FullName;
        try
        {
            var path = Path.Combine(folder, "sample");
            var (code, _, error) = ToolRun.Of("new", path, "--kind", kind, "--packages", PackageFolder());
            Assert.True(code == 0, error);
            Assert.Matches("failed: 0\n", Dotnet("test"));
            Assert.Contains("model.safetensors", Dotnet("run", "--project", "app", "--no-build", "--", "train"),
                StringComparison.Ordinal);

            var start = Start("run", "--project", "app", "--no-build", "--", "--urls", "http://127.0.0.1:0");
            using var service = Process.Start(start)!;
            try
            {
                var line = service.StandardOutput.ReadLine();
                while (line is not null && !line.Contains("Now listening on: ", StringComparison.Ordinal))
                    line = service.StandardOutput.ReadLine();
                Assert.NotNull(line);
                using var client = new HttpClient { BaseAddress = new(line.Split("on: ")[1]) };
                using HttpContent content = request.StartsWith('{')
                    ? new StringContent(request, Encoding.UTF8, "application/json")
                    : new ByteArrayContent(File.ReadAllBytes(Path.Combine(path, request)));
                using var response = await client.PostAsync("/predict", content);
                Assert.Matches(answer, await response.Content.ReadAsStringAsync());
            }
            finally
            {
                service.Kill(entireProcessTree: true);
                service.WaitForExit();
            }

            ProcessStartInfo Start(params string[] arguments)
            {
                var start = new ProcessStartInfo("dotnet", arguments)
                {
                    WorkingDirectory = path,
                    RedirectStandardOutput = true,
                };
                // Packages of this version may have been restored before, from an older state of the tree.
                start.Environment["NUGET_PACKAGES"] = Path.Combine(folder, "packages");
                return start;
            }

            string Dotnet(params string[] arguments)
            {
                using var process = Process.Start(Start(arguments))!;
                var output = process.StandardOutput.ReadToEnd();
                process.WaitForExit();
                Assert.True(process.ExitCode == 0, $"dotnet {string.Join(' ', arguments)}: {output}");
                return output;
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static ZipArchive Open(string id, string extension) =>
        OpenIn(PackageFolder(), $"{id}.{LibraryVersion.Text}.{extension}");

    internal static ZipArchive OpenIn(string folder, string name) => ZipFile.OpenRead(Path.Combine(folder, name));

    private static string PackageFolder()
    {
        if (Environment.GetEnvironmentVariable("ADJOINT_PACKAGES") is { Length: > 0 } folder) return folder;
        Assert.Skip("skipped: a step of .ci/run; set ADJOINT_PACKAGES to a folder of packages to run it");
        return "";
    }

    private static string Text(ZipArchive package, string entry) => Encoding.UTF8.GetString(Bytes(package, entry));

    internal static byte[] Bytes(ZipArchive package, string entry)
    {
        using var stream = package.GetEntry(entry)!.Open();
        using var copy = new MemoryStream();
        stream.CopyTo(copy);
        return copy.ToArray();
    }
}
