using System.Buffers.Binary;
using System.Text;
using Adjoint.Data;
using Adjoint.Memory;

namespace Adjoint.IO;

/// <summary>
/// Named tensors in a file, or in the shards that an index names: opening reads what there is, and only what is asked
/// for is read then. Files are untrusted: sizes are checked against the file before anything is allocated, and no code
/// of a file is run. Close it with <see cref="Dispose()"/>; tensors that it gave live on.
/// </summary>
public abstract class TensorFile : IDisposable
{
    private readonly Dictionary<string, TensorEntry> named;

    private protected TensorFile(string path, TensorFileFormat format, IReadOnlyList<TensorEntry> entries,
        IReadOnlyDictionary<string, string> metadata)
    {
        (Path, Format, Entries, Metadata) = (path, format, entries, metadata);
        named = entries.ToDictionary(entry => entry.Name);
    }

    /// <summary>The path that was opened.</summary>
    public string Path { get; }

    /// <summary>The format of the file, or of the shards.</summary>
    public TensorFileFormat Format { get; }

    /// <summary>The tensors, in the file's order.</summary>
    public IReadOnlyList<TensorEntry> Entries { get; }

    /// <summary>Texts that the file has beside the tensors, by key; empty where the format has none.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>
    /// Opens a file of tensors, and reads what there is in it. The format is told by the contents, whatever the name.
    /// </summary>
    /// <param name="path">
    /// The path of a safetensors, PyTorch's .pt, .npz or .npy file; of an index of shards
    /// (<c>model.safetensors.index.json</c>), which lie beside it; or of a folder, for its <c>model.safetensors</c> or
    /// <c>pytorch_model.bin</c>, their index, or its only index or .safetensors file.
    /// </param>
    /// <returns>The open file, to be disposed of.</returns>
    /// <exception cref="DataFormatException">
    /// It is of another format, or damaged, or may not be read, or index and shards do not agree.
    /// </exception>
    /// <exception cref="FileNotFoundException">There is nothing at that path.</exception>
    public static TensorFile Open(string path) => OpenFile(Directory.Exists(path) ? TensorFolder.Locate(path) : path);

    /// <summary>Opens a file, but no folder, and where it is a shard, no index.</summary>
    private protected static TensorFile OpenFile(string path, bool isShard = false) => Open(path, stream =>
    {
        var first = new byte[PyTorchContents.TarMark];
        var begin = first.AsSpan(0, stream.ReadAtLeast(first, first.Length, throwOnEndOfStream: false));
        stream.Position = 0;
        if (begin.StartsWith(NpyHeader.Magic)) return new NpyReader(stream, path);
        if (PyTorchContents.IsZip(begin))
            return PyTorchArchive.Recognizes(stream, path)
                ? new PyTorchReader(stream, path) : NpzReader.Open(stream, path);
        // The length of a header: no text and no other format begins with so small a number.
        if (begin.Length >= 8 && BinaryPrimitives.ReadUInt64LittleEndian(begin) <= (ulong)stream.Length)
            return new SafeTensorsReader(stream, path);
        if (PyTorchContents.IsPickle(begin) || PyTorchContents.IsTar(begin)) return new PyTorchReader(stream, path);
        var isIndex = begin.TrimStart(" \t\r\n"u8).StartsWith("{"u8) || begin.StartsWith(Encoding.UTF8.Preamble);
        if (isIndex && !isShard)
        {
            stream.Dispose();
            return (TensorFile)ShardReader.Read(path);
        }
        throw new DataFormatException(path, 0,
            begin.Length == 0
                ? "an empty file"
                : $"the bytes {Convert.ToHexStringLower(begin[..Math.Min(8, begin.Length)])}",
            "a file of tensors (safetensors, .pt, .npz, .npy), or an index of shards");
    });

    /// <summary>Opens a file for a reader, which closes it; where there is none in the end, it is closed at once.
    /// </summary>
    internal static T Open<T>(string path, Func<FileStream, T> read) where T : TensorFile
    {
        var stream = RegularFile.Open(path);
        try
        {
            return read(stream);
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    /// <summary>Reads one tensor into memory, and nothing else of the file.</summary>
    /// <param name="name">The name of the tensor.</param>
    /// <param name="convert">
    /// Whether a type that no tensor has is converted to the smallest that holds its values: <see
    /// cref="TensorEntry.ConvertsTo"/>.
    /// </param>
    /// <returns>
    /// The tensor, contiguous; a view, where a PyTorch file has elements that repeat (of <c>expand</c>).
    /// </returns>
    /// <exception cref="AdjointException">The file has no tensor of this name; the message has the nearest.</exception>
    /// <exception cref="DataFormatException">
    /// The tensor is damaged, too large, or its type has to be converted, or cannot be.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The file is closed.</exception>
    public Tensor Load(string name, bool convert = false)
    {
        var entry = Find(name);
        entry.RequireLoadable(entry.File ?? Path, convert);
        return Read(entry);
    }

    /// <summary>Reads all tensors into memory.</summary>
    /// <param name="convert">
    /// Whether types that no tensor has are converted to the smallest that holds their values: <see
    /// cref="TensorEntry.ConvertsTo"/>.
    /// </param>
    /// <returns>The tensors, by name.</returns>
    /// <exception cref="DataFormatException">
    /// The file is damaged, or a tensor is too large, or its type has to be converted, or cannot be.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The file is closed.</exception>
    public IReadOnlyDictionary<string, Tensor> LoadAll(bool convert = false)
    {
        foreach (var entry in Entries) entry.RequireLoadable(entry.File ?? Path, convert);
        return ReadAll();
    }

    /// <summary>
    /// A tensor whose memory is the file itself, where its elements lie there as a tensor has them (safetensors, .npy):
    /// nothing is read before it is used, and what the system has read it can drop again. Writing to the tensor does
    /// not change the file, and each call gives a tensor of its own. The memory lives as long as a tensor over it,
    /// whether or not the file is closed. Where the format, the alignment or the system does not allow it, this is <see
    /// cref="Load"/>. Do not cut the file short meanwhile: then a read of what is gone ends the process. To replace the
    /// file by another of its name, as all writers here do, is fine.
    /// </summary>
    /// <param name="name">The name of the tensor.</param>
    /// <returns>The tensor, contiguous.</returns>
    /// <exception cref="AdjointException">The file has no tensor of this name; the message has the nearest.</exception>
    /// <exception cref="DataFormatException">
    /// The tensor is damaged, too large, or of a type that tensors have not.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The file is closed.</exception>
    public virtual Tensor Map(string name) => Load(name);

    /// <summary>Closes the file.</summary>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Closes the file.</summary>
    /// <param name="disposing">Whether <see cref="Dispose()"/> was called.</param>
    protected abstract void Dispose(bool disposing);

    /// <summary>Maps a tensor whose elements lie in the file as memory has them.</summary>
    private protected Tensor MapFrom(FileStream stream, TensorEntry entry)
    {
        entry.RequireLoadable(Path, convert: false);
        var end = entry.Offset + entry.Bytes;
        if (RandomAccess.GetLength(stream.SafeFileHandle) is var length && length < end)
            throw new DataFormatException(Path, length, "the end: it became shorter after it was opened",
                $"{end - length} more bytes; write or copy it again");
        var type = entry.DType!.Value;
        // Kernels read whole elements; and there is no mapping of nothing.
        if (entry.Bytes == 0 || entry.Offset % type.Size() != 0) return Read(entry);
        Storage storage;
        try
        {
            storage = Storage.Over(new(stream, entry.Offset, (int)entry.Bytes));
        }
        catch (IOException)
        {
            // Some file systems map nothing; or there are too many mappings, until the collector finds them.
            return Read(entry);
        }
        entry.Stored.Normalize(storage.Bytes);
        return new(storage, entry.Shape, type);
    }

    /// <summary>Reads a tensor that can be loaded, converted where it has to be.</summary>
    private protected abstract Tensor Read(TensorEntry entry);

    /// <summary>Reads all tensors, of which each can be loaded.</summary>
    private protected virtual IReadOnlyDictionary<string, Tensor> ReadAll() =>
        Entries.ToDictionary(entry => entry.Name, Read);

    /// <exception cref="AdjointException">There is no tensor of this name.</exception>
    private protected TensorEntry Find(string name) => named.TryGetValue(name, out var entry)
        ? entry
        : throw new AdjointException(
            $"{Path}: found no tensor called '{DataFormatException.Abbreviate(name)}', expected one of its "
            + $"{Entries.Count}{Suggestion.For(name, named.Keys)}; Entries lists them");
}
