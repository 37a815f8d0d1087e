using System.Security.Cryptography;
using System.Text;
using Adjoint.Data;

namespace Adjoint.IO;

/// <summary>The tensors of a safetensors file, each read from its place when it is asked for.</summary>
internal sealed class SafeTensorsReader : TensorFile
{
    private readonly FileStream stream;
    private readonly SafeTensorsHeader header;

    /// <summary>Reads the header of a file that it closes.</summary>
    internal SafeTensorsReader(FileStream stream, string path)
        : this(stream, path, SafeTensorsHeader.Read(stream, path)) { }

    private SafeTensorsReader(FileStream stream, string path, SafeTensorsHeader header)
        : base(path, TensorFileFormat.SafeTensors, header.Entries, header.Metadata) =>
        (this.stream, this.header) = (stream, header);

    public override Tensor Map(string name) => MapFrom(stream, Find(name));

    private protected override Tensor Read(TensorEntry entry) => entry.Stored.Read(entry.Shape,
        elements => RegularFile.ReadAt(stream, elements, entry.Offset, Path), Path, entry.Name, entry.Offset);

    private protected override IReadOnlyDictionary<string, Tensor> ReadAll()
    {
        var tensors = base.ReadAll();
        if (Metadata.TryGetValue(SafeTensors.DigestKey, out var digest)) Verify(digest);
        return tensors;
    }

    protected override void Dispose(bool disposing) => stream.Dispose();

    private void Verify(string digest)
    {
        var head = new byte[header.DataOffset];
        RegularFile.ReadAt(stream, head, 0, Path);
        var at = digest.Length == SafeTensors.NoDigest.Length
            ? head.AsSpan().IndexOf(Encoding.UTF8.GetBytes($"\"{SafeTensors.DigestKey}\":\"{digest}\""))
            : -1;
        if (at < 0)
            throw new DataFormatException(Path, 8, $"a digest '{digest}'",
                $"{SafeTensors.NoDigest.Length} hexadecimal digits");
        Encoding.ASCII.GetBytes(SafeTensors.NoDigest, head.AsSpan(at + SafeTensors.DigestKey.Length + 4));
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(head);
        var (buffer, offset) = (new byte[1 << 20], header.DataOffset);
        for (int read; (read = RandomAccess.Read(stream.SafeFileHandle, buffer, offset)) > 0; offset += read)
            hash.AppendData(buffer, 0, read);
        var found = Convert.ToHexStringLower(hash.GetHashAndReset());
        if (found != digest)
            throw new DataFormatException(Path, 0, $"contents of digest {found[..12]}…",
                $"{digest[..12]}…, as written: the file is damaged");
    }
}
