using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Adjoint.Data;
using Adjoint.Memory;

namespace Adjoint.IO;

/// <summary>
/// A PyTorch file: its pickle is read at once, of the storages only what a tensor needs. Tensors come out in row-major
/// order, whatever their strides were; only those of which several elements lie at one place (of <c>expand</c>) stay
/// views, so that a small file does not become a large tensor.
/// </summary>
internal sealed class PyTorchReader : TensorFile
{
    // What overlapping tensors may take more than the file has.
    private const int MostCopies = 8;
    private const int SpareBytes = 1 << 24;

    private readonly FileStream file;
    private readonly PyTorchContents contents;

    internal PyTorchReader(FileStream file, string path) : this(file, path, PyTorchContents.Read(file, path)) { }

    private PyTorchReader(FileStream file, string path, PyTorchContents contents)
        : base(path, contents.Format, contents.State.Entries, contents.State.Metadata) =>
        (this.file, this.contents) = (file, contents);

    public override Tensor Map(string name)
    {
        var (entry, tensor) = (Find(name), contents.State.Tensors[name]);
        return !contents.IsBigEndian && tensor.IsRowMajor && contents.PlaceOf(tensor.Storage) is { } place
            ? MapFrom(file, entry with { Offset = place + tensor.Begin * tensor.Type.Bits / 8 })
            : Load(name);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) file.Dispose();
    }

    private protected override Tensor Read(TensorEntry entry)
    {
        ObjectDisposedException.ThrowIf(file.SafeFileHandle.IsClosed, this);
        var tensor = contents.State.Tensors[entry.Name];
        if (tensor.Length == 0) return Tensor.Empty(entry.Shape, entry.ConvertsTo!.Value, Device.Cpu);
        var size = entry.ConvertsTo!.Value.Size();
        if (tensor.Span > int.MaxValue || tensor.Span * size > Storage.MaxBytes)
            throw new DataFormatException($"{Path}: found {DataFormatException.Abbreviate(entry.Name)} with gaps, over "
                + $"{tensor.Span} elements, expected at most {Storage.MaxBytes} bytes; in Python: save x.contiguous()");
        var flat = entry.Stored.Read([(int)tensor.Span], bytes => Fill(tensor, bytes), Path, entry.Name,
            contents.PlaceOf(tensor.Storage) ?? 0);
        nint[] strides = [.. tensor.Strides.Select((stride, axis) => tensor.Sizes[axis] == 1 ? 0 : (nint)stride)];
        var view = flat.View(entry.Shape, strides, 0);
        return tensor.Repeats ? view : view.Contiguous();
    }

    private protected override IReadOnlyDictionary<string, Tensor> ReadAll()
    {
        RequireFewCopies();
        var tensors = new Dictionary<string, Tensor>();
        // Storage by storage, each of them once where it is packed.
        foreach (var entry in Entries.Where(entry => entry.SharesWith is null)
            .GroupBy(entry => contents.State.Tensors[entry.Name].Storage.Key).SelectMany(group => group))
            tensors.Add(entry.Name, Read(entry));
        return Entries.ToDictionary(entry => entry.Name, entry => tensors[entry.SharesWith ?? entry.Name]);
    }

    private void Fill(PyTorchTensor tensor, Span<byte> bytes)
    {
        var unit = tensor.Type.Bits / 8;
        contents.Read(tensor.Storage, tensor.Begin * unit, bytes);
        if (contents.IsBigEndian) tensor.Type.Reverse(bytes);
    }

    // Views of one storage become tensors of their own.
    private void RequireFewCopies()
    {
        var (most, all, storages) = ((Int128)SpareBytes, (Int128)0, new HashSet<string>());
        foreach (var entry in Entries.Where(entry => entry.SharesWith is null))
        {
            var tensor = contents.State.Tensors[entry.Name];
            if (storages.Add(tensor.Storage.Key)) most += (Int128)MostCopies * tensor.Storage.Bytes;
            all += (Int128)tensor.Span * tensor.Type.Bits / 8;
        }
        if (all > most)
            throw new DataFormatException(
                $"{Path}: found tensors that overlap, of {all} bytes in all, expected at most "
                + $"{most} for the storages of this file; Load(name) reads one of them");
    }
}
