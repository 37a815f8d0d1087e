using Adjoint.Data.Tables;
using Adjoint.Formats;

namespace Adjoint.Tests.Formats;

/// <summary>A table is read by what its file holds, whatever it is called.</summary>
public sealed class TableFileTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task Parquet_and_separated_values_are_told_apart()
    {
        var (parquet, csv) = (Path.Combine(folder, "rows.data"), Path.Combine(folder, "PAR1.csv"));
        await ParquetFileTests.Write(parquet);
        File.WriteAllText(csv, "PAR2,n\n1,2\n3,4\n");
        Assert.Equal(6, TableFile.Read(parquet).RowCount);
        Assert.Equal(["n", "maker"], Names(TableFile.Read(parquet, new() { Columns = ["n", "maker"] })));
        Assert.Equal(["PAR2", "n"], Names(TableFile.Read(csv)));
        Assert.Equal(6, TableFile.ReadChunks(parquet).Sum(part => part.RowCount));
        Assert.Equal(2, TableFile.ReadChunks(csv, new() { Columns = ["n"] }).Sum(part => part.RowCount));
        foreach (var length in (int[])[1, 3])
        {
            File.WriteAllText(csv, "PAR1"[..length]);
            Assert.Equal(["PAR1"[..length]], Names(TableFile.Read(csv)));
        }
    }

    private static IEnumerable<string> Names(Table table) => table.Columns.Select(column => column.Name);
}
