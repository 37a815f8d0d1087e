using System.Reflection;
using System.Text;
using System.Text.RegularExpressions;
using Adjoint.Explorer;
using Adjoint.Formats;
using Adjoint.Hosting;
using Adjoint.Kernels;
using Adjoint.Mpi;
using Adjoint.TensorBoard;
using Adjoint.Tests.Documentation;

namespace Adjoint.SystemTests.Documentation;

/// <summary>
/// The C# of all pages in one build, as a new project of a user would compile it: each page is a program, its blocks in
/// order, their directives first and their types last.
/// </summary>
public sealed partial class PageBuild : IDisposable
{
    /// <summary>Printed after each block.</summary>
    internal const string Mark = "——";

    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-pages-").FullName;

    public PageBuild()
    {
        var references = References([typeof(Tensor), typeof(IUnaryOperator), typeof(GraphExplorer), typeof(CsvFile),
                typeof(LoggingCallback), typeof(TensorBoardCallback), typeof(MpiCommunicator)])
            .Select(path => $"""<Reference Include="{path}" />""");
        File.WriteAllText(Path.Combine(folder, "pages.csproj"), $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType><TargetFramework>net10.0</TargetFramework>
                <ImplicitUsings>enable</ImplicitUsings><Nullable>enable</Nullable>
                <TreatWarningsAsErrors>true</TreatWarningsAsErrors>
                <!-- A page without `await` is an asynchronous method all the same. -->
                <NoWarn>CS1998</NoWarn>
              </PropertyGroup>
              <ItemGroup>
                <FrameworkReference Include="Microsoft.AspNetCore.App" />
                {string.Concat(references)}
              </ItemGroup>
            </Project>
            """);
        var pages = Page.WithPrograms.Select(name => new Page(name)).ToArray();
        foreach (var page in pages) File.WriteAllText(Path.Combine(folder, ClassOf(page.Name) + ".cs"), Program(page));
        var cases = pages.Select(page => $"case \"{page.Name}\": await {ClassOf(page.Name)}.Program.Run(); break;\n");
        File.WriteAllText(Path.Combine(folder, "Main.cs"), $"switch (args[0]) {{\n{string.Concat(cases)}}}\n");
        Dotnet.RunIn(folder, "build", "-v", "q", "-nologo", folder);
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    /// <summary>Runs a page in a process and a folder of its own; returns what each of its blocks printed.</summary>
    internal string[] Run(string page)
    {
        var program = Directory.GetFiles(Path.Combine(folder, "bin"), "pages.dll", SearchOption.AllDirectories)
            .Single();
        return Dotnet.RunIn(folder, program, page).Split(Mark + "\n")[..^1];
    }

    private static string Program(Page page)
    {
        var (directives, statements, types) = (new SortedSet<string>(["using Adjoint;"]), new StringBuilder(),
            new StringBuilder());
        foreach (var (code, line, _) in page.Snippets)
        {
            var lines = code.TrimEnd('\n').Split('\n');
            foreach (var directive in lines.Where(one => Directive().IsMatch(one))) directives.Add(directive);
            var body = string.Join('\n', lines.Select(one => Directive().IsMatch(one) ? "" : one));
            var isType = lines.Any(one => Type().IsMatch(one));
            (isType ? types : statements).Append($"#line {line} \"{page.Name}\"\n{body}\n");
            statements.Append($"Console.WriteLine(\"{Mark}\");\n");
        }
        return $$"""
            {{string.Join('\n', directives)}}
            namespace {{ClassOf(page.Name)}};
            static class Program { internal static async Task Run() {
            {{statements}}
            } }
            {{types}}
            """;
    }

    // The assemblies of the types, and those of packages that they use.
    private static HashSet<string> References(IEnumerable<Type> types)
    {
        var (paths, left) = (new HashSet<string>(), new Stack<Assembly>(types.Select(type => type.Assembly)));
        while (left.TryPop(out var assembly))
        {
            if (!paths.Add(assembly.Location)) continue;
            foreach (var name in assembly.GetReferencedAssemblies())
                if (File.Exists(Path.Combine(AppContext.BaseDirectory, $"{name.Name}.dll")))
                    left.Push(Assembly.Load(name));
        }
        return paths;
    }

    private static string ClassOf(string page) => "Page_" + NoLetter().Replace(page, "_");

    [GeneratedRegex(@"^using [\w.]+;")]
    private static partial Regex Directive();

    [GeneratedRegex(@"^(\w+ )*(class|struct|record|enum|interface) ")]
    private static partial Regex Type();

    [GeneratedRegex(@"\W")]
    private static partial Regex NoLetter();
}
