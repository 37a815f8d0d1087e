using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Adjoint.Memory;

namespace Adjoint.IO;

/// <summary>
/// Writes tensors as <c>torch.save</c> writes a state dictionary: of the pickle's instructions those that
/// <c>torch.load(weights_only=True)</c> takes. Tensors whose elements fill the same memory share a storage, each with
/// its strides; of others, the elements are written in row-major order.
/// </summary>
internal sealed class PyTorchWriter
{
    private const string Folder = "archive/";

    private readonly List<Tensor> storages = [];
    private readonly Dictionary<(Storage, int, int, DType, string), int> keys = [];
    private readonly MemoryStream pickle = new();
    private readonly Dictionary<string, byte> memo = [];

    /// <summary>Describes the tensors, in this order.</summary>
    internal PyTorchWriter(IEnumerable<KeyValuePair<string, Tensor>> tensors)
    {
        pickle.Write([0x80, 2]);
        Global("collections\nOrderedDict");
        pickle.Write(")R("u8);
        foreach (var (name, tensor) in tensors)
        {
            Text(name);
            Describe(tensor);
        }
        pickle.Write("u."u8);
    }

    /// <summary>Writes the archive.</summary>
    internal void Write(Stream stream)
    {
        var zip = new ZipWriter(stream);
        zip.Add(Folder + "data.pkl", pickle.GetBuffer().AsSpan(0, (int)pickle.Length));
        zip.Add(Folder + ".format_version", "1"u8);
        zip.Add(Folder + ".storage_alignment",
            Encoding.ASCII.GetBytes(ZipWriter.Alignment.ToString(CultureInfo.InvariantCulture)));
        zip.Add(Folder + "byteorder", "little"u8);
        for (var key = 0; key < storages.Count; key++)
        {
            var tensor = IsDense(storages[key]) ? storages[key] : storages[key].Contiguous();
            zip.Add($"{Folder}data/{key}", tensor.Storage.Bytes.Slice(tensor.Offset * tensor.DType.Size(),
                tensor.Length * tensor.DType.Size()));
            GC.KeepAlive(tensor);
        }
        zip.Add(Folder + "version", "3\n"u8);
        zip.Finish();
    }

    private void Describe(Tensor tensor)
    {
        var isDense = IsDense(tensor);
        ReadOnlySpan<nint> strides = isDense ? tensor.Strides : tensor.Shape.Strides;
        var layout = isDense ? "" : $"{tensor.Shape} {string.Join(' ', tensor.Strides.ToArray())}";
        var found = (tensor.Storage, tensor.Offset, tensor.Length, tensor.DType, layout);
        if (!keys.TryGetValue(found, out var key))
        {
            keys.Add(found, key = storages.Count);
            storages.Add(tensor);
        }
        Global("torch._utils\n_rebuild_tensor_v2");
        pickle.Write("(("u8);
        Known("storage");
        Global("torch\n" + PickleGlobals.StorageName(tensor.DType));
        Text(key.ToString(CultureInfo.InvariantCulture));
        Known("cpu");
        Number(tensor.Length);
        pickle.Write("tQ"u8);
        Number(0);
        Mark();
        foreach (var size in tensor.Shape) Number(size);
        pickle.WriteByte((byte)'t');
        Mark();
        foreach (var stride in strides) Number((int)stride);
        // No gradient is required, and there are no hooks.
        pickle.Write([(byte)'t', 0x89]);
        Global("collections\nOrderedDict");
        pickle.Write(")RtR"u8);
    }

    // Whether the elements fill a range of memory, in whatever order of the axes.
    private static bool IsDense(Tensor tensor)
    {
        if (tensor.IsContiguous) return true;
        var (shape, strides) = (tensor.Shape, tensor.Strides.ToArray());
        long length = 1;
        foreach (var axis in Enumerable.Range(0, shape.Rank).Where(axis => shape[axis] != 1)
            .OrderBy(axis => strides[axis]))
        {
            if (strides[axis] != length) return false;
            length *= shape[axis];
        }
        return true;
    }

    private void Mark() => pickle.WriteByte((byte)'(');

    private void Number(int value)
    {
        Span<byte> bytes = stackalloc byte[5];
        bytes[0] = (byte)'J';
        BinaryPrimitives.WriteInt32LittleEndian(bytes[1..], value);
        pickle.Write(value is >= 0 and < 256 ? [(byte)'K', (byte)value] : bytes);
    }

    private void Text(string value)
    {
        var bytes = Encoding.UTF8.GetBytes(value);
        Span<byte> head = stackalloc byte[5];
        head[0] = (byte)'X';
        BinaryPrimitives.WriteInt32LittleEndian(head[1..], bytes.Length);
        pickle.Write(head);
        pickle.Write(bytes);
    }

    private void Global(string name) => Once(name, () => pickle.Write(Encoding.ASCII.GetBytes($"c{name}\n")));

    private void Known(string text) => Once(text, () => Text(text));

    // There are a handful of them.
    private void Once(string name, Action write)
    {
        if (memo.TryGetValue(name, out var place))
        {
            pickle.Write([(byte)'h', place]);
            return;
        }
        write();
        memo.Add(name, (byte)memo.Count);
        pickle.Write([(byte)'q', memo[name]]);
    }
}
