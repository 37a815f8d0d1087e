using System.Text.RegularExpressions;

namespace Adjoint.Tests;

/// <summary>Folders of the library use only those before them.</summary>
public partial class LayeringTests
{
    private static readonly string[] Order =
    [
        "Memory", "Tensors", "Primitives", "Backends", "Autograd", "Ops", "Capture", "Nn", "Optim", "Data", "IO",
        "Training",
    ];

    // The two kinds of node refer to each other by nature, as does the mode that decides whether they do.
    private static readonly (string File, string Type)[] Allowed = [("Tensor.cs", "OpNode"), ("TensorPrinting.cs", "OpNode"), ("TensorReading.cs", "GradMode")];

    [Fact]
    public void No_folder_names_a_type_of_a_later_one()
    {
        var root = Path.Combine(Root(), "src", "Adjoint");
        var files = Order.SelectMany((folder, layer) => Directory.GetFiles(Path.Combine(root, folder), "*.cs", SearchOption.AllDirectories).Select(path => (path, layer, text: Code(path)))).ToArray();
        var declared = files.SelectMany(file => TypeDeclaration().Matches(file.text).Select(match => (name: match.Groups[1].Value, file.layer)))
            .GroupBy(type => type.name).ToDictionary(group => group.Key, group => group.Min(type => type.layer));
        var arrows =
            from file in files
            from word in Word().Matches(file.text).Select(match => match.Value).Distinct()
            where declared.TryGetValue(word, out var layer) && layer > file.layer
            where !Allowed.Contains((Path.GetFileName(file.path), word))
            where Regex.IsMatch(
                file.text, $@"(new {word}\b|(?<![.\w]){word}\.[A-Z]|[(<,\s]{word}[>\[\]?]?\s+[a-z]\w*\s*[;=,)])")
            select $"{Path.GetRelativePath(root, file.path)} → {word}";
        Assert.Empty(arrows);
    }

    [Fact]
    public void Every_folder_of_the_library_has_its_place()
    {
        var folders = Directory.GetDirectories(Path.Combine(Root(), "src", "Adjoint")).Select(Path.GetFileName).Except(["bin", "obj"]);
        Assert.Equal(Order.Order(), folders.Order());
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
