using Adjoint.Data;
using Adjoint.Data.Tables;

namespace Adjoint.Formats;

/// <summary>Tables in files of any kind, which is known by how the file begins: Parquet, or separated values.</summary>
public static class TableFile
{
    /// <summary>Reads a table.</summary>
    /// <param name="path">The path of the file.</param>
    /// <param name="options">What is known of a file of separated values; null: all of it is found.</param>
    /// <returns>The whole table.</returns>
    /// <exception cref="DataFormatException">The file is missing, damaged, or no table.</exception>
    public static Table Read(string path, CsvOptions? options = null) => IsParquet(path)
        ? ParquetFile.Read(path, options?.Columns)
        : CsvFile.Read(path, options);

    /// <summary>Reads a table in parts, in bounded memory.</summary>
    /// <param name="path">The path of the file.</param>
    /// <param name="options">What is known of a file of separated values; null: all of it is found.</param>
    /// <returns>Tables of consecutive rows.</returns>
    /// <exception cref="DataFormatException">The file is missing, damaged, or no table.</exception>
    public static IEnumerable<Table> ReadChunks(string path, CsvOptions? options = null) => IsParquet(path)
        ? ParquetFile.ReadChunks(path, options?.Columns)
        : CsvFile.ReadChunks(path, options);

    private static bool IsParquet(string path)
    {
        using var file = RegularFile.Open(path);
        Span<byte> magic = stackalloc byte[4];
        return file.ReadAtLeast(magic, magic.Length, throwOnEndOfStream: false) == magic.Length
            && magic.SequenceEqual("PAR1"u8);
    }
}
