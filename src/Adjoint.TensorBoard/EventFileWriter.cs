using System.Globalization;
using Adjoint.TensorBoard.Format;
using Google.Protobuf;

namespace Adjoint.TensorBoard;

/// <summary>
/// Writes an event file, which TensorBoard shows while it grows: <c>tensorboard --logdir FOLDER</c>. A tag names a
/// curve, and what is before its first slash a group of them: <c>loss/train</c>. Records are written whole and in
/// order, at most about a second late, so a process that dies leaves a file that can be read up to its last second.
/// Members can be called from several threads.
/// </summary>
public sealed class EventFileWriter : IDisposable
{
    private const int LargestBuffer = 1 << 20;
    private static readonly TimeSpan FlushInterval = TimeSpan.FromSeconds(1);
    private static int lastNumber = -1;
    private readonly Lock mutex = new();
    private readonly MemoryStream pending = new();
    private readonly TimeProvider time;
    private readonly Stream file;
    private long flushed;
    private bool isDisposed;

    /// <summary>
    /// Creates a file <c>events.out.tfevents.SECONDS.HOST.PROCESS.NUMBER</c>. TensorBoard merges the files of a folder:
    /// each run needs its own folder.
    /// </summary>
    /// <param name="folder">The folder of the run; it is created where there is none.</param>
    /// <param name="time">The clock of the wall times; null: that of the system.</param>
    /// <exception cref="IOException">The file cannot be created.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder may not be written to.</exception>
    public EventFileWriter(string folder, TimeProvider? time = null)
        : this(Create(folder, time ?? TimeProvider.System, out var path), path, time ?? TimeProvider.System) { }

    /// <summary>Writes to a stream that is empty.</summary>
    internal EventFileWriter(Stream file, string path, TimeProvider time)
    {
        (this.file, Path, this.time) = (file, path, time);
        Append(new Event
        {
            FileVersion = "brain.Event:2",
            SourceMetadata = new() { Writer = "Adjoint.TensorBoard" },
        });
        Flush();
    }

    /// <summary>The path of the file that is written.</summary>
    public string Path { get; }

    /// <summary>Adds a number to a curve. NaN and ±∞ are written; TensorBoard marks them.</summary>
    /// <param name="tag">The name of the curve.</param>
    /// <param name="value">The number, which is rounded to float32: beyond ±3.4·10³⁸ to ±∞.</param>
    /// <param name="step">Where on the horizontal axis, such as the number of the batch or of the epoch.</param>
    /// <exception cref="AdjointException">The tag is empty.</exception>
    /// <exception cref="IOException">The file cannot be written, such as on a disk that is full.</exception>
    /// <exception cref="ObjectDisposedException">The writer was disposed of.</exception>
    public void AddScalar(string tag, double value, long step) =>
        Add(step, new() { Tag = Checked(tag, nameof(AddScalar)), SimpleValue = (float)value });

    /// <summary>
    /// Adds the distribution of a tensor's elements, counted in TensorBoard's buckets: limits ±10⁻¹² · 1.1ᵏ, and 0.
    /// Elements that are NaN or ±∞ belong to none of them and are left out.
    /// </summary>
    /// <param name="tag">The name of the series of histograms.</param>
    /// <param name="values">A tensor of any shape and element type, also without elements.</param>
    /// <param name="step">Where on the axis, such as the number of the batch or of the epoch.</param>
    /// <returns>How many elements were left out.</returns>
    /// <exception cref="AdjointException">The tag is empty.</exception>
    /// <exception cref="IOException">The file cannot be written, such as on a disk that is full.</exception>
    /// <exception cref="ObjectDisposedException">The writer was disposed of.</exception>
    public long AddHistogram(string tag, Tensor values, long step)
    {
        Checked(tag, nameof(AddHistogram));
        var histogram = Histogram(values);
        Add(step, new() { Tag = tag, Histo = histogram });
        return values.Length - (long)histogram.Num;
    }

    /// <summary>Adds an image, or several beside each other in a grid, as PNG.</summary>
    /// <param name="tag">The name of the series of images.</param>
    /// <param name="image">
    /// (C, H, W), or (N, C, H, W) for a grid; C is 1 (gray) or 3 (red, green, blue). Floating numbers are from 0
    /// (black) to 1, others are clamped and NaN is black; uint8 is from 0 to 255; of bool, true is 1.
    /// </param>
    /// <param name="step">Where on the axis, such as the number of the batch or of the epoch.</param>
    /// <exception cref="AdjointException">
    /// The tag is empty, or shape or element type are not those of images.
    /// </exception>
    /// <exception cref="IOException">The file cannot be written, such as on a disk that is full.</exception>
    /// <exception cref="ObjectDisposedException">The writer was disposed of.</exception>
    public void AddImage(string tag, Tensor image, long step) =>
        Add(step, new() { Tag = Checked(tag, nameof(AddImage)), Image = ImageGrid.Encode(image) });

    /// <summary>Adds a text, which TensorBoard shows as Markdown.</summary>
    /// <param name="tag">The name of the series of texts.</param>
    /// <param name="text">The text, in Markdown; text from others must be escaped.</param>
    /// <param name="step">Where on the axis, such as the number of the batch or of the epoch.</param>
    /// <exception cref="AdjointException">The tag is empty.</exception>
    /// <exception cref="IOException">The file cannot be written, such as on a disk that is full.</exception>
    /// <exception cref="ObjectDisposedException">The writer was disposed of.</exception>
    public void AddText(string tag, string text, long step) => Add(step, new()
    {
        Tag = Checked(tag, nameof(AddText)),
        Tensor = new()
        {
            Dtype = DataType.DtString,
            TensorShape = new(),
            StringVal = { ByteString.CopyFromUtf8(text) },
        },
        Metadata = new() { PluginData = new() { PluginName = "text" }, DataClass = DataClass.Tensor },
    });

    /// <summary>
    /// Says that a run begins anew, or goes on, at a step: what other files of the folder have from there on no longer
    /// holds, and TensorBoard drops it.
    /// </summary>
    /// <param name="step">The first step of what follows.</param>
    /// <exception cref="IOException">The file cannot be written, such as on a disk that is full.</exception>
    /// <exception cref="ObjectDisposedException">The writer was disposed of.</exception>
    public void AddStart(long step) =>
        Append(new Event { Step = step, SessionLog = new() { Status = SessionLog.Types.SessionStatus.Start } });

    /// <summary>Writes what was added since about the last second.</summary>
    /// <exception cref="IOException">The file cannot be written, such as on a disk that is full.</exception>
    public void Flush()
    {
        lock (mutex)
        {
            flushed = time.GetTimestamp();
            var whole = file.Length;
            try
            {
                file.Write(pending.GetBuffer().AsSpan(0, (int)pending.Length));
            }
            catch (IOException)
            {
                // Nobody reads past a record that is there in part.
                file.SetLength(whole);
                throw;
            }
            finally
            {
                pending.SetLength(0);
            }
        }
    }

    /// <summary>Writes what was added, and closes the file.</summary>
    /// <exception cref="IOException">The file cannot be written, such as on a disk that is full.</exception>
    public void Dispose()
    {
        lock (mutex)
        {
            if (isDisposed) return;
            isDisposed = true;
            using (file) Flush();
        }
    }

    private void Add(long step, Summary.Types.Value value) =>
        Append(new Event { Step = step, Summary = new() { Value = { value } } });

    private void Append(Event one)
    {
        one.WallTime = (time.GetUtcNow() - DateTimeOffset.UnixEpoch).TotalSeconds;
        lock (mutex)
        {
            ObjectDisposedException.ThrowIf(isDisposed, this);
            RecordFraming.Write(pending, one.ToByteArray());
            if (pending.Length >= LargestBuffer || time.GetElapsedTime(flushed) >= FlushInterval) Flush();
        }
    }

    private static HistogramProto Histogram(Tensor values)
    {
        using var _ = new NoGrad();
        return values.DType is DType.Float64 or DType.Int64 or DType.Int32
            ? ExponentialBuckets.Count<double>(values.To(DType.Float64).ToArray<double>())
            : ExponentialBuckets.Count<float>(values.To(DType.Float32).ToArray<float>());
    }

    private static string Checked(string tag, string caller) => tag.Length > 0
        ? tag
        : throw new AdjointException($"{caller}: the tag is empty; name the curve, such as loss/train");

    private static FileStream Create(string folder, TimeProvider time, out string path)
    {
        Directory.CreateDirectory(folder);
        path = System.IO.Path.Combine(folder, string.Create(CultureInfo.InvariantCulture,
            $"events.out.tfevents.{time.GetUtcNow().ToUnixTimeSeconds():0000000000}.{Host()}."
            + $"{Environment.ProcessId}.{Interlocked.Increment(ref lastNumber)}"));
        return new(path, FileMode.CreateNew, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
    }

    // The name tells files apart; whatever it is, it must be one part of a path.
    private static string Host() => string.Concat(Environment.MachineName.Select(letter =>
        char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_' or '.' ? letter : '-'));
}
