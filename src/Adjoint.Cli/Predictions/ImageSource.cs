using Adjoint.Formats;
using Adjoint.Training;

namespace Adjoint.Cli;

/// <summary>Images: a file, or all in a folder and the folders in it.</summary>
internal sealed class ImageSource(Predictor predictor, IReadOnlyList<string> files) : PredictionSource
{
    // Few enough that large ones fit memory.
    private const int PerChunk = 32;

    internal override string KeyName => "file";

    /// <exception cref="AdjointException">There are none in the folder.</exception>
    internal static ImageSource Open(Predictor predictor, string path)
    {
        if (File.Exists(path)) return new(predictor, [path]);
        string[] files = [.. Directory.EnumerateFiles(path, "*", SearchOption.AllDirectories)
            .Where(file => ImageFile.Extensions.Contains(Path.GetExtension(file), StringComparer.OrdinalIgnoreCase))
            .Order(StringComparer.Ordinal)];
        return files.Length > 0
            ? new(predictor, files)
            : throw new AdjointException(
                $"{path}: holds no images; they end in {string.Join(", ", ImageFile.Extensions)}");
    }

    internal override IEnumerable<(IReadOnlyList<string> Keys, Prediction Prediction)> Predict()
    {
        foreach (var chunk in files.Chunk(PerChunk))
            yield return (chunk, predictor.PredictImages(chunk.Select(file => ImageFile.Read(file))));
    }
}
