using Adjoint.Data;

namespace Adjoint.IO;

/// <summary>A PyTorch file of either format: what its pickle holds, and where its storages lie.</summary>
internal abstract class PyTorchContents
{
    private protected const int MostPickle = 1 << 28;

    internal abstract TensorFileFormat Format { get; }

    /// <summary>Whether the bytes of each element come in reverse order.</summary>
    internal virtual bool IsBigEndian => false;

    /// <summary>What the pickle holds.</summary>
    internal required PyTorchState State { get; init; }

    /// <summary>Reads bytes of a storage as they are in the file.</summary>
    internal abstract void Read(PyTorchStorage storage, long begin, Span<byte> bytes);

    /// <summary>Where the bytes of a storage lie in the file as they are; null where they are packed.</summary>
    internal abstract long? PlaceOf(PyTorchStorage storage);

    /// <summary>Reads pickle and directory of a file, and checks all against its length.</summary>
    /// <exception cref="DataFormatException">It is no PyTorch file, is damaged, or wants code to run.</exception>
    internal static PyTorchContents Read(FileStream file, string path)
    {
        Span<byte> first = stackalloc byte[TarMark];
        first = first[..RandomAccess.Read(file.SafeFileHandle, first, 0)];
        if (IsZip(first)) return PyTorchArchive.Read(file, path);
        if (IsPickle(first)) return PyTorchLegacyFile.Read(file, path);
        var found = first.Length == 0 ? "an empty file" : IsTar(first) ? "a tar archive, as PyTorch wrote it before 0.2"
            : $"the bytes {Convert.ToHexStringLower(first[..Math.Min(8, first.Length)])}";
        throw new DataFormatException(
            path, 0, found, "a file as torch.save writes it: a zip archive, or (before 1.6) a "
            + $"pickle that begins with 80028a0a; {Unpickler.Remedy}");
    }

    /// <summary>How many bytes of a file it takes to tell the formats.</summary>
    internal const int TarMark = 262;

    /// <summary>Whether a file that begins with these bytes is a zip archive.</summary>
    internal static bool IsZip(ReadOnlySpan<byte> first) =>
        first.StartsWith("PK\u0003\u0004"u8) || first.StartsWith("PK\u0005\u0006"u8);

    /// <summary>Whether a file that begins with these bytes is a pickle.</summary>
    internal static bool IsPickle(ReadOnlySpan<byte> first) => first is [0x80, >= 2 and <= 5, ..];

    /// <summary>Whether a file that begins with these bytes is a tar archive.</summary>
    internal static bool IsTar(ReadOnlySpan<byte> first) =>
        first.Length == TarMark && first[257..].SequenceEqual("ustar"u8);
}
