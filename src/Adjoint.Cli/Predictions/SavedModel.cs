using Adjoint.Data;
using Adjoint.Data.Tables;
using Adjoint.Training;

namespace Adjoint.Cli;

/// <summary>The model of a run, or of a file.</summary>
internal static class SavedModel
{
    internal const string Description =
        "The folder of a run, whose best model is taken, or a model file (.safetensors).";

    /// <summary>The file of the model.</summary>
    /// <exception cref="AdjointException">There is none.</exception>
    internal static string PathOf(string path)
    {
        if (File.Exists(path)) return path;
        const string remedy = "name the folder of a run, or a .safetensors file";
        if (!Directory.Exists(path)) throw new AdjointException($"{path}: no such folder or file; {remedy}");
        var best = Path.Combine(path, "best.safetensors");
        return File.Exists(best)
            ? best
            : throw new AdjointException($"{path}: holds no best.safetensors; {remedy}");
    }

    /// <summary>What a model learned from, in words.</summary>
    internal static string Learned(Preprocessing? preprocessing) => preprocessing switch
    {
        TableEncoder => "a table",
        ImagePreprocessing => "images",
        TextPreprocessing => "text",
        null => "data that its file does not describe",
        _ => $"'{preprocessing.Kind}'",
    };

    /// <exception cref="AdjointException">There is no model, or its file cannot be used.</exception>
    internal static Predictor Load(string path) => Predictor.Load(PathOf(path));
}
