using System.Globalization;
using Adjoint.Data.Tables;
using Adjoint.Formats;
using Adjoint.Training;

namespace Adjoint.Cli;

/// <summary>The rows of a CSV or Parquet file, or of JSON lines.</summary>
internal sealed class TableSource(Predictor predictor, IEnumerable<Table> chunks) : PredictionSource
{
    private readonly Dictionary<string, int> unknown = [], missing = [];

    internal override string KeyName => "row";

    internal override IEnumerable<string> Notes =>
        new EncodingReport { UnknownCategories = unknown, UnexpectedMissing = missing }.Lines();

    /// <summary>The rows of a file, of one kind or the other by what it holds.</summary>
    internal static TableSource Open(Predictor predictor, TableEncoder encoder, string path)
    {
        string[] columns = [.. encoder.Columns.Select(column => column.Name)];
        return new(predictor, IsJson(path)
            ? JsonLinesFile.ReadChunks(path, columns)
            // Only what the model takes is read, and as what it was in training: in one pass.
            : TableFile.ReadChunks(path, new() { Kinds = KindsOf(encoder), Columns = columns }));
    }

    /// <summary>
    /// What the columns are: as in training, but where that had whole numbers alone others are numbers too.
    /// </summary>
    internal static IReadOnlyDictionary<string, ColumnKind> KindsOf(TableEncoder encoder) =>
        encoder.Kinds.ToDictionary(
            entry => entry.Key, entry => entry.Value == ColumnKind.Integer ? ColumnKind.Number : entry.Value);

    internal override IEnumerable<(IReadOnlyList<string> Keys, Prediction Prediction)> Predict()
    {
        foreach (var rows in chunks)
        {
            if (rows.RowCount == 0) continue;
            var prediction = predictor.Predict(rows, out var report);
            Add(report.UnknownCategories, unknown);
            Add(report.UnexpectedMissing, missing);
            string[] keys = [.. Enumerable.Range(0, rows.RowCount)
                .Select(row => rows.RowNumber(row).ToString(CultureInfo.InvariantCulture))];
            yield return (keys, prediction);
        }

        static void Add(IReadOnlyDictionary<string, int> some, Dictionary<string, int> all)
        {
            foreach (var (column, rows) in some) all[column] = all.GetValueOrDefault(column) + rows;
        }
    }

    // No CSV file begins with a brace, and no file of JSON lines with anything else.
    private static bool IsJson(string path)
    {
        using var reader = new StreamReader(Data.RegularFile.Open(path));
        for (var read = 0; read < 1 << 16 && reader.Read() is >= 0 and var letter; read++)
            if (!char.IsWhiteSpace((char)letter)) return letter == '{';
        return false;
    }
}
