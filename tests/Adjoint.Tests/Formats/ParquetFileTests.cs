using Adjoint.Data;
using Adjoint.Data.Tables;
using Adjoint.Formats;
using Parquet;
using Parquet.Schema;

namespace Adjoint.Tests.Formats;

/// <summary>Files that the package's own writer wrote, with the types that people's files have.</summary>
public sealed class ParquetFileTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-parquet-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static string?[] Texts(Column column) => [.. Enumerable.Range(0, column.Count).Select(column.Text)];

    internal static async Task Write(string path, int groups = 2)
    {
        var (n, x, f) = (new DataField<long>("n"), new DataField<double?>("x"), new DataField<float>("f"));
        var (spam, maker) = (new DataField<bool?>("spam"), new DataField<string>("maker"));
        var (sold, cost) = (new DataField<DateTime>("sold"), new DecimalDataField("cost", 10, 2));
        var (id, blob) = (new DataField<long>("id"), new DataField<byte[]>("blob"));
        await using var file = File.Create(path);
        await using var writer = await ParquetWriter.CreateAsync(
            new ParquetSchema(n, x, f, spam, maker, sold, cost, id, blob), file);
        for (var group = 0; group < groups; group++)
        {
            using var rows = writer.CreateRowGroup();
            await rows.WriteAsync<long>(n, new long[] { 3L * group, 3L * group + 1, 3L * group + 2 });
            await rows.WriteAsync<double>(x, new double?[] { 1.5, null, double.NaN });
            await rows.WriteAsync<float>(f, new[] { 0.1f, 2, -3.5f });
            await rows.WriteAsync<bool>(spam, new bool?[] { true, null, false });
            await rows.WriteAsync(maker, new string[] { "BMW", null!, " " });
            await rows.WriteAsync<DateTime>(sold, new[] { new DateTime(2024, 3, 31, 0, 0, 0, DateTimeKind.Utc),
                new DateTime(2024, 3, 31, 14, 30, 0, DateTimeKind.Utc),
                    new DateTime(1999, 12, 31, 0, 0, 0, DateTimeKind.Utc) });
            await rows.WriteAsync<decimal>(cost, new[] { 1.25m, -3m, 100m });
            await rows.WriteAsync<long>(id, new[] { long.MaxValue, long.MaxValue - 1, 5L });
            await rows.WriteAsync(blob, new byte[][] { [1], [2], [3] });
            rows.CompleteValidate();
        }
    }

    [Fact]
    public async Task Columns_have_the_kinds_of_their_types()
    {
        var path = Path.Combine(folder, "cars.parquet");
        await Write(path);
        var table = ParquetFile.Read(path);
        Assert.Equal(6, table.RowCount);
        Assert.Equal(["0", "1", "2", "3", "4", "5"], Texts(table["n"]));
        Assert.Equal(["1.5", null, null], Texts(table["x"])[3..]);
        Assert.Equal(["0.1", "2", "-3.5"], Texts(table["f"])[..3]);
        Assert.Equal(["true", null, "false"], Texts(table["spam"])[..3]);
        Assert.Equal(["BMW", null, null], Texts(table["maker"])[..3]);
        Assert.Equal(["2024-03-31", "2024-03-31 14:30:00", "1999-12-31"], Texts(table["sold"])[..3]);
        Assert.Equal(["1.25", "-3", "100"], Texts(table["cost"])[..3]);
        Assert.Equal(["9223372036854775807", "9223372036854775806", "5"], Texts(table["id"])[..3]);
        Assert.Equal(
            [ColumnKind.Integer, ColumnKind.Number, ColumnKind.Number, ColumnKind.Truth, ColumnKind.Text,
                ColumnKind.Date, ColumnKind.Number, ColumnKind.Text], table.Columns.Select(column => column.Kind));
        Assert.Equal(["column \"blob\" is left out: of bytes"], ParquetFile.Profile(path).Notes);
        Assert.Equal([1, 4], ParquetFile.ReadChunks(path).Select(chunk => chunk.RowNumber(0)));
        Assert.Equal(["maker", "n"],
            ParquetFile.Read(path, ["maker", "n"]).Columns.Select(column => column.Name));
        Assert.Contains("column \"blob\" is of bytes, expected numbers",
            Assert.ThrowsAny<AdjointException>(() => ParquetFile.Read(path, ["blob"])).Message,
                StringComparison.Ordinal);
        Assert.Contains("there is no column \"z\"",
            Assert.ThrowsAny<AdjointException>(() => ParquetFile.Read(path, ["z"])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_without_rows_has_its_columns()
    {
        var path = Path.Combine(folder, "empty.parquet");
        await Write(path, groups: 0);
        var table = ParquetFile.Read(path);
        Assert.Equal((0, 8), (table.RowCount, table.Columns.Count));
        Assert.Equal(8, ParquetFile.Profile(path).Columns.Count);
    }

    // The package allocates what a page says, reads on for values that never come, and past the end of its description.
    [Fact]
    public async Task What_a_file_says_of_itself_is_not_believed()
    {
        var path = Path.Combine(folder, "cars.parquet");
        await Write(path);
        var bytes = File.ReadAllBytes(path);
        var random = new Random(17);
        for (var round = 0; round < 300; round++)
        {
            var damaged = bytes.ToArray();
            for (var i = random.Next(1, 4); i > 0; i--)
                damaged[random.Next(4, damaged.Length - 8)] = (byte)random.Next(256);
            File.WriteAllBytes(path, damaged);
            try
            {
                Assert.NotEmpty(await Task.Run(() => ParquetFile.Read(path).Columns)
                    .WaitAsync(TimeSpan.FromSeconds(30)));
            }
            catch (AdjointException error)
            {
                Assert.DoesNotContain('\n', error.Message);
            }
        }
    }

    [Fact]
    public async Task What_is_no_whole_file_is_refused_in_a_line()
    {
        var path = Path.Combine(folder, "cars.parquet");
        await Write(path);
        var bytes = File.ReadAllBytes(path);
        foreach (var damaged in new[] { bytes[..100], bytes[..^1], [], "PAR1PAR1"u8.ToArray(), new byte[200] })
        {
            File.WriteAllBytes(path, damaged);
            var message = Assert.Throws<DataFormatException>(() => ParquetFile.Read(path)).Message;
            Assert.StartsWith($"{path}: found no intact Parquet data (", message, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', message);
        }
    }
}
