using Adjoint.Data;

namespace Adjoint.IO;

/// <summary>A file of one array, under the name of the file.</summary>
internal sealed class NpyReader : TensorFile
{
    private readonly FileStream stream;
    private readonly NpyHeader header;

    /// <summary>Reads the header of a file that it closes.</summary>
    internal NpyReader(FileStream stream, string path)
        : this(stream, path, NpyHeader.Read(stream, path, stream.Length)) { }

    private NpyReader(FileStream stream, string path, NpyHeader header)
        : base(path, TensorFileFormat.Npy,
            [header.Entry(System.IO.Path.GetFileNameWithoutExtension(path))], new Dictionary<string, string>()) =>
        (this.stream, this.header) = (stream, header);

    public override Tensor Map(string name) => header.IsBigEndian || header.IsFortranOrder
        ? Load(name)
        : MapFrom(stream, Find(name));

    private protected override Tensor Read(TensorEntry entry) =>
        header.Read(elements => RegularFile.ReadAt(stream, elements, entry.Offset, Path), Path);

    protected override void Dispose(bool disposing) => stream.Dispose();
}
