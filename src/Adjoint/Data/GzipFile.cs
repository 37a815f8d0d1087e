using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;

namespace Adjoint.Data;

/// <summary>
/// A gzip file (RFC 1952) that must be whole: one member, its checksum and its length right, and nothing after it.
/// .NET's own stream takes one that is cut within its last eight bytes, or followed by something else.
/// </summary>
internal sealed class GzipFile : Stream
{
    private const int TrailerLength = 8;
    private readonly Compressed compressed;
    private readonly DeflateStream inflated;
    private readonly Crc32 checksum = new();
    private long length;
    private bool isAtEnd;

    /// <summary>Reads from the file's beginning.</summary>
    /// <exception cref="InvalidDataException">It is no gzip file.</exception>
    internal GzipFile(FileStream file)
    {
        compressed = new(file);
        SkipHeader();
        inflated = new(compressed, CompressionMode.Decompress);
    }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <exception cref="InvalidDataException">The data is broken, cut or followed by something.</exception>
    public override int Read(Span<byte> buffer)
    {
        if (isAtEnd || buffer.Length == 0) return 0;
        var read = inflated.Read(buffer);
        checksum.Append(buffer[..read]);
        length += read;
        if (read == 0) CheckEnd();
        return read;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Flush() { }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing) inflated.Dispose();
        base.Dispose(disposing);
    }

    private void SkipHeader()
    {
        Span<byte> start = stackalloc byte[10];
        compressed.ReadExactlyOrFail(start);
        var flags = start[3];
        if (start[0] != 0x1f || start[1] != 0x8b || start[2] != 8 || flags >= 32)
            throw new InvalidDataException("the header is not that of gzip");
        Span<byte> two = stackalloc byte[2];
        if ((flags & 4) != 0)
        {
            compressed.ReadExactlyOrFail(two);
            compressed.Skip(BinaryPrimitives.ReadUInt16LittleEndian(two));
        }
        if ((flags & 8) != 0) compressed.SkipText();
        if ((flags & 16) != 0) compressed.SkipText();
        if ((flags & 2) != 0) compressed.Skip(2);
    }

    private void CheckEnd()
    {
        isAtEnd = true;
        if (compressed.Left > TrailerLength)
            throw new InvalidDataException($"{compressed.Left - TrailerLength} bytes follow its end");
        Span<byte> trailer = stackalloc byte[TrailerLength];
        compressed.ReadExactlyOrFail(trailer);
        if (BinaryPrimitives.ReadUInt32LittleEndian(trailer) != checksum.GetCurrentHashAsUInt32())
            throw new InvalidDataException("its checksum is wrong");
        if (BinaryPrimitives.ReadUInt32LittleEndian(trailer[4..]) != (uint)length)
            throw new InvalidDataException("its length is wrong");
    }

    // The file, byte by byte near its end: whoever inflates reads ahead, and must not read over the end of the data,
    // which alone tells what comes after it.
    private sealed class Compressed(FileStream file) : Stream
    {
        private const int Near = 4 * TrailerLength;

        internal long Left => file.Length - file.Position;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override int Read(Span<byte> buffer) =>
            file.Read(buffer[..(int)Math.Min(buffer.Length, Math.Max(1, Left - Near))]);

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override void Flush() { }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        internal void ReadExactlyOrFail(Span<byte> buffer)
        {
            if (file.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false) < buffer.Length) throw Cut();
        }

        internal void Skip(int count)
        {
            if (count > Left) throw Cut();
            file.Position += count;
        }

        internal void SkipText()
        {
            int read;
            while ((read = file.ReadByte()) > 0) { }
            if (read < 0) throw Cut();
        }

        private static InvalidDataException Cut() => new("it is cut short");
    }
}
