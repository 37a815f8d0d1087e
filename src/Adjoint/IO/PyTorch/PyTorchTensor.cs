using System.Diagnostics.CodeAnalysis;

namespace Adjoint.IO;

/// <summary>The memory of one or more tensors, as the pickle of a PyTorch file names it.</summary>
/// <param name="Key">Its name in the file.</param>
/// <param name="Type">Of its elements.</param>
/// <param name="Count">The number of its elements.</param>
internal sealed record PyTorchStorage(string Key, StoredType Type, long Count)
{
    /// <summary>The number of its bytes, which fits.</summary>
    internal long Bytes => Count * (Unit / 8);

    /// <summary>The bits of what is counted: of a byte with several elements, those of the byte.</summary>
    internal int Unit => Math.Max(8, Type.Bits);
}

/// <summary>A part of a storage, as files of the old format have it; mostly all of it.</summary>
internal sealed record PyTorchStorageView(PyTorchStorage Storage, long Begin, long Count);

/// <summary>
/// A tensor of a PyTorch file: where in which storage its elements lie. Its bounds were checked against those of the
/// storage.
/// </summary>
/// <param name="Storage">The memory that has the elements.</param>
/// <param name="Type">Of its elements.</param>
/// <param name="Begin">The place of the first element, in elements of this type.</param>
/// <param name="Sizes">Of the axes, outermost first.</param>
/// <param name="Strides">In elements, none negative; 0 where an axis repeats one element.</param>
internal sealed record PyTorchTensor(PyTorchStorage Storage, StoredType Type, long Begin, long[] Sizes, long[] Strides)
{
    private const int MostAxes = 64;

    /// <summary>The number of elements.</summary>
    internal long Length { get; private init; }

    /// <summary>From the first element to behind the last, in memory.</summary>
    internal long Span { get; private init; }

    /// <summary>The number of bytes of the elements, each for itself.</summary>
    internal long Bytes => (long)(((Int128)Length * Type.Bits + 7) / 8);

    /// <summary>Whether two of its elements surely lie at the same place.</summary>
    internal bool Repeats => Length > Span;

    /// <summary>Whether its elements lie one after another, as those of a contiguous tensor do.</summary>
    internal bool IsRowMajor
    {
        get
        {
            var stride = 1L;
            for (var axis = Sizes.Length - 1; axis >= 0; stride *= Sizes[axis--])
                if (Sizes[axis] != 1 && Strides[axis] != stride) return false;
            return true;
        }
    }

    /// <summary>The same text for those that are the same elements in the same order.</summary>
    internal string Identity
    {
        get
        {
            var strides = Strides.Select((stride, axis) => Sizes[axis] == 1 ? 0 : stride);
            return $"{Storage.Key}\n{Type.Name} {Begin} ({string.Join(',', Sizes)}) ({string.Join(',', strides)})";
        }
    }

    /// <summary>Makes a tensor of what a pickle says, and checks that it lies within its storage.</summary>
    internal static PyTorchTensor Create(Unpickler unpickler, PyTorchStorageView memory, StoredType type, long offset,
        object?[] sizesOf, object?[] stridesOf)
    {
        if (sizesOf.Length != stridesOf.Length || sizesOf.Length > MostAxes)
            throw unpickler.Wrong($"a tensor of {sizesOf.Length} sizes and {stridesOf.Length} strides",
                $"as many, at most {MostAxes}; the file is damaged");
        unpickler.Spend(sizesOf.Length);
        var (sizes, strides) = (Numbers(sizesOf, unpickler), Numbers(stridesOf, unpickler));
        var (length, last) = ((Int128)1, (Int128)0);
        for (var axis = 0; axis < sizes.Length; axis++)
        {
            if (sizes[axis] < 0 || strides[axis] < 0)
                throw unpickler.Wrong($"size {sizes[axis]} with stride {strides[axis]}",
                    "no negative ones; the file is damaged");
            length = Int128.Min(length * sizes[axis], (Int128)1 << 64);
            last += (Int128)Math.Max(0, sizes[axis] - 1) * strides[axis];
        }
        // A size of 0 may come after those that are too large by themselves.
        if (sizes.Contains(0)) (length, last) = (0, -1);
        if (length * type.Bits > long.MaxValue)
            throw unpickler.Wrong($"a tensor of sizes ({string.Join(", ", sizes)})", "fewer than 2⁶³ bits in all");
        var (unit, bits) = (memory.Storage.Unit, type.Bits);
        var (begin, end) = ((Int128)memory.Begin * unit, ((Int128)memory.Begin + memory.Count) * unit);
        if (begin % bits != 0 || offset < 0 || begin + ((Int128)offset + last + 1) * bits > end)
            throw unpickler.Wrong($"a tensor of sizes ({string.Join(", ", sizes)}) and strides "
                + $"({string.Join(", ", strides)}) that begins at element {offset} and ends at {offset + last + 1}",
                $"one within the {(end - begin) / bits} elements of its storage; the file is damaged, or made to "
                + "deceive");
        return new(memory.Storage, type, (long)(begin / bits) + offset, sizes, strides)
        {
            Length = (long)length,
            Span = (long)last + 1,
        };
    }

    private static long[] Numbers(object?[] values, Unpickler unpickler) =>
        Array.ConvertAll(values, value => value is long number ? number
            : throw unpickler.Wrong("a size or stride that is no number", "a number; the file is damaged"));
}

/// <summary>The storages that a pickle has named so far.</summary>
/// <param name="isOld">Whether they are described as in the old format, where one may be part of another.</param>
internal sealed class PyTorchStorages(bool isOld)
{
    private readonly Dictionary<string, PyTorchStorage> storages = [];

    /// <summary>In the order of their names' first appearance.</summary>
    internal IReadOnlyCollection<PyTorchStorage> All => storages.Values;

    internal bool TryFind(string key, [NotNullWhen(true)] out PyTorchStorage? storage) =>
        storages.TryGetValue(key, out storage);

    /// <summary>The storage that a persistent id of a pickle describes.</summary>
    internal PyTorchStorageView Find(Unpickler unpickler, object? id)
    {
        var parts = id as object?[] ?? [];
        if (parts is ["module", ..])
            throw unpickler.Wrong("a whole module, with its source", $"a state dictionary; {Unpickler.Remedy}");
        if (parts.Length != (isOld ? 6 : 5)
            || parts is not ["storage", PickleGlobal named, string key, string, long count, ..])
            throw unpickler.Wrong("another description of a storage",
                "that which torch.save writes; the file is damaged");
        if (PickleGlobals.StorageType(named) is not { } type || count < 0
            || (Int128)count * Math.Max(8, type.Bits) > long.MaxValue)
            throw unpickler.Wrong($"a storage of {count} elements of {named.Name}", "an element type of PyTorch's");
        var storage = new PyTorchStorage(key, type, count);
        if (!storages.TryAdd(key, storage) && storages[key] != storage)
            throw unpickler.Wrong($"a second storage {key}, of {count} elements of {type.Name}",
                $"{storages[key].Count} of {storages[key].Type.Name}, as before; the file is damaged");
        storage = storages[key];
        return (isOld ? parts[5] : null) switch
        {
            null => new(storage, 0, count),
            object?[] and [string, long begin, long length] when begin >= 0 && length >= 0 && begin <= count - length =>
                new(storage, begin, length),
            _ => throw unpickler.Wrong($"a part of storage {key} that is not within it",
                $"one within its {count} elements; the file is damaged"),
        };
    }
}
