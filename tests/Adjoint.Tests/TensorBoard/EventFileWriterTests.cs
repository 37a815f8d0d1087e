using System.Buffers.Binary;
using System.Text;
using Adjoint.TensorBoard;

namespace Adjoint.Tests.TensorBoard;

/// <summary>
/// Event files against Google's protobuf library for Python, which writes the same bytes from a table of TensorBoard's
/// field numbers, and reads what is written here: Goldens/events.py.
/// </summary>
public sealed class EventFileWriterTests : IDisposable
{
    private static readonly string Script = Path.Combine(
        LayeringTests.Root(), "tests", "Adjoint.Tests", "TensorBoard", "Goldens", "events.py");

    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-").FullName;
    private readonly ManualClock clock = new();

    public void Dispose() => Directory.Delete(folder, recursive: true);

    // The record of a loss of 0.25 at step 1, 1,700,000,002.5 seconds after 1970.
    [Fact]
    public void A_scalar_is_these_bytes()
    {
        using (var writer = new EventFileWriter(folder, clock))
        {
            clock.Advance(2);
            writer.AddScalar("loss/train", 0.25, 1);
        }
        byte[] data =
        [
            0x09, .. BitConverter.GetBytes(1_700_000_002.5),    // Event.wall_time, 64 bits
            0x10, 1,                                            // Event.step, a variable-length integer
            0x2A, 19,                                           // Event.summary, 19 bytes
            0x0A, 17,                                           // Summary.value, 17 bytes
            0x0A, 10, .. "loss/train"u8,                        // Value.tag
            0x15, 0, 0, 0x80, 0x3E,                             // Value.simple_value, 32 bits
        ];
        Assert.Equal(32, data.Length);
        Assert.Equal(data, EventFile.Records(Only())[1]);
    }

    [Fact]
    public void Every_byte_is_as_Googles_library_writes_it()
    {
        using (var writer = new EventFileWriter(folder, clock))
        {
            void Tick() => clock.Advance(1);
            Tick();
            writer.AddStart(3);
            var step = 1;
            foreach (var value in new[] { 0.25, -1e-3, double.CopySign(double.NaN, 1), double.PositiveInfinity, 0 })
            {
                Tick();
                writer.AddScalar("loss/train", value, step);
                step *= 10;
            }
            Tick();
            var values = Tensor.From(new[] { -2.0, 0, 0, 1e-13, 0.5, 0.5, 3e20 });
            Assert.Equal(0, writer.AddHistogram("weights", values, 7));
            Tick();
            Assert.Equal(0, writer.AddHistogram("weights", Tensor.Zeros(0), 7));
            Tick();
            writer.AddText("notes", "*Größe* 大", -1);
        }
        var expected = File.ReadAllLines(Path.ChangeExtension(Script, ".txt"));
        Assert.Equal(string.Concat(expected), Convert.ToHexStringLower(File.ReadAllBytes(Only())));
    }

    [Fact]
    public async Task The_golden_bytes_are_what_that_library_writes_today() => Assert.Equal(
        File.ReadAllLines(Path.ChangeExtension(Script, ".txt")), await PyTorchScript.LinesOf(Script));

    [Fact]
    public async Task That_library_reads_what_is_written()
    {
        using (var writer = new EventFileWriter(folder, clock))
        {
            writer.AddStart(0);
            writer.AddScalar("loss/train", 1e300, 1L << 40);
            writer.AddHistogram("weights", Tensor.From(new float[] { 1, float.NaN, 3 }), 2);
            // Two images of 1 times 2 pixels, red, green, blue; between them two pixels.
            writer.AddImage("images", Tensor.From(new[] { 0, 1, 0.5f, float.NaN, -1, 2, 1, 1, 1, 0, 0, 0 })
                .Reshape(2, 3, 1, 2), 3);
            writer.AddImage("gray", Tensor.From(new byte[] { 1, 2, 3, 4 }).Reshape(1, 2, 2), 4);
            writer.AddText("notes", "a *b*", 5);
        }
        Assert.Equal(
            [
                "1700000000.5 0 brain.Event:2 Adjoint.TensorBoard", "1700000000.5 0 start",
                "1700000000.5 1099511627776 loss/train inf", "1700000000.5 2 weights histogram 2 2",
                "1700000000.5 3 images image 6x1x3 008000ff00ff000000000000ffff00ff0000",
                "1700000000.5 4 gray image 2x2x1 01020304", "1700000000.5 5 notes text a *b*",
            ], await PyTorchScript.LinesOf(Script, Only()));
    }

    [Fact]
    public void A_bucket_counts_what_lies_between_its_limits()
    {
        var seed = Random.Shared.Next();
        var random = new Random(seed);
        var values = Enumerable.Range(0, 2000)
            .Select(i => (float)((i % 2 - 0.5) * Math.Pow(10, 44 * random.NextDouble() - 22)))
            .Append(0).Append(float.MaxValue).Append(float.MinValue).ToArray();
        using var writer = new EventFileWriter(folder);
        writer.AddHistogram("one", Tensor.From(values), 0);
        writer.Flush();
        var histogram = EventFile.Read(Only())[1].Summary.Value[0].Histo;
        Assert.Equal(((double)values.Length, (double)values.Min(), (double)values.Max()),
            (histogram.Num, histogram.Min, histogram.Max));
        Assert.Equal(values.Sum(value => (double)value), histogram.Sum, 1e25);
        var below = double.NegativeInfinity;
        foreach (var (limit, count) in histogram.BucketLimit.Zip(histogram.Bucket))
        {
            Assert.True(count == values.Count(value => value >= below && value < limit), $"seed {seed}, below {limit}");
            // Limits are powers of 1.1, up to rounding, or the largest number.
            var power = Math.Log(Math.Abs(limit) / 1e-12) / Math.Log(1.1);
            Assert.True(limit is 0 or double.MaxValue or double.MinValue
                || Math.Abs(power - Math.Round(power)) < 1e-6, $"{limit}");
            below = limit;
        }
        Assert.Equal(values.Length, histogram.Bucket.Sum());
    }

    [Fact]
    public void Elements_that_are_not_finite_are_left_out_and_counted()
    {
        using var writer = new EventFileWriter(folder);
        Assert.Equal(3, writer.AddHistogram("one",
            Tensor.From(new[] { float.NaN, 2, float.PositiveInfinity, float.NegativeInfinity }), 0));
        writer.Flush();
        var histogram = EventFile.Read(Only())[1].Summary.Value[0].Histo;
        Assert.Equal((1, 2, 2, 2, 4),
            (histogram.Num, histogram.Min, histogram.Max, histogram.Sum, histogram.SumSquares));
    }

    [Theory]
    [InlineData(DType.Float64)]
    [InlineData(DType.Int64)]
    [InlineData(DType.Int32)]
    [InlineData(DType.UInt8)]
    [InlineData(DType.Bool)]
    [InlineData(DType.BFloat16)]
    [InlineData(DType.Float16)]
    public void Every_element_type_has_a_histogram(DType type)
    {
        using var writer = new EventFileWriter(folder);
        writer.AddHistogram("one", Tensor.From(new float[] { 0, 1, 1, 0, 1, 1 }).Reshape(2, 3).Transpose().To(type), 0);
        writer.Flush();
        var histogram = EventFile.Read(Only())[1].Summary.Value[0].Histo;
        Assert.Equal((6, 0, 1, 4), (histogram.Num, histogram.Min, histogram.Max, histogram.Sum));
    }

    [Fact]
    public void What_was_added_is_in_the_file_a_second_later()
    {
        using var writer = new EventFileWriter(folder, clock);
        writer.AddScalar("one", 1, 1);
        Assert.Single(EventFile.Read(Only()));
        clock.Advance(1);
        writer.AddScalar("one", 1, 2);
        Assert.Equal(3, EventFile.Read(Only()).Count);
    }

    [Fact]
    public void A_file_that_ends_anywhere_has_the_records_before()
    {
        using (var writer = new EventFileWriter(folder, clock))
            for (var step = 0; step < 3; step++) writer.AddScalar("one", step, step);
        var whole = File.ReadAllBytes(Only());
        var (ends, path) = (new List<int>(), Path.Combine(folder, "cut"));
        for (var at = 0; at < whole.Length; at += 16 + (int)BinaryPrimitives.ReadUInt64LittleEndian(whole.AsSpan(at)))
            ends.Add(at);
        for (var length = 0; length < whole.Length; length++)
        {
            File.WriteAllBytes(path, whole[..length]);
            Assert.Equal(ends.Count(at => at > 0 && at <= length), EventFile.Records(path).Count);
        }
    }

    [Fact]
    public void A_write_that_fails_leaves_no_part_of_a_record()
    {
        var file = new FullDisk();
        var writer = new EventFileWriter(file, "full", clock);
        var whole = file.Length;
        file.Room = 10;
        writer.AddScalar("one", 1, 1);
        Assert.Throws<IOException>(writer.Flush);
        Assert.Equal(whole, file.Length);
        file.Room = 1000;
        writer.AddScalar("one", 2, 2);
        writer.Flush();
        Assert.True(file.Length > whole);
        writer.Dispose();
        Assert.Throws<ObjectDisposedException>(() => writer.AddScalar("one", 1, 1));
    }

    [Fact]
    public void Files_of_a_process_have_names_of_their_own()
    {
        using (new EventFileWriter(folder, clock)) { }
        using (new EventFileWriter(folder, clock)) { }
        var names = Directory.GetFiles(folder).Select(Path.GetFileName).ToArray();
        Assert.Equal(2, names.Length);
        Assert.All(names, name => Assert.Matches(
            $@"^events\.out\.tfevents\.1700000000\.[-\w.]+\.{Environment.ProcessId}\.\d+$", name!));
    }

    [Fact]
    public void What_is_no_image_is_refused()
    {
        using var writer = new EventFileWriter(folder);
        string Message(Tensor image) => Assert.Throws<AdjointException>(() => writer.AddImage("one", image, 0)).Message;
        Assert.StartsWith("AddImage: an image is a tensor (C, H, W) or (N, C, H, W) with C 1 (gray) or 3 (red, green, "
            + "blue) and at least one pixel: found (8, 8, 3); ", Message(Tensor.Zeros(8, 8, 3)),
            StringComparison.Ordinal);
        Assert.Contains("found (2, 2)", Message(Tensor.Zeros(2, 2)), StringComparison.Ordinal);
        Assert.Contains("found (0, 3, 2, 2)", Message(Tensor.Zeros(0, 3, 2, 2)), StringComparison.Ordinal);
        Assert.Contains("bool: found int64", Message(Tensor.Zeros(1, 2, 2).To(DType.Int64)), StringComparison.Ordinal);
        Assert.Contains("too large for one file", Message(Tensor.Zeros(1, 1, 1, 1).Expand(300_000_000, 1, 1, 1)),
            StringComparison.Ordinal);
        Assert.Equal("AddScalar: the tag is empty; name the curve, such as loss/train",
            Assert.Throws<AdjointException>(() => writer.AddScalar("", 1, 1)).Message);
    }

    private string Only() => Assert.Single(Directory.GetFiles(folder, "events.*"));

    /// <summary>A file that has room for so many bytes more.</summary>
    private sealed class FullDisk : MemoryStream
    {
        internal int Room { get; set; } = 1000;

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            base.Write(buffer[..Math.Min(Room, buffer.Length)]);
            if (buffer.Length > Room) throw new IOException("No space left on device");
        }
    }
}
