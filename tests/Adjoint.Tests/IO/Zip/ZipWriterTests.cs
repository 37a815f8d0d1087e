using System.IO.Compression;
using Adjoint.IO;

namespace Adjoint.Tests.IO;

public sealed class ZipWriterTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-").FullName;

    private string Archive => Path.Combine(folder, "x.zip");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData(0, 0)]
    [InlineData(0, 3)]
    // More than the format had at first: entries, and bytes before them (a file with a hole).
    [InlineData(0, 70_000)]
    [InlineData(5L << 30, 3)]
    public void Archives_are_read_by_others_and_by_us(long begin, int count)
    {
        using (var stream = File.Create(Archive))
        {
            stream.Position = begin;
            var writer = new ZipWriter(stream);
            for (var i = 0; i < count; i++) writer.Add($"folder/{i}", [(byte)i, (byte)(i >> 8)]);
            writer.Finish();
        }
        using (var others = ZipFile.OpenRead(Archive))
        {
            Assert.Equal(count, others.Entries.Count);
            foreach (var entry in others.Entries.Take(3))
            {
                using var content = entry.Open();
                Assert.Equal(int.Parse(entry.Name), content.ReadByte());
            }
        }
        using var file = File.OpenRead(Archive);
        var ours = ZipDirectory.Read(file.SafeFileHandle, Archive, "a test");
        Assert.Equal(Enumerable.Range(0, count).Select(i => $"folder/{i}"), ours.Entries.Select(entry => entry.Name));
        foreach (var (i, entry) in ours.Entries.Index())
        {
            Assert.Equal([(byte)i, (byte)(i >> 8)], ours.ReadAll(entry, 2));
            Assert.Equal(0, ours.OffsetOf(entry) % 64);
        }
    }
}
