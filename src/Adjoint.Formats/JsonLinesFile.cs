using System.Text.Json;
using Adjoint.Data;
using Adjoint.Data.Tables;

namespace Adjoint.Formats;

/// <summary>
/// Reads files of JSON lines (JSONL, NDJSON): one object by column in each line. A line that is not right is an error
/// that names file and row. Blank lines are no rows.
/// </summary>
public static class JsonLinesFile
{
    private const int RowsPerChunk = 1000;
    private const int MaxLetters = 1 << 20;

    /// <summary>Reads some columns of a file in parts, in memory that does not grow with the file.</summary>
    /// <param name="path">The path of the file.</param>
    /// <param name="columns">The names of the columns; every row must have each, with null for a missing value.</param>
    /// <returns>The rows, in order, as tables of these columns, all of text: what reads them knows their
    /// kinds.</returns>
    /// <exception cref="DataFormatException">A row is not right, or lacks a column.</exception>
    /// <exception cref="FileNotFoundException">There is nothing at that path.</exception>
    public static IEnumerable<Table> ReadChunks(string path, IReadOnlyList<string> columns)
    {
        using var reader = new StreamReader(RegularFile.Open(path));
        var values = columns.Select(_ => new List<string?>()).ToArray();
        var (first, count) = (1, 0);
        foreach (var line in Lines(reader, path))
        {
            ReadRow(line, path, first + count++, columns, values);
            if (count < RowsPerChunk) continue;
            yield return Chunk();
            (first, count) = (first + count, 0);
            foreach (var column in values) column.Clear();
        }
        if (count > 0) yield return Chunk();

        Table Chunk() => new(path, columns.Select((name, i) => new TextColumn(name, values[i])), first);
    }

    private static IEnumerable<string> Lines(StreamReader reader, string path)
    {
        var line = new char[MaxLetters];
        var (length, row) = (0, 1);
        while (true)
        {
            var next = reader.Read();
            if (next is -1 or '\n')
            {
                var text = line.AsSpan(0, length).Trim();
                if (!text.IsEmpty)
                {
                    row++;
                    yield return text.ToString();
                }
                if (next < 0) yield break;
                length = 0;
            }
            else if (length == MaxLetters)
            {
                throw new DataFormatException(
                    $"{path}, row {row}: found a line of more than {MaxLetters} letters, expected a JSON object in "
                    + "each line; is it a file of JSON lines?");
            }
            else
            {
                line[length++] = (char)next;
            }
        }
    }

    private static void ReadRow(
        string line, string path, int row, IReadOnlyList<string> columns, List<string?>[] values)
    {
        try
        {
            using var json = JsonDocument.Parse(line, new() { AllowDuplicateProperties = false });
            if (json.RootElement.ValueKind != JsonValueKind.Object)
                throw new DataFormatException(
                    $"{path}, row {row}: found {Kind(json.RootElement)}, expected a JSON object by column");
            for (var i = 0; i < columns.Count; i++) values[i].Add(Read(json.RootElement, columns[i]));
        }
        catch (JsonException error)
        {
            throw new DataFormatException(
                $"{path}, row {row}: does not parse ({DataFormatException.Abbreviate(error.Message.TrimEnd('.'))}), "
                + "expected a JSON object in each line");
        }

        string? Read(JsonElement json, string column)
        {
            if (!json.TryGetProperty(column, out var value))
                throw new DataFormatException(
                    $"{path}, row {row}: found no \"{column}\", expected the columns of training; null says that a "
                    + "value is missing");
            var text = value.ValueKind switch
            {
                JsonValueKind.String => value.GetString(),
                JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => value.GetRawText(),
                JsonValueKind.Null => null,
                _ => throw new DataFormatException(
                    $"{path}, row {row}, column \"{column}\": found {Kind(value)}, expected a number, a text, true, "
                    + "false or null"),
            };
            return text is null || FieldText.IsMissing(text, amongNumbers: false) ? null : text.Trim();
        }
    }

    private static string Kind(JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.Array => "an array",
        JsonValueKind.Object => "an object",
        _ => json.ValueKind.ToString().ToLowerInvariant(),
    };
}
