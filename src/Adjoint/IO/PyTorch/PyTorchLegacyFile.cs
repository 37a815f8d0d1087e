using System.Buffers.Binary;
using System.Numerics;
using Adjoint.Data;

namespace Adjoint.IO;

/// <summary>
/// PyTorch's format before version 1.6: pickles one after another (a magic number, the protocol, the system, the
/// object, the keys of its storages), then for each storage its number of elements in 8 bytes, and the elements. They
/// are little-endian, whatever the system was that wrote them.
/// </summary>
internal sealed class PyTorchLegacyFile : PyTorchContents
{
    private const int Protocol = 1001;
    private const int CountLength = 8;
    private static readonly BigInteger Magic = new([0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19]);

    private readonly FileStream file;
    private readonly string path;
    private readonly Dictionary<string, long> places;

    private PyTorchLegacyFile(FileStream file, string path, Dictionary<string, long> places) =>
        (this.file, this.path, this.places) = (file, path, places);

    internal override TensorFileFormat Format => TensorFileFormat.PyTorchLegacy;

    internal static new PyTorchLegacyFile Read(FileStream file, string path)
    {
        var length = file.Length;
        var most = Math.Min(length, MostPickle);
        var source = new PickleSource(new FileRange(file.SafeFileHandle, 0, most), path, 0, most);
        if (new Unpickler(source, path).Read() is not BigInteger magic || magic != Magic)
            throw new DataFormatException(path, 0, "a pickle that is not PyTorch's",
                $"PyTorch's magic number, as torch.save writes it; {Unpickler.Remedy}");
        var (begin, version) = (source.Position, new Unpickler(source, path).Read());
        if (version is not (long)Protocol)
            throw new DataFormatException(path, begin, $"protocol {version as long?} of the old format", $"{Protocol}");
        begin = source.Position;
        if (new Unpickler(source, path).Read() is not PickleDict)
            throw new DataFormatException(path, begin, "something else than the system that wrote the file",
                "a dictionary; the file is damaged");
        begin = source.Position;
        var storages = new PyTorchStorages(isOld: true);
        var root = new Unpickler(source, path, storages).Read();
        var state = PyTorchState.Of(root, path, source.Position - begin);
        begin = source.Position;
        if (new Unpickler(source, path).Read() is not PickleList keys)
            throw new DataFormatException(path, begin, "something else than the keys of the storages",
                "a list; the file is damaged");
        return new(file, path, PlacesOf(keys, storages, file, path, source.Position)) { State = state };
    }

    internal override void Read(PyTorchStorage storage, long begin, Span<byte> bytes) =>
        RegularFile.ReadAt(file, bytes, places[storage.Key] + begin, path);

    internal override long? PlaceOf(PyTorchStorage storage) => places[storage.Key];

    private static Dictionary<string, long> PlacesOf(
        PickleList keys, PyTorchStorages storages, FileStream file, string path, long place)
    {
        var places = new Dictionary<string, long>();
        var count = new byte[CountLength];
        foreach (var item in keys.Items)
        {
            if (item is not string key || !storages.TryFind(key, out var storage) || places.ContainsKey(key))
                throw new DataFormatException(path, place, $"storage {item as string ?? "of no name"}",
                    "those that tensors have, once each; the file is damaged");
            RegularFile.ReadAt(file, count, place, path);
            if (BinaryPrimitives.ReadInt64LittleEndian(count) is var found && found != storage.Count)
                throw new DataFormatException(path, place, $"a storage of {found} elements", $"{storage.Count}, as its "
                    + "tensors say; the file is damaged: write or copy it again");
            place += CountLength;
            places.Add(key, place);
            if (storage.Bytes > file.Length - place)
                throw new DataFormatException(path, place, $"{file.Length - place} bytes of storage {key}",
                    $"{storage.Bytes}; the file was cut short: write or copy it again");
            place += storage.Bytes;
        }
        return places.Count == storages.All.Count ? places
            : throw new DataFormatException(path, place, $"{places.Count} storages",
                $"the {storages.All.Count} of the tensors; the file is damaged");
    }
}
