using System.Globalization;
using System.Text;
using Adjoint.Data;

namespace Adjoint.IO;

/// <summary>
/// PyTorch's format since version 1.6: a zip archive with a folder that has the pickle as <c>data.pkl</c>, each
/// storage as <c>data/KEY</c>, and <c>version</c> and <c>byteorder</c>.
/// </summary>
internal sealed class PyTorchArchive : PyTorchContents
{
    // What PyTorch itself reads.
    private const int MostVersion = 10;
    private const int MostNote = 64;

    private readonly ZipDirectory directory;
    private readonly Dictionary<string, ZipEntry> entries;
    private readonly Lock gate = new();
    private (string Key, byte[] Bytes) unpacked = ("", []);

    private PyTorchArchive(ZipDirectory directory, Dictionary<string, ZipEntry> entries) =>
        (this.directory, this.entries) = (directory, entries);

    internal override TensorFileFormat Format => TensorFileFormat.PyTorch;

    internal override bool IsBigEndian => BigEndian;

    private bool BigEndian { get; init; }

    /// <summary>Whether a zip archive has pickles, as NumPy's have arrays.</summary>
    internal static bool Recognizes(FileStream file, string path) =>
        ZipDirectory.Read(file.SafeFileHandle, path, "torch.save or numpy.savez").Entries
            .Any(entry => entry.Name.EndsWith(".pkl", StringComparison.Ordinal));

    internal static new PyTorchArchive Read(FileStream file, string path)
    {
        var directory = ZipDirectory.Read(file.SafeFileHandle, path, "torch.save");
        var entries = EntriesOf(directory, path);
        var pickle = entries["data.pkl"];
        CheckVersion(directory, entries, path);
        var order = NoteOf(directory, entries, "byteorder") ?? "little";
        if (order is not ("little" or "big"))
            throw new DataFormatException(path, 0, $"byte order '{order}'", "little or big");
        var bytes = directory.ReadAll(pickle, MostPickle);
        var place = directory.PlaceOf(pickle);
        var storages = new PyTorchStorages(isOld: false);
        var source = new PickleSource(new MemoryStream(bytes), place, 0, bytes.Length);
        var root = new Unpickler(source, place, storages).Read();
        foreach (var storage in storages.All)
            if (!entries.TryGetValue($"data/{storage.Key}", out var entry) || entry.Length != storage.Bytes)
                throw new DataFormatException(path, 0, entry is null ? $"no storage {storage.Key}"
                    : $"{entry.Length} bytes of storage {storage.Key}", $"{storage.Bytes} bytes: {storage.Count} of "
                    + $"{storage.Type.Name}; the file is damaged, write or copy it again");
        return new(directory, entries)
        {
            BigEndian = order == "big",
            State = PyTorchState.Of(root, place, bytes.Length),
        };
    }

    internal override void Read(PyTorchStorage storage, long begin, Span<byte> bytes)
    {
        var entry = entries[$"data/{storage.Key}"];
        if (entry.IsDeflated)
        {
            // Most tensors have a storage of their own, so that it is wanted once.
            lock (gate)
            {
                if (unpacked.Key != storage.Key)
                    unpacked = (storage.Key, directory.ReadAll(entry, Array.MaxLength));
                unpacked.Bytes.AsSpan((int)begin, bytes.Length).CopyTo(bytes);
            }
            return;
        }
        // A part of it has no checksum.
        if (bytes.Length == entry.Length)
        {
            using var content = directory.Open(entry);
            content.ReadExactly(bytes);
            return;
        }
        directory.ReadStored(entry, begin, bytes);
    }

    internal override long? PlaceOf(PyTorchStorage storage) =>
        entries[$"data/{storage.Key}"] is { IsDeflated: false } entry ? directory.OffsetOf(entry) : null;

    // Without the folder that all are in, which has the name that the file had when it was written.
    private static Dictionary<string, ZipEntry> EntriesOf(ZipDirectory directory, string path)
    {
        var first = directory.Entries.Count > 0 ? directory.Entries[0].Name : "";
        var folder = first[..(first.IndexOf('/') + 1)];
        var entries = new Dictionary<string, ZipEntry>();
        Int128 deflated = 0;
        foreach (var entry in directory.Entries)
        {
            if (!entry.Name.StartsWith(folder, StringComparison.Ordinal)) continue;
            entries[entry.Name[folder.Length..]] = entry;
            if (entry.IsDeflated && (deflated += entry.Length) > ZipDirectory.MaxBytes)
                throw new DataFormatException(directory.PlaceOf(entry), 0, $"{deflated} unpacked bytes up to here",
                    $"at most {ZipDirectory.MaxBytes}; torch.save packs nothing: write it again, without compression");
        }
        if (entries.ContainsKey("constants.pkl") || entries.ContainsKey("model.json")
            || entries.Keys.Any(name => name.StartsWith("code/", StringComparison.Ordinal)))
            throw new DataFormatException(path, 0, "a TorchScript archive, which is a program",
                "a state dictionary; in "
                + "Python: torch.save(torch.jit.load(path).state_dict(), other)");
        return folder.Length > 0 && entries.ContainsKey("data.pkl") ? entries
            : throw new DataFormatException(path, 0, directory.Entries.Count == 0 ? "an empty archive"
                : $"an archive of {first} and {directory.Entries.Count - 1} more, without data.pkl",
                "NAME/data.pkl, as torch.save writes it; NpzFile reads NumPy's .npz");
    }

    private static void CheckVersion(ZipDirectory directory, Dictionary<string, ZipEntry> entries, string path)
    {
        var text = NoteOf(directory, entries, "version") ?? NoteOf(directory, entries, ".data/version");
        if (text is null || !int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var version)
            || version is < 1 or > MostVersion)
            throw new DataFormatException(path, 0, text is null ? "no version" : $"version '{text}' of the format",
                $"1 to {MostVersion}; {Unpickler.Remedy}, with a version of PyTorch as of 2026");
    }

    private static string? NoteOf(ZipDirectory directory, Dictionary<string, ZipEntry> entries, string name) =>
        entries.TryGetValue(name, out var entry)
            ? Encoding.Latin1.GetString(directory.ReadAll(entry, MostNote)).Trim() : null;
}
