using Adjoint.Data;

namespace Adjoint.IO;

/// <summary>
/// PyTorch's files of weights, <c>.pt</c>, <c>.pth</c> or <c>.bin</c>: the dictionaries of tensors that
/// <c>torch.save</c> writes, in the zip format and in the one before it. Such files hold a pickle, a program of
/// Python's; here only what describes tensors, numbers, texts, lists and dictionaries is understood, everything else
/// is refused by its name, and no code of a file ever runs. Names within nested dictionaries and lists are joined with
/// dots: <c>model.conv1.weight</c>. Strides are honored; of tensors that are the same elements (tied weights) one
/// object is made. float64, float32, float16, bfloat16, int64, int32, uint8 and bool are loaded as they are.
/// </summary>
public static class PyTorchFile
{
    /// <summary>
    /// Writes tensors to a file, atomically, in the zip format: a flat dictionary that <c>torch.load</c> reads, with
    /// <c>weights_only=True</c> too. The same tensors in the same order give the same bytes. Tensors that fill the same
    /// memory (tied weights) share a storage.
    /// </summary>
    /// <param name="path">The path of the file, which is replaced if it exists.</param>
    /// <param name="tensors">The tensors to write, by name, in the order that the dictionary has.</param>
    /// <exception cref="AdjointException">A name is not valid text.</exception>
    /// <exception cref="IOException">The disk is full, or the folder may not be written to.</exception>
    public static void Save(string path, IReadOnlyDictionary<string, Tensor> tensors)
    {
        foreach (var name in tensors.Keys)
            if (!SafeTensorsContents.IsText(name))
                throw new AdjointException($"{path}: the name '{name}' is no valid Unicode; give the tensor another");
        var writer = new PyTorchWriter(tensors);
        AtomicFile.Write(path, writer.Write);
        GC.KeepAlive(tensors);
    }

    /// <summary>Lists the tensors of a file, in its order; reads its pickle alone.</summary>
    /// <param name="path">The path of the file.</param>
    /// <returns>Name, type and sizes of each tensor, and with which it shares its elements.</returns>
    /// <exception cref="DataFormatException">It is no file of tensors, is damaged, or wants code to run.</exception>
    /// <exception cref="FileNotFoundException">There is nothing at that path.</exception>
    public static IReadOnlyList<TensorEntry> Inspect(string path)
    {
        using var file = Open(path);
        return file.Entries;
    }

    /// <summary>Reads all tensors of a file into memory.</summary>
    /// <param name="path">The path of the file.</param>
    /// <param name="convert">
    /// Whether types that no tensor has are converted to the smallest that holds their values:
    /// <see cref="TensorEntry.ConvertsTo"/>.
    /// </param>
    /// <returns>The tensors, by name.</returns>
    /// <exception cref="DataFormatException">
    /// It is no file of tensors, is damaged, wants code to run, or a tensor's type has to be converted, or cannot be.
    /// </exception>
    /// <exception cref="FileNotFoundException">There is nothing at that path.</exception>
    public static IReadOnlyDictionary<string, Tensor> Load(string path, bool convert = false)
    {
        using var file = Open(path);
        return file.LoadAll(convert);
    }

    private static PyTorchReader Open(string path) =>
        TensorFile.Open(path, stream => new PyTorchReader(stream, path));
}
