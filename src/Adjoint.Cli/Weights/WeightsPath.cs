using Adjoint.Data;
using Adjoint.IO;

namespace Adjoint.Cli;

/// <summary>Tensors that the command line names: a file, the index of shards, or a folder.</summary>
internal static class WeightsPath
{
    internal const string Description =
        "A file of tensors (.safetensors, .pt, .npz, .npy), the index of shards, or the folder of a run or a model.";

    /// <summary>The file that a path stands for: of a run's folder its best model.</summary>
    internal static string FileOf(string path)
    {
        var best = Path.Combine(path, "best.safetensors");
        return File.Exists(best) ? best : path;
    }

    /// <summary>Opens the file that a path stands for.</summary>
    /// <exception cref="AdjointException">There is none, or it is of another format, or damaged.</exception>
    internal static TensorFile Open(string path) => Path.Exists(path)
        ? TensorFile.Open(FileOf(path))
        : throw new AdjointException($"{path}: no such file or folder");

    /// <summary>What people call a format.</summary>
    internal static string Label(TensorFileFormat format) => format switch
    {
        TensorFileFormat.SafeTensors => "safetensors",
        TensorFileFormat.PyTorch => "PyTorch",
        TensorFileFormat.PyTorchLegacy => "PyTorch, the format before 1.6",
        TensorFileFormat.Npz => "NumPy, several arrays",
        _ => "NumPy, one array",
    };
}
