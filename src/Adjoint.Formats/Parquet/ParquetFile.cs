using System.Globalization;
using Adjoint.Data;
using Adjoint.Data.Tables;
using Parquet;
using Parquet.Schema;

namespace Adjoint.Formats;

/// <summary>
/// Reads Apache Parquet files. Whole and broken numbers, truth values, dates and texts become columns; a null, NaN, or
/// an empty text is a missing value. Whole numbers beyond 2⁵³ become text, as identifiers are. Columns of other types,
/// and those that hold lists, are left out, and the profile says so.
/// </summary>
public static class ParquetFile
{
    // Runs of equal values take next to nothing, but no real file has more rows for a byte.
    private const long MostRowsPerByte = 1024;
    private static readonly Type TextType = typeof(ReadOnlyMemory<char>);

    /// <summary>Reads a whole file.</summary>
    /// <param name="path">The path of the file.</param>
    /// <param name="columns">The names of the columns to read, in this order; null reads all.</param>
    /// <returns>The rows, in columns of the kinds of the file's types.</returns>
    /// <exception cref="DataFormatException">It is no intact Parquet file, or cannot be read.</exception>
    /// <exception cref="AdjointException">A column to read is not there, or of a type that is left out.</exception>
    /// <exception cref="FileNotFoundException">There is nothing at that path.</exception>
    public static Table Read(string path, IReadOnlyList<string>? columns = null) =>
        Table.Concat(path, [.. ReadChunks(path, columns)]);

    /// <summary>Reads a file row group by row group, in the memory of one of them.</summary>
    /// <param name="path">The path of the file.</param>
    /// <param name="columns">The names of the columns to read, in this order; null reads all.</param>
    /// <returns>The rows, in order, as tables of the same columns; one without rows where the file has none.</returns>
    /// <exception cref="DataFormatException">It is no intact Parquet file, or cannot be read.</exception>
    /// <exception cref="AdjointException">A column to read is not there, or of a type that is left out.</exception>
    /// <exception cref="FileNotFoundException">There is nothing at that path.</exception>
    public static IEnumerable<Table> ReadChunks(string path, IReadOnlyList<string>? columns = null)
    {
        using var file = RegularFile.Open(path);
        using var opened = new Opened(path, file, columns);
        for (var group = 0; group < opened.GroupCount; group++) yield return opened.Read(group);
        if (opened.GroupCount == 0) yield return opened.Empty();
    }

    /// <summary>Describes a file: the kind, range and missing values of each column, and which are left out.</summary>
    /// <param name="path">The path of the file.</param>
    /// <returns>The profile, to be shown and checked before anything is trained.</returns>
    /// <exception cref="DataFormatException">It is no intact Parquet file, or cannot be read.</exception>
    /// <exception cref="FileNotFoundException">There is nothing at that path.</exception>
    public static TableProfile Profile(string path)
    {
        using var file = RegularFile.Open(path);
        using var opened = new Opened(path, file, null);
        var profiler = new TableProfiler(path, "Parquet");
        foreach (var note in opened.Notes) profiler.AddNote(note);
        for (var group = 0; group < opened.GroupCount; group++) profiler.Add(opened.Read(group));
        if (opened.GroupCount == 0) profiler.Add(opened.Empty());
        return profiler.Finish();
    }

    private sealed class Opened : IDisposable
    {
        private readonly string path;
        private readonly ParquetReader reader;
        private readonly DataField[] fields;
        private int firstRow = 1;

        public Opened(string path, FileStream file, IReadOnlyList<string>? columns)
        {
            this.path = path;
            reader = Guarded(async () =>
            {
                ParquetCheck.Run(file);
                file.Position = 0;
                return await ParquetReader.CreateAsync(file, leaveStreamOpen: true);
            });
            var notes = new List<string>();
            // The package makes the schema of the description now, and may find it wrong.
            var (all, counts) = Guarded(() => Task.FromResult((reader.Schema.GetDataFields().ToArray(),
                reader.RowGroups.Select(group => group.RowCount).ToArray())));
            var rows = counts.Sum(count => (double)count);
            if (rows > Math.Min(Array.MaxLength, MostRowsPerByte * (double)file.Length)
                || Array.Exists(counts, count => count < 0))
                throw new DataFormatException(
                    $"{path}: found {rows:N0} rows in the description of a file of {file.Length:N0} "
                    + $"bytes, expected at most {MostRowsPerByte} for each byte; write it again");
            foreach (var field in all.Where(field => !IsRead(field)))
                notes.Add($"column \"{NameOf(field)}\" is left out: {Describe(field)}");
            Notes = notes;
            fields = columns is null ? [.. all.Where(IsRead)] : [.. columns.Select(name =>
                all.FirstOrDefault(field => NameOf(field) == name) is not { } field
                    ? throw new AdjointException($"{path}: there is no column \"{name}\"; columns are "
                        + DataFormatException.Abbreviate(string.Join(", ", all.Select(each => $"\"{NameOf(each)}\""))))
                    : IsRead(field) ? field
                    : throw new AdjointException(
                        $"{path}: column \"{name}\" is {Describe(field)}, expected numbers, truth "
                        + "values, dates or text"))];
            if (fields.Length == 0)
                throw new DataFormatException($"{path}: found no column of numbers, truth values, dates or text");
        }

        public int GroupCount => reader.RowGroupCount;

        public IReadOnlyList<string> Notes { get; }

        public Table Read(int group)
        {
            var table = Guarded(async () =>
            {
                using var rows = reader.OpenRowGroupReader(group);
                var columns = new List<Column>();
                foreach (var field in fields) columns.Add(await ReadAsync(rows, field));
                return new Table(path, columns, firstRow);
            });
            firstRow += table.RowCount;
            return table;
        }

        public Table Empty() => new(path, fields.Select(field => new NumberColumn(NameOf(field), [])));

        public void Dispose() => reader.DisposeAsync().AsTask().GetAwaiter().GetResult();

        // Of a damaged file the package throws whatever its bytes lead to.
        private T Guarded<T>(Func<Task<T>> read)
        {
            try
            {
                return Task.Run(read).GetAwaiter().GetResult();
            }
            catch (Exception error) when (error is not AdjointException and not InsufficientExecutionStackException)
            {
                throw new DataFormatException($"{path}: found no intact Parquet data ("
                    + $"{DataFormatException.Abbreviate(error.Message.TrimEnd('.').ReplaceLineEndings(" "))}), " +
                        $"expected a "
                    + "Parquet file; write or fetch it again");
            }
        }
    }

    private static string NameOf(DataField field) => string.Join('.', field.Path.ToList());

    private static string Describe(DataField field) => field.IsArray || field.MaxRepetitionLevel > 0
        ? "a list in each row"
        : field.ClrType == typeof(ReadOnlyMemory<byte>) ? "of bytes" : $"of the type {field.ClrType.Name}";

    private static bool IsRead(DataField field) => !field.IsArray && field.MaxRepetitionLevel == 0
        && (field.ClrType == TextType || field.ClrType == typeof(bool) || field.ClrType == typeof(sbyte)
            || field.ClrType == typeof(byte) || field.ClrType == typeof(short) || field.ClrType == typeof(ushort)
            || field.ClrType == typeof(int) || field.ClrType == typeof(uint) || field.ClrType == typeof(long)
            || field.ClrType == typeof(ulong) || field.ClrType == typeof(float) || field.ClrType == typeof(double)
            || field.ClrType == typeof(decimal) || field.ClrType == typeof(DateTime)
            || field.ClrType == typeof(DateOnly) || field.ClrType == typeof(Guid));

    private static Task<Column> ReadAsync(ParquetRowGroupReader rows, DataField field) => field.ClrType switch
    {
        var type when type == TextType => Texts(rows, field),
        var type when type == typeof(bool) => Truths(rows, field),
        var type when type == typeof(sbyte) => Numbers<sbyte>(rows, field, value => value),
        var type when type == typeof(byte) => Numbers<byte>(rows, field, value => value),
        var type when type == typeof(short) => Numbers<short>(rows, field, value => value),
        var type when type == typeof(ushort) => Numbers<ushort>(rows, field, value => value),
        var type when type == typeof(int) => Numbers<int>(rows, field, value => value),
        var type when type == typeof(uint) => Numbers<uint>(rows, field, value => value),
        var type when type == typeof(long) => Numbers<long>(rows, field, value => value),
        var type when type == typeof(ulong) => Numbers<ulong>(rows, field, value => value),
        var type when type == typeof(float) => Numbers<float>(rows, field, Widen),
        var type when type == typeof(double) => Numbers<double>(rows, field, value => value),
        var type when type == typeof(decimal) => Numbers<decimal>(rows, field, value => (double)value),
        var type when type == typeof(DateTime) => Dates<DateTime>(rows, field, value => value.Ticks),
        var type when type == typeof(DateOnly) =>
            Dates<DateOnly>(rows, field, value => value.ToDateTime(TimeOnly.MinValue).Ticks),
        _ => Guids(rows, field),
    };

    // What a person would write: 0.1f is 0.1.
    private static double Widen(float value) =>
        double.Parse(value.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);

    // Whether the file says null or cannot.
    private static async Task<T?[]> Values<T>(ParquetRowGroupReader rows, DataField field) where T : struct
    {
        var values = new T?[checked((int)rows.RowCount)];
        if (field.IsNullable || field.MaxDefinitionLevel > 0)
        {
            await rows.ReadAsync(field, values.AsMemory());
            return values;
        }
        var plain = new T[values.Length];
        await rows.ReadAsync(field, plain.AsMemory());
        for (var row = 0; row < plain.Length; row++) values[row] = plain[row];
        return values;
    }

    private static async Task<Column> Numbers<T>(ParquetRowGroupReader rows, DataField field, Func<T, double> convert)
        where T : struct, IFormattable
    {
        var values = await Values<T>(rows, field);
        double[] numbers = [.. values.Select(value => value is { } number ? convert(number) : double.NaN)];
        var isWhole = typeof(T) == typeof(long) || typeof(T) == typeof(ulong);
        return isWhole && Array.Exists(numbers, number => Math.Abs(number) > FieldText.LargestInteger)
            ? new TextColumn(NameOf(field),
                [.. values.Select(value => value?.ToString(null, CultureInfo.InvariantCulture))])
            : new NumberColumn(NameOf(field), numbers);
    }

    private static async Task<Column> Truths(ParquetRowGroupReader rows, DataField field) => new TruthColumn(
        NameOf(field), [.. (await Values<bool>(rows, field)).Select(value =>
            (sbyte)(value switch { null => -1, false => 0, true => 1 }))]);

    private static async Task<Column> Dates<T>(ParquetRowGroupReader rows, DataField field, Func<T, long> ticks)
        where T : struct => new DateColumn(NameOf(field),
            [.. (await Values<T>(rows, field)).Select(value => value is { } date ? ticks(date) : DateColumn.Missing)]);

    private static async Task<Column> Guids(ParquetRowGroupReader rows, DataField field) => new TextColumn(
        NameOf(field), [.. (await Values<Guid>(rows, field)).Select(value => value?.ToString())]);

    private static async Task<Column> Texts(ParquetRowGroupReader rows, DataField field)
    {
        var values = new string?[checked((int)rows.RowCount)];
        await rows.ReadAsync(field, values.AsMemory()!);
        return new TextColumn(NameOf(field),
            [.. values.Select(value => string.IsNullOrWhiteSpace(value) ? null : value.Trim())]);
    }
}
