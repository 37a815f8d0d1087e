using System.Text.RegularExpressions;

namespace Adjoint.Tests;

/// <summary>Folders use only those before them: this is the map of the sources.</summary>
public partial class LayeringTests
{
    private static readonly (string Project, string[] Folders)[] Layers =
    [
        ("Adjoint.Kernels", ["Simd", "Threads", "Random", "Drivers", "Rows", "Gemm", "Sequence", "Convolution"]),
        ("Adjoint",
            [
                "Memory", "Tensors", "Primitives", "Backends", "Autograd", "Ops", "Capture", "Nn", "Optim", "Data",
                    "IO",
                "Distributed", "Training", "Generation",
            ]),
    ];

    // Arrows up, each with its reason.
    private static readonly (string File, string Type, string Reason)[] Allowed =
    [
        ("Tensor.cs", "OpNode", "tensor nodes and op nodes are the two halves of one graph"),
        ("TensorPrinting.cs", "OpNode", "a tensor prints the op that made it"),
        ("TensorReading.cs", "GradMode", "writing in place is refused where a graph would miss it"),
    ];

    public static TheoryData<string> Projects => [.. Layers.Select(layers => layers.Project)];

    [Theory]
    [MemberData(nameof(Projects))]
    public void No_folder_names_a_type_of_a_later_one(string project) =>
        Assert.Empty(
            from arrow in Arrows(project)
            where !Allowed.Any(one => (one.File, one.Type) == (Path.GetFileName(arrow.File), arrow.Type))
            select $"{arrow.File} → {arrow.Type}");

    [Fact]
    public void Every_allowed_arrow_is_there() =>
        Assert.Equal(
            Allowed.Select(one => (one.File, one.Type)).Order(),
            Projects.SelectMany(project => Arrows(project.Data))
                .Select(arrow => (Path.GetFileName(arrow.File), arrow.Type))
                .Distinct().Order());

    [Theory]
    [MemberData(nameof(Projects))]
    public void Every_folder_has_its_place(string project)
    {
        var folders = Directory.GetDirectories(Path.Combine(Root(), "src", project)).Select(Path.GetFileName)
            .Except(["bin", "obj"]);
        Assert.Equal(Layers.Single(layers => layers.Project == project).Folders.Order(), folders.Order());
    }

    // Uses of a type that is declared in later folders only. A name that several folders declare is the first one's.
    private static IEnumerable<(string File, string Type)> Arrows(string project)
    {
        var root = Path.Combine(Root(), "src", project);
        var files = Layers.Single(layers => layers.Project == project).Folders
            .SelectMany((folder, layer) =>
                Directory.GetFiles(Path.Combine(root, folder), "*.cs", SearchOption.AllDirectories)
                    .Select(path => (path, layer, text: Code(path))))
            .ToArray();
        var declared = files
            .SelectMany(file =>
                TypeDeclaration().Matches(file.text).Select(match => (name: match.Groups[1].Value, file.layer)))
            .GroupBy(type => type.name)
            .ToDictionary(group => group.Key, group => group.Min(type => type.layer));
        return from file in files
               from word in Word().Matches(file.text).Select(match => match.Value).Distinct()
               where declared.TryGetValue(word, out var layer) && layer > file.layer
               where Regex.IsMatch(
                   file.text, $@"(new {word}\b|(?<![.\w]){word}\.[A-Z]|[(<,\s]{word}[>\[\]?]?\s+[A-Za-z]\w*)")
               select (Path.GetRelativePath(root, file.path), word);
    }

    internal static string Root()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Adjoint.slnx"))) folder = Path.GetDirectoryName(folder)!;
        return folder;
    }

    private static string Code(string path) => CommentOrString().Replace(File.ReadAllText(path), "");

    [GeneratedRegex(@"//.*|""(\\.|[^""\\\n])*""")]
    private static partial Regex CommentOrString();

    [GeneratedRegex(@"\b(?:class|struct|interface|enum|record struct|record)\s+([A-Z]\w+)")]
    private static partial Regex TypeDeclaration();

    [GeneratedRegex(@"\b[A-Z]\w+\b")]
    private static partial Regex Word();
}
