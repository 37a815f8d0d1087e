using System.Text.RegularExpressions;

namespace Adjoint.SystemTests.Samples;

/// <summary>
/// All programs in samples/ in one build: each becomes a project that says what its directives say, and is set up as
/// <c>dotnet run</c> sets up a single file.
/// </summary>
public sealed partial class SampleBuild : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-samples-").FullName;

    public SampleBuild()
    {
        var root = LayeringTests.Root();
        foreach (var kind in (string[])["props", "targets"])
            File.WriteAllText(Path.Combine(folder, $"Directory.Build.{kind}"), $"""
                <Project>
                  <PropertyGroup><FileBasedProgram>true</FileBasedProgram></PropertyGroup>
                  <Import Project="{Path.Combine(root, $"Directory.Build.{kind}")}" />
                </Project>
                """);
        foreach (var path in Paths())
        {
            var name = Path.GetFileNameWithoutExtension(path);
            Directory.CreateDirectory(Path.Combine(folder, name));
            File.WriteAllText(Path.Combine(folder, name, $"{name}.csproj"), ProjectOf(path));
        }
        var projects = Paths().Select(Path.GetFileNameWithoutExtension)
            .Select(name => $"""<Project Path="{name}/{name}.csproj" />""");
        var solution = Path.Combine(folder, "samples.slnx");
        File.WriteAllText(solution, $"<Solution>{string.Concat(projects)}</Solution>");
        // The libraries have been built with the tests.
        Dotnet.Run("build", "-v", "q", "-nologo", "-p:BuildProjectReferences=false", solution);
    }

    /// <summary>The files of the samples.</summary>
    public static string[] Paths() => Directory.GetFiles(Path.Combine(LayeringTests.Root(), "samples"), "*.cs");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    /// <summary>Runs a program in a process of its own; returns what it printed.</summary>
    internal string Run(string sample) =>
        Dotnet.Run(Directory.GetFiles(Path.Combine(folder, sample, "bin"), $"{sample}.dll", SearchOption.AllDirectories)
            .Single());

    private static string ProjectOf(string path)
    {
        var directives = Directive().Matches(File.ReadAllText(path));
        IEnumerable<string> Values(string kind) =>
            directives.Where(match => match.Groups["kind"].Value == kind).Select(match => match.Groups["value"].Value);
        Assert.Equal(directives.Count, Values("sdk").Count() + Values("property").Count() + Values("project").Count());
        var properties = Values("property").Select(value => value.Split('='))
            .Select(parts => $"<{parts[0]}>{parts[1]}</{parts[0]}>");
        var references = Values("project").Select(value =>
            $"""<ProjectReference Include="{Path.Combine(Path.GetDirectoryName(path)!, value)}" />""");
        return $"""
            <Project Sdk="{Values("sdk").SingleOrDefault() ?? "Microsoft.NET.Sdk"}">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <PublishAot>true</PublishAot>
                <Features>$(Features);FileBasedProgram</Features>
                {string.Concat(properties)}
              </PropertyGroup>
              <ItemGroup><Compile Include="{path}" />{string.Concat(references)}</ItemGroup>
            </Project>
            """;
    }

    [GeneratedRegex(@"(?m)^#:(?<kind>\S+) (?<value>.+?)\r?$")]
    private static partial Regex Directive();
}
