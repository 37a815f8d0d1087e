using System.Xml.Linq;
using Adjoint.Data.Tables;
using Adjoint.Formats;

namespace Adjoint.SystemTests.Cli;

/// <summary>What <c>adjoint new</c> writes. PackageTests build it, run its test and ask its server.</summary>
public sealed class NewCommandTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData("table", "app/data/cars.csv")]
    [InlineData("images", "app/data/shapes")]
    public void A_project_has_a_program_a_test_and_data(string kind, string data)
    {
        var path = Path.Combine(folder, "my-project");
        var (code, output, error) = ToolRun.Of("new", path, "--kind", kind);
        Assert.Equal((0, ""), (code, error));
        Assert.Equal(
            $"{path}: a project that learns from {data}. Next:\n  cd {path} && dotnet run --project app -- train\n"
                + "  dotnet run --project app\n", output);

        var files = Directory.GetFiles(path, "*", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(path, file).Replace('\\', '/')).ToArray();
        Assert.Equal(
            [
                ".gitignore", "README.md", "app/Program.cs", "app/Service.cs", "app/Training.cs",
                "app/my-project.csproj", "global.json", "my-project.slnx", "tests/ServiceTests.cs",
                "tests/my-project.Tests.csproj",
            ],
            files.Where(file => !file.StartsWith(data, StringComparison.Ordinal)).Order(StringComparer.Ordinal));
        Assert.True(Path.Exists(Path.Combine(path, data)));
        foreach (var file in files.Where(file => !file.EndsWith(".png", StringComparison.Ordinal)))
        {
            var text = File.ReadAllText(Path.Combine(path, file));
            Assert.DoesNotContain("NAME", text, StringComparison.Ordinal);
            Assert.DoesNotContain("VERSION", text, StringComparison.Ordinal);
            Assert.All(text.Split('\n'), line => Assert.True(line.Length <= 120, $"{file}: {line}"));
        }
    }

    [Fact]
    public void Packages_have_the_versions_of_this_tree()
    {
        var path = Path.Combine(folder, "cars");
        ToolRun.Of("new", path);
        var tree = Versions(Path.Combine(LayeringTests.Root(), "Directory.Packages.props"), "PackageVersion");
        Assert.Equal(tree["xunit.v3"],
            Versions(Path.Combine(path, "tests", "cars.Tests.csproj"), "PackageReference")["xunit.v3"]);
        Assert.Equal(LibraryVersion.Text,
            Versions(Path.Combine(path, "app", "cars.csproj"), "PackageReference")["Adjoint.Formats"]);

        static Dictionary<string, string> Versions(string path, string element) => XDocument.Load(path)
            .Descendants(element).ToDictionary(one => one.Attribute("Include")!.Value,
                one => one.Attribute("Version")!.Value);
    }

    [Fact]
    public void A_folder_of_packages_becomes_a_source()
    {
        var (path, packages) = (Path.Combine(folder, "cars"), Path.Combine(folder, "packages & more"));
        Directory.CreateDirectory(packages);
        Assert.Equal(0, ToolRun.Of("new", path, "--packages", packages).Code);
        Assert.Equal(packages, XDocument.Load(Path.Combine(path, "nuget.config")).Descendants("add").Single()
            .Attribute("value")!.Value);
        Assert.Matches("--packages: there is no folder .*missing",
            ToolRun.Refused("new", Path.Combine(folder, "other"), "--packages", Path.Combine(folder, "missing")));
        Assert.False(Directory.Exists(Path.Combine(folder, "other")));
    }

    [Fact]
    public void The_example_table_has_what_tables_have()
    {
        var path = Path.Combine(folder, "cars");
        ToolRun.Of("new", path);
        var profile = CsvFile.Profile(Path.Combine(path, "app", "data", "cars.csv"));
        Assert.Equal(
            [("maker", ColumnKind.Text), ("year", ColumnKind.Integer), ("km", ColumnKind.Integer),
                ("power", ColumnKind.Integer), ("electric", ColumnKind.Truth), ("price", ColumnKind.Integer)],
            profile.Columns.Select(column => (column.Name, column.Kind)));
        Assert.Equal(1500, profile.RowCount);
        Assert.InRange(profile["km"].Missing, 15, 60);
        Assert.True(profile["price"].Min > 0);
    }

    [Fact]
    public void The_example_images_are_a_folder_of_classes()
    {
        var path = Path.Combine(folder, "shapes");
        ToolRun.Of("new", path, "--kind", "images");
        var images = ImageFolder.Open(Path.Combine(path, "app", "data", "shapes"));
        Assert.Equal(["circle", "square", "triangle"], images.ClassNames);
        Assert.Equal((240, Shape.Create([3, 32, 32])), (images.Count, images.SampleShape));
    }

    [Fact]
    public void What_is_there_is_not_written_over()
    {
        var path = Path.Combine(folder, "cars");
        Directory.CreateDirectory(path);
        Assert.Equal(0, ToolRun.Of("new", path).Code);
        Assert.Matches("cars: exists and is not empty; name a new folder", ToolRun.Refused("new", path));
        Assert.Matches("README.md: is a file; ", ToolRun.Refused("new", Path.Combine(path, "README.md")));
    }

    [Theory]
    [InlineData("1st")]
    [InlineData("a b")]
    [InlineData("naïve")]
    [InlineData("Adjoint.Formats")]
    [InlineData("system")]
    public void A_name_that_is_none_for_a_project_is_refused(string name)
    {
        Assert.Matches($"name: '{name}' ", ToolRun.Refused("new", Path.Combine(folder, name)));
        Assert.Empty(Directory.GetFileSystemEntries(folder));
    }
}
