using Adjoint.Data;

namespace Adjoint.IO;

/// <summary>Finds the file of a model in its folder.</summary>
internal static class TensorFolder
{
    // As Hugging Face's libraries call them, and in their order.
    private static readonly string[] Known =
    [
        "model.safetensors", "model.safetensors" + ShardReader.IndexSuffix,
        "pytorch_model.bin", "pytorch_model.bin" + ShardReader.IndexSuffix,
    ];

    /// <summary>The path of the one model file or index of a folder.</summary>
    /// <exception cref="DataFormatException">There is none, or there are several.</exception>
    internal static string Locate(string folder)
    {
        if (Array.Find(Known, name => File.Exists(Path.Combine(folder, name))) is { } known)
            return Path.Combine(folder, known);
        string[] indexes = Named("*" + ShardReader.IndexSuffix), files = Named("*.safetensors");
        var found = indexes.Length > 0 ? indexes : files;
        return found.Length == 1 ? found[0] : throw new DataFormatException(found.Length == 0
            ? $"{folder}: found no file of tensors in this folder, expected {string.Join(", ", Known)}; name the file"
            : $"{folder}: found {found.Length} files of tensors in this folder, expected one; name one of "
            + DataFormatException.Abbreviate(string.Join(", ", found.Select(Path.GetFileName))));

        string[] Named(string pattern) => [.. Directory.EnumerateFiles(folder, pattern).Order(StringComparer.Ordinal)];
    }
}
