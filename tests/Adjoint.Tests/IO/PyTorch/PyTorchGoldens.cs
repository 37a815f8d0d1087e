using System.Text.Json;

namespace Adjoint.Tests.IO;

/// <summary>A file that PyTorch wrote, and what is in it: <c>Goldens/pytorch_files.py</c>.</summary>
public sealed record PyTorchGolden(
    string Name, byte[] Bytes, GoldenTensor[] Tensors, IReadOnlyDictionary<string, string> Texts)
{
    private static readonly string Folder = Path.Combine(LayeringTests.Root(), "tests/Adjoint.Tests/IO/Goldens");

    internal static string Script => Path.Combine(Folder, "pytorch_files.py");

    internal static IReadOnlyList<PyTorchGolden> All { get; } =
        [.. File.ReadLines(Path.Combine(Folder, "pytorch_files.txt")).Select(Parse)];

    internal static PyTorchGolden Of(string name) => All.Single(golden => golden.Name == name);

    internal static PyTorchGolden Parse(string line)
    {
        var json = JsonDocument.Parse(line).RootElement;
        return new(json.GetProperty("name").GetString()!, json.GetProperty("bytes").GetBytesFromBase64(),
            [.. json.GetProperty("tensors").EnumerateArray().Select(row => new GoldenTensor(
                row[0].GetString()!, row[1].GetString()!, row[2].GetString(),
                [.. row[3].EnumerateArray().Select(size => size.GetInt64())],
                Convert.FromHexString(row[4].GetString()!)))],
            json.GetProperty("texts").EnumerateObject().ToDictionary(text => text.Name,
                text => text.Value.GetString()!));
    }
}

/// <summary>A tensor of such a file.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">Its element type.</param>
/// <param name="Loaded">What it is loaded as; null where it cannot be.</param>
/// <param name="Sizes">Of the axes.</param>
/// <param name="Elements">Little-endian, in row-major order, of the type that it is loaded as.</param>
public sealed record GoldenTensor(string Name, string Type, string? Loaded, long[] Sizes, byte[] Elements);
