using System.IO.Compression;
using System.IO.Hashing;
using Adjoint.Data;

namespace Adjoint.IO;

/// <summary>
/// NumPy's format of several arrays, <c>.npz</c>: a zip archive of <see cref="NpyFile"/>s, as <c>numpy.savez</c> and
/// <c>numpy.savez_compressed</c> write it. Archives are untrusted: every entry's checksum is checked, and what unpacks
/// to more bytes than the given limit (a zip bomb) is refused before it is unpacked.
/// </summary>
public static class NpzFile
{
    /// <summary>How many bytes the arrays of an archive may have in all, unless the caller says more: 4 GiB.</summary>
    public const long MaxBytes = 1L << 32;

    private const string Suffix = ".npy";

    // Deflate cannot shrink by more than 1032 to 1.
    private const long MaxExpansion = 1032;

    // The zip format begins here, and NumPy writes it always: the same tensors give the same bytes.
    private static readonly DateTimeOffset Epoch = new(1980, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Writes tensors to an archive, atomically, in order of their names.</summary>
    /// <param name="path">The path of the file, which is replaced if it exists.</param>
    /// <param name="tensors">The tensors to write, by name.</param>
    /// <param name="compress">Whether to compress them (Deflate), as <c>numpy.savez_compressed</c> does.</param>
    /// <exception cref="AdjointException">A name is empty.</exception>
    /// <exception cref="IOException">The disk is full, or the folder may not be written to.</exception>
    public static void Save(string path, IReadOnlyDictionary<string, Tensor> tensors, bool compress = false)
    {
        if (tensors.ContainsKey(""))
            throw new AdjointException($"{path}: the name of a tensor is empty; give it a name");
        AtomicFile.Write(path, stream =>
        {
            using var archive = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true);
            foreach (var (name, tensor) in tensors.OrderBy(tensor => tensor.Key, StringComparer.Ordinal))
            {
                var entry = archive.CreateEntry(name + Suffix,
                    compress ? CompressionLevel.Optimal : CompressionLevel.NoCompression);
                entry.LastWriteTime = Epoch;
                using var content = entry.Open();
                NpyFile.Write(content, tensor);
            }
        });
    }

    /// <summary>Lists the arrays of an archive, in its order; reads their headers alone.</summary>
    /// <param name="path">The path of the file.</param>
    /// <returns>Name, type and sizes of each array.</returns>
    /// <exception cref="DataFormatException">
    /// It is no archive of arrays, is damaged, or an array has no numbers.
    /// </exception>
    /// <exception cref="FileNotFoundException">There is nothing at that path.</exception>
    public static IReadOnlyList<NpyEntry> Inspect(string path)
    {
        var entries = new List<NpyEntry>();
        Read(path, long.MaxValue, (name, place, entry) =>
        {
            using var content = entry.Open();
            entries.Add(new(name, NpyHeader.Read(content, place, entry.Length)));
        });
        return entries;
    }

    /// <summary>Reads all arrays of an archive into memory.</summary>
    /// <param name="path">The path of the file.</param>
    /// <param name="convert">
    /// Whether types that no tensor has are converted to the smallest that holds their values:
    /// <see cref="NpyEntry.ConvertsTo"/>.
    /// </param>
    /// <param name="maxBytes">What the arrays may have in bytes, together, once unpacked.</param>
    /// <returns>The tensors, by name.</returns>
    /// <exception cref="DataFormatException">
    /// It is no archive of arrays, is damaged, unpacks to more than <paramref name="maxBytes"/>, or an array has no
    /// numbers or a type that has to be converted.
    /// </exception>
    /// <exception cref="FileNotFoundException">There is nothing at that path.</exception>
    public static IReadOnlyDictionary<string, Tensor> Load(
        string path, bool convert = false, long maxBytes = MaxBytes)
    {
        var tensors = new Dictionary<string, Tensor>();
        Read(path, maxBytes, (name, place, entry) =>
        {
            using var content = new Checked(entry.Open());
            tensors[name] = NpyFile.Read(content, place, entry.Length, convert);
            if (content.Checksum != entry.Crc32)
                throw new DataFormatException(place, 0, $"contents of checksum {content.Checksum:x8}",
                    $"{entry.Crc32:x8}, as written: the archive is damaged, copy or write it again");
        });
        return tensors;
    }

    private static void Read(string path, long maxBytes, Action<string, string, ZipArchiveEntry> read)
    {
        using var file = RegularFile.Open(path);
        try
        {
            using var archive = new ZipArchive(file, ZipArchiveMode.Read, leaveOpen: true);
            Check(archive, path, file.Length, maxBytes);
            foreach (var entry in archive.Entries)
                read(NameOf(entry), $"{path}({DataFormatException.Abbreviate(entry.FullName)})", entry);
        }
        catch (Exception error) when (error is InvalidDataException or EndOfStreamException
            or NotSupportedException or ArgumentException)
        {
            throw new DataFormatException(path, file.Position, $"a broken archive ({error.Message.TrimEnd('.')})",
                "a zip archive, stored or deflated, as numpy.savez writes it; write it again");
        }
    }

    // Before anything is unpacked. The entries lie one after another: where those of a bomb share their bytes, the sum
    // is more than the file.
    private static void Check(ZipArchive archive, string path, long length, long maxBytes)
    {
        var (packed, unpacked, names) = ((Int128)0, (Int128)0, new HashSet<string>());
        foreach (var entry in archive.Entries)
        {
            var place = $"{path}({DataFormatException.Abbreviate(entry.FullName)})";
            if (!entry.FullName.EndsWith(Suffix, StringComparison.Ordinal) || entry.FullName.Length == Suffix.Length)
                throw new DataFormatException(place, 0, "an entry that is no array", "entries NAME.npy alone");
            if (entry.IsEncrypted)
                throw new DataFormatException(place, 0, "an encrypted entry", "entries without a password");
            if (!names.Add(entry.FullName))
                throw new DataFormatException(place, 0, "a second entry of this name", "one");
            (packed, unpacked) = (packed + entry.CompressedLength, unpacked + entry.Length);
            if (packed > length || entry.CompressedLength < 0)
                throw new DataFormatException(place, 0, $"{packed} bytes of entries up to here",
                    $"at most the {length} of the archive");
            if (entry.Length < 0 || entry.Length > (Int128)entry.CompressedLength * MaxExpansion)
                throw new DataFormatException(place, 0, $"{entry.CompressedLength} bytes that unpack to {entry.Length}",
                    $"at most {MaxExpansion} times as many");
            if (unpacked > maxBytes)
                throw new DataFormatException(place, 0, $"{unpacked} unpacked bytes up to here",
                    $"at most {maxBytes}; pass a larger maxBytes where you trust the file and have the memory");
        }
    }

    private static string NameOf(ZipArchiveEntry entry) => entry.FullName[..^Suffix.Length];

    // Of everything that went through.
    private sealed class Checked(Stream inner) : Stream
    {
        private readonly Crc32 crc = new();

        internal uint Checksum => crc.GetCurrentHashAsUInt32();

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override int Read(Span<byte> buffer)
        {
            var read = inner.Read(buffer);
            crc.Append(buffer[..read]);
            return read;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override void Flush() { }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing) inner.Dispose();
            base.Dispose(disposing);
        }
    }
}
