using System.Diagnostics;
using System.Reflection;
using System.Text.RegularExpressions;
using Adjoint.Kernels;

namespace Adjoint.SystemTests.Samples;

/// <summary>
/// All programs of the gallery in one build: each becomes a method, <c>CapturedFunction</c> in them is
/// <see cref="WatchedFunction"/>, and each trainer has <see cref="WatchedSteps"/>.
/// </summary>
public sealed partial class GalleryBuild : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-gallery-").FullName;
    private readonly Assembly assembly;

    public GalleryBuild()
    {
        // The last is named by overloads of the library.
        var references = string.Concat(((Type[])[typeof(GalleryBuild), typeof(Tensor), typeof(IUnaryOperator),
            typeof(System.Numerics.Tensors.Tensor)]).Select(type => $"""<Reference Include="{PathOf(type)}" />"""));
        File.WriteAllText(Path.Combine(folder, "gallery.csproj"), $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <TargetFramework>net10.0</TargetFramework>
                <ImplicitUsings>enable</ImplicitUsings><Nullable>enable</Nullable>
                <TreatWarningsAsErrors>true</TreatWarningsAsErrors>
              </PropertyGroup>
              <ItemGroup>
                {references}
                <Using Include="{typeof(WatchedFunction).FullName}" Alias="CapturedFunction" />
              </ItemGroup>
            </Project>
            """);
        foreach (var path in Paths())
            File.WriteAllText(Path.Combine(folder, Path.GetFileName(path)), AsMethod(path));
        var start = new ProcessStartInfo("dotnet", ["build", "-v", "q", "-nologo", folder])
        {
            RedirectStandardOutput = true,
        };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, output);
        var built = Directory.GetFiles(Path.Combine(folder, "bin"), "gallery.dll", SearchOption.AllDirectories);
        assembly = Assembly.Load(File.ReadAllBytes(built.Single()));
    }

    /// <summary>The files of the gallery.</summary>
    public static string[] Paths() =>
        Directory.GetFiles(Path.Combine(LayeringTests.Root(), "samples", "gallery"), "*.cs");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    /// <summary>Runs a program; returns what it printed.</summary>
    internal string Run(string sample)
    {
        var main = assembly.GetType($"{NamespaceOf(sample)}.Program", throwOnError: true)!.GetMethod(
            "Run", BindingFlags.Static | BindingFlags.NonPublic)!.CreateDelegate<Action>();
        var (console, output) = (Console.Out, new StringWriter());
        Console.SetOut(output);
        try
        {
            main();
        }
        finally
        {
            Console.SetOut(console);
        }
        return output.ToString();
    }

    // Top-level statements stand before all types.
    private static string AsMethod(string path)
    {
        var lines = File.ReadAllLines(path);
        var first = Array.FindLastIndex(lines, Using().IsMatch) + 1;
        var types = Array.FindIndex(lines, first, Type().IsMatch) is var found and >= 0 ? found : lines.Length;
        return $$"""
            {{string.Join('\n', lines.Where(line => Using().IsMatch(line)))}}
            namespace {{NamespaceOf(Path.GetFileNameWithoutExtension(path))}};
            static class Program { internal static void Run() {
            #line {{first + 1}} "{{path}}"
            {{Watched(string.Join('\n', lines[first..types]))}}
            } }
            #line {{types + 1}} "{{path}}"
            {{string.Join('\n', lines[types..])}}
            """;
    }

    // A trainer steps eagerly or captured as the run in progress says, and notes each step.
    private static string Watched(string code)
    {
        for (var at = 0; (at = code.IndexOf("new Trainer(", at, StringComparison.Ordinal)) >= 0;)
        {
            var depth = 0;
            for (at = code.IndexOf('(', at); (depth += code[at] switch { '(' => 1, ')' => -1, _ => 0 }) > 0;) at++;
            var name = typeof(WatchedSteps).FullName;
            var own = $"Eager = {name}.IsEager, Callbacks = {{ new {name}() }}";
            var rest = code[++at..].TrimStart();
            code = code[..at] + (rest.StartsWith('{') ? $" {{ {own}, {Lines(at)}{rest[1..]}" : $" {{ {own} }}{rest}");
        }
        return code;

        // The line breaks between the arguments and the braces, so that messages name the right lines.
        string Lines(int from) => new('\n', code[from..code.IndexOf('{', from)].Count(letter => letter == '\n'));
    }

    private static string NamespaceOf(string sample) => "Gallery_" + sample.Replace('-', '_');

    private static string PathOf(Type type) => type.Assembly.Location;

    [GeneratedRegex(@"^using [\w.]+;")]
    private static partial Regex Using();

    [GeneratedRegex(@"^(\w+ )*(class|struct|record|enum|interface) ")]
    private static partial Regex Type();
}
