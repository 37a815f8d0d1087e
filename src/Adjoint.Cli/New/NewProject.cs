using System.Security;
using System.Text;
using System.Text.RegularExpressions;
using Adjoint.Data;
using Adjoint.IO;

namespace Adjoint.Cli;

/// <summary>
/// A project that <c>adjoint new</c> writes: an ASP.NET program that trains and serves a model, its test, and a small
/// example data set in the place of the user's own.
/// </summary>
/// <param name="folder">Where it is written; the last part is its name.</param>
/// <param name="kind">One of <see cref="Kinds"/>.</param>
/// <param name="packages">A folder of packages to restore from, beside the usual sources; null: these alone.</param>
internal sealed partial class NewProject(string folder, string kind, string? packages)
{
    /// <summary>The kinds of data that there are projects for.</summary>
    internal static readonly string[] Kinds = ["table", "images"];

    // What a project is made of: the resource, and the file it becomes. NAME is the project's.
    private static readonly (string Resource, string Path)[] Common =
    [
        ("app.xml", "app/NAME.csproj"), ("tests.xml", "tests/NAME.Tests.csproj"), ("solution.xml", "NAME.slnx"),
        ("global.json", "global.json"), ("gitignore.txt", ".gitignore"),
    ];

    private static readonly string[] Own =
        ["README.md", "app/Program.cs", "app/Training.cs", "app/Service.cs", "tests/ServiceTests.cs"];

    private readonly string name = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)));

    /// <summary>What the project learns from, relative to its folder.</summary>
    internal string Data => kind == "images" ? "app/data/shapes" : "app/data/cars.csv";

    /// <summary>Writes all files.</summary>
    /// <exception cref="UsageException">
    /// The name is none for a project, the folder is not empty, or there are no packages where they should be.
    /// </exception>
    internal void Write()
    {
        if (!Name().IsMatch(name))
            throw new UsageException($"name: '{name}' cannot be that of a project; begin with a letter, and use "
                + "letters, digits, '-', '_' and '.'");
        if (Taken().IsMatch(name))
            throw new UsageException($"name: '{name}' is that of a library which the project uses; choose another");
        if (packages is not null && !Directory.Exists(packages))
            throw new UsageException($"--packages: there is no folder {packages}; dotnet pack -o {packages} makes one");
        if (File.Exists(folder))
            throw new UsageException($"{folder}: is a file; name a folder that does not exist yet");
        if (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any())
            throw new UsageException($"{folder}: exists and is not empty; name a new folder, so that nothing is lost");
        foreach (var (resource, path) in Common) WriteText(Filled(path), Filled(Read($"common/{resource}")));
        foreach (var path in Own) WriteText(path, Filled(Read($"{kind}/{Path.GetFileName(path)}")));
        if (packages is not null)
            WriteText("nuget.config", Read("common/nuget.xml").Replace(
                "FOLDER", SecurityElement.Escape(Path.GetFullPath(packages)), StringComparison.Ordinal));
        if (kind == "images") ExampleImages.Write(Path.Combine(folder, Data));
        else WriteText(Data, ExampleTable.Csv());
    }

    private void WriteText(string path, string text)
    {
        var full = Path.Combine(folder, path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        AtomicFile.WriteText(full, text);
    }

    private string Filled(string text) => text
        .Replace("VERSION", LibraryVersion.Text, StringComparison.Ordinal)
        .Replace("NAME", name, StringComparison.Ordinal);

    private static string Read(string resource)
    {
        using var stream = typeof(NewProject).Assembly.GetManifestResourceStream($"new/{resource}")!;
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return reader.ReadToEnd().Replace("\r\n", "\n", StringComparison.Ordinal);
    }

    [GeneratedRegex(@"^[A-Za-z][A-Za-z0-9_.-]{0,63}$")]
    private static partial Regex Name();

    // A project with the name of a package that it uses, or with that of one of its own assemblies, cannot be built.
    [GeneratedRegex(@"^(adjoint|system|microsoft|xunit)(\.|$)", RegexOptions.IgnoreCase)]
    private static partial Regex Taken();
}
