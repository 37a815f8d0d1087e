using System.Globalization;
using System.Text;
using System.Text.Json;
using Adjoint.IO;

namespace Adjoint.Explorer;

/// <summary>
/// What the page of a file of tensors shows. Only what is looked at is read, and of a large tensor a part: no answer
/// and no wait grows with the file, which may be anybody's.
/// </summary>
internal sealed class TensorFileExploration : IDisposable
{
    /// <summary>Of a larger tensor so many elements are looked at, spread evenly.</summary>
    internal const int MostRead = 1 << 22;

    /// <summary>Of a longer list so many tensors are sent; a search finds the others.</summary>
    internal const int MostListed = 2000;

    // Bytes of a tensor that is read whole, where the format allows no part.
    private const long MostLoaded = 256L << 20;
    private const int Run = 4096, LongestText = 512, MostNotes = 100;
    private const int WindowRows = 16, WindowColumns = 12;
    private readonly EngineThread engine = new();
    private readonly TensorFile file;
    private readonly string title;
    private readonly Dictionary<string, int> indices = [];
    private (int Index, Tensor Tensor)? held;

    /// <summary>Begins with a file, which is disposed of with the page.</summary>
    internal TensorFileExploration(TensorFile file, string title)
    {
        (this.file, this.title) = (file, title);
        for (var i = 0; i < file.Entries.Count; i++) indices[file.Entries[i].Name] = i;
    }

    /// <summary>What there is in all.</summary>
    internal byte[] File() => JsonNumbers.ToBytes(json =>
    {
        var own = file.Entries.Where(entry => entry.SharesWith is null);
        json.WriteStartObject();
        json.WriteString("title", title);
        json.WriteString("format", FormatName(file.Format));
        json.WriteNumber("count", file.Entries.Count);
        json.WriteNumber("bytes", own.Sum(entry => (double)entry.Bytes));
        json.WriteNumber("elements", own.Sum(Elements));
        json.WriteStartArray("notes");
        foreach (var (name, text) in file.Metadata.Take(MostNotes))
        {
            json.WriteStartArray();
            json.WriteStringValue(Short(name));
            json.WriteStringValue(Short(text));
            json.WriteEndArray();
        }
        json.WriteEndArray();
        json.WriteNumber("moreNotes", Math.Max(0, file.Metadata.Count - MostNotes));
        json.WriteEndObject();
    });

    /// <summary>
    /// The tensors whose name, type or shape (<c>64×3</c>, <c>64x3</c>) has all words of a search, in an order:
    /// <c>name</c>, <c>size</c>, else that of the file.
    /// </summary>
    internal byte[] List(string search, string sort)
    {
        var words = search.Replace('×', 'x').Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var found = Enumerable.Range(0, file.Entries.Count).Where(i => words.Length == 0 || words.All(word =>
        {
            var entry = file.Entries[i];
            return entry.Name.Contains(word, StringComparison.OrdinalIgnoreCase)
                || entry.Type.Contains(word, StringComparison.OrdinalIgnoreCase)
                || string.Join('x', entry.Sizes).Contains(word, StringComparison.Ordinal);
        }));
        found = sort switch
        {
            "name" => found.OrderBy(i => file.Entries[i].Name, StringComparer.Ordinal),
            "size" => found.OrderByDescending(i => file.Entries[i].Bytes),
            _ => found,
        };
        var all = found.ToArray();
        return JsonNumbers.ToBytes(json =>
        {
            json.WriteStartObject();
            json.WriteNumber("found", all.Length);
            json.WriteStartArray("tensors");
            foreach (var i in all.Take(MostListed)) WriteEntry(json, i);
            json.WriteEndArray();
            json.WriteEndObject();
        });
    }

    /// <summary>A tensor's entry, summary and histogram, and its first pictures where it has some.</summary>
    /// <exception cref="AdjointException">There is no such tensor, or it cannot be read.</exception>
    internal Task<byte[]> TensorAsync(int index) => engine.Run(() =>
    {
        var tensor = Open(index);
        var values = Sample(tensor);
        var summary = TensorSummary.Of(values);
        return JsonNumbers.ToBytes(json =>
        {
            json.WriteStartObject();
            json.WriteNumber("elements", tensor.Length);
            json.WriteNumber("read", values.Length);
            json.WriteNumbers("shape", [.. tensor.Shape]);
            json.WriteString("dtype", tensor.DType.Label());
            TensorView.WriteSummary(json, summary);
            if (values.Length > 1 && double.IsFinite(summary.Minimum))
                json.WriteNumbers("histogram", summary.Histogram(values));
            if (values.Length == tensor.Length && TensorView.HasPictures(tensor.Shape))
            {
                json.WritePropertyName("pictures");
                TensorView.WritePictures(json, tensor.Shape, values, summary, 0);
            }
            json.WriteEndObject();
        });
    });

    /// <summary>More pictures of a tensor, from one on.</summary>
    /// <exception cref="AdjointException">It has none, or not so many, or cannot be read.</exception>
    internal Task<byte[]> PicturesAsync(int index, int from) => engine.Run(() =>
    {
        var tensor = Open(index);
        if (tensor.Length > MostRead)
            throw new NotThereException($"a tensor of {tensor.Shape} is too large for pictures");
        return JsonNumbers.ToBytes(json => TensorView.WritePictures(json, tensor, from));
    });

    /// <summary>A matrix of a tensor: all elements where they are few, else means of blocks.</summary>
    /// <exception cref="AdjointException">There is no such slice, or it cannot be read.</exception>
    internal Task<byte[]> SliceAsync(int index, TensorSlice slice) => engine.Run(() =>
    {
        var tensor = Open(index);
        var matrix = slice.Of(tensor);
        var (rows, columns) = (matrix.Shape[0], matrix.Shape[1]);
        // A long vector is folded into a square, but for what is left over in a very long one.
        if (tensor.Rank < 2 && columns > MostRead)
        {
            var side = (int)Math.Sqrt(columns);
            matrix = matrix.Slice(1, 0, side * (columns / side)).Reshape(columns / side, side);
        }
        var (down, across) = (Step(matrix.Shape[0], matrix.Shape[1]), 1);
        var thin = matrix.Slice(0, 0, Count(matrix.Shape[0], down), down);
        if (thin.Length > MostRead)
        {
            across = Step(thin.Shape[1], thin.Shape[0]);
            thin = thin.Slice(1, 0, Count(thin.Shape[1], across), across);
        }
        if (tensor.Rank < 2 && thin.Shape[0] == 1) thin = thin.Reshape(thin.Length);
        var values = TensorView.ToDoubles(thin);
        return JsonNumbers.ToBytes(json =>
        {
            json.WriteStartObject();
            json.WriteNumbers("shape", thin.Rank == 1 ? [thin.Length] : [rows, columns]);
            json.WriteNumber("everyRow", down);
            json.WriteNumber("everyColumn", across);
            TensorView.WriteCells(json, thin, values);
            json.WriteEndObject();
        });
    });

    /// <summary>Some numbers of a matrix of a tensor, from a row and a column on.</summary>
    /// <exception cref="AdjointException">There is no such place, or it cannot be read.</exception>
    internal Task<byte[]> NumbersAsync(int index, TensorSlice slice, int row, int column) => engine.Run(() =>
    {
        var matrix = slice.Of(Open(index));
        var (rows, columns) = (matrix.Shape[0], matrix.Shape[1]);
        if ((uint)row >= (uint)rows || (uint)column >= (uint)columns)
            throw new NotThereException(
                $"there is no row {row} and column {column}; there are {rows} and {columns}, from 0");
        var (down, across) = (Math.Min(WindowRows, rows - row), Math.Min(WindowColumns, columns - column));
        var window = matrix.Slice(0, row, down).Slice(1, column, across);
        return JsonNumbers.ToBytes(json =>
        {
            json.WriteStartObject();
            json.WriteNumber("row", row);
            json.WriteNumber("column", column);
            json.WriteNumbers("shape", [down, across]);
            TensorView.WriteElements(json, "values", TensorView.ToDoubles(window), window.DType);
            json.WriteEndObject();
        });
    });

    public void Dispose()
    {
        engine.Dispose();
        file.Dispose();
    }

    /// <summary>Evenly spaced runs of a tensor that is too large to look at every element.</summary>
    internal static double[] Sample(Tensor tensor)
    {
        if (tensor.Length <= MostRead) return TensorView.ToDoubles(tensor);
        var (flat, values) = (tensor.Reshape(tensor.Length), new double[MostRead]);
        const int runs = MostRead / Run;
        for (var i = 0; i < runs; i++)
            TensorView.ToDoubles(flat.Slice(0, (int)((long)i * (tensor.Length - Run) / (runs - 1)), Run))
                .CopyTo(values, i * Run);
        return values;
    }

    // The step with which so many lines of so many elements each are few enough.
    private static int Step(int lines, int elements) =>
        (int)Math.Clamp(((long)lines * elements + MostRead - 1) / MostRead, 1, Math.Max(1, lines));

    private static int Count(int lines, int step) => (lines + step - 1) / step;

    private Tensor Open(int index)
    {
        if ((uint)index >= (uint)file.Entries.Count)
            throw new NotThereException($"there is no tensor {index}; there are {file.Entries.Count}, from 0");
        if (held is { } last && last.Index == index) return last.Tensor;
        var entry = file.Entries[index];
        if (entry.ConvertsTo is null)
            throw new AdjointException($"no element type here holds {entry.Type}: this tensor can only be listed");
        var isMapped = entry.DType is not null && file.Format == TensorFileFormat.SafeTensors;
        if (!isMapped && entry.Bytes > MostLoaded)
            throw new AdjointException(FormattableString.Invariant($"{entry.Bytes / 1e6:N0} MB are too many to read ")
                + "at once, and this format is not read in part; adjoint convert makes it safetensors, which is");
        try
        {
            var tensor = entry.DType is null ? file.Load(entry.Name, convert: true) : file.Map(entry.Name);
            held = (index, tensor);
            return tensor;
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new AdjointException(problem.Message, problem);
        }
    }

    private void WriteEntry(Utf8JsonWriter json, int index)
    {
        var entry = file.Entries[index];
        json.WriteStartObject();
        json.WriteNumber("index", index);
        json.WriteString("name", Short(entry.Name));
        json.WriteString("type", Short(entry.Type));
        // As texts: a file's sizes may be beyond what a page counts exactly.
        json.WriteStartArray("sizes");
        foreach (var size in entry.Sizes) json.WriteStringValue(size.ToString(CultureInfo.InvariantCulture));
        json.WriteEndArray();
        json.WriteNumber("bytes", (double)entry.Bytes);
        if (entry.File is { } shard) json.WriteString("file", Short(Path.GetFileName(shard)));
        if (entry.SharesWith is { } other)
        {
            json.WriteString("sharesWith", Short(other));
            if (indices.TryGetValue(other, out var same)) json.WriteNumber("same", same);
        }
        json.WriteEndObject();
    }

    private static double Elements(TensorEntry entry) => entry.Sizes.Aggregate(1.0, (product, size) => product * size);

    private static string FormatName(TensorFileFormat format) => format switch
    {
        TensorFileFormat.SafeTensors => "safetensors",
        TensorFileFormat.Npz => "npz",
        TensorFileFormat.Npy => "npy",
        _ => "PyTorch",
    };

    // Of a text without end the beginning; what cannot be seen, such as a mark that turns the direction of writing, by
    // its number.
    private static string Short(string text)
    {
        var shown = new StringBuilder();
        foreach (var rune in text.EnumerateRunes())
        {
            if (shown.Length >= LongestText) return shown.Append('…').ToString();
            var isSeen = rune.Value == '\n' || Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.Control
                or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator);
            if (isSeen) shown.Append(rune.ToString());
            else shown.Append(CultureInfo.InvariantCulture, $"\\u{rune.Value:X4}");
        }
        return shown.ToString();
    }
}
