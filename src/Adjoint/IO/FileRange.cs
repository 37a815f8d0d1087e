using Microsoft.Win32.SafeHandles;

namespace Adjoint.IO;

/// <summary>
/// A range of a file as a stream. It has a position of its own, so that several can be read from one file at once.
/// </summary>
internal sealed class FileRange(SafeFileHandle file, long begin, long length) : ReadOnlyStream
{
    private long read;

    public override long Length => length;

    public override long Position
    {
        get => read;
        set => read = value;
    }

    public override bool CanSeek => true;

    /// <summary>Reads what there is; less than asked for only at the end of the range, or of the file.</summary>
    public override int Read(Span<byte> buffer)
    {
        var wanted = (int)Math.Min(buffer.Length, Math.Max(0, length - read));
        var count = wanted == 0 ? 0 : RandomAccess.Read(file, buffer[..wanted], begin + read);
        read += count;
        return count;
    }
}
