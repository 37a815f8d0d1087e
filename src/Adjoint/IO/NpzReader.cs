using Adjoint.Data;

namespace Adjoint.IO;

/// <summary>The arrays of a zip archive, each unpacked when it is asked for.</summary>
internal sealed class NpzReader : TensorFile
{
    private readonly FileStream stream;
    private readonly ZipDirectory archive;
    private readonly long maxBytes;
    private readonly Dictionary<string, ZipEntry> packed;

    private NpzReader(FileStream stream, string path, ZipDirectory archive, long maxBytes, List<TensorEntry> entries)
        : base(path, TensorFileFormat.Npz, entries, new Dictionary<string, string>())
    {
        (this.stream, this.archive, this.maxBytes) = (stream, archive, maxBytes);
        packed = entries.Zip(archive.Entries).ToDictionary(pair => pair.First.Name, pair => pair.Second);
    }

    /// <summary>Reads the headers of all arrays of a file that the reader closes.</summary>
    internal static NpzReader Open(FileStream stream, string path, long maxBytes = NpzFile.MaxBytes)
    {
        var archive = ZipDirectory.Read(stream.SafeFileHandle, path, "numpy.savez");
        var entries = new List<TensorEntry>();
        foreach (var entry in archive.Entries)
        {
            var place = archive.PlaceOf(entry);
            if (!entry.Name.EndsWith(NpzFile.Suffix, StringComparison.Ordinal)
                || entry.Name.Length == NpzFile.Suffix.Length)
                throw new DataFormatException(place, 0, "an entry that is no array", "entries NAME.npy alone");
            using var content = archive.Open(entry);
            entries.Add(NpyHeader.Read(content, place, entry.Length).Entry(entry.Name[..^NpzFile.Suffix.Length]));
        }
        return new(stream, path, archive, maxBytes, entries);
    }

    private protected override Tensor Read(TensorEntry entry)
    {
        var from = packed[entry.Name];
        RequireRoom(from, from.Length);
        var place = archive.PlaceOf(from);
        using var content = archive.Open(from);
        return NpyHeader.Read(content, place, from.Length).Read(content.ReadExactly, place);
    }

    private protected override IReadOnlyDictionary<string, Tensor> ReadAll()
    {
        Int128 unpacked = 0;
        foreach (var entry in archive.Entries) RequireRoom(entry, unpacked += entry.Length);
        return base.ReadAll();
    }

    protected override void Dispose(bool disposing) => stream.Dispose();

    // Before anything is unpacked.
    private void RequireRoom(ZipEntry entry, Int128 unpacked)
    {
        if (unpacked > maxBytes)
            throw new DataFormatException(archive.PlaceOf(entry), 0, $"{unpacked} unpacked bytes up to here",
                $"at most {maxBytes}; call NpzFile.Load with a larger maxBytes where you trust the file and have the "
                + "memory");
    }
}
