namespace Adjoint.Data.Tables;

/// <summary>A column of texts, each distinct one kept once.</summary>
public sealed class TextColumn : Column
{
    private readonly int[] codes;
    private readonly string[] words;

    /// <summary>Creates a column of texts from one text per row.</summary>
    /// <param name="name">The name of the column.</param>
    /// <param name="values">The texts; null where one is missing.</param>
    public TextColumn(string name, IReadOnlyList<string?> values) : this(name, Encode(values)) { }

    /// <summary>Creates a column of texts from a list of distinct ones and an index for each row.</summary>
    /// <param name="name">The name of the column.</param>
    /// <param name="codes">The index of each row's text, which the column keeps; −1 where it is missing.</param>
    /// <param name="words">The distinct texts, which the column keeps; some may be used by no row.</param>
    /// <exception cref="AdjointException">An index is not that of a text.</exception>
    public TextColumn(string name, int[] codes, string[] words)
        : base(name, codes.Length, codes.Count(code => code < 0))
    {
        if (Array.FindIndex(codes, code => code < -1 || code >= words.Length) is >= 0 and var row)
            throw new AdjointException(
                $"column \"{name}\", row {row + 1}: found the index {codes[row]}, expected −1..{words.Length - 1}");
        (this.codes, this.words) = (codes, words);
    }

    private TextColumn(string name, (int[] Codes, string[] Words) encoded)
        : this(name, encoded.Codes, encoded.Words) { }

    /// <inheritdoc/>
    public override ColumnKind Kind => MissingCount == Count ? ColumnKind.Empty : ColumnKind.Text;

    /// <summary>The index of each row's text in <see cref="Words"/>; −1 where it is missing.</summary>
    public ReadOnlySpan<int> Codes => codes;

    /// <summary>The distinct texts; some may be used by no row.</summary>
    public ReadOnlySpan<string> Words => words;

    /// <inheritdoc/>
    public override bool IsMissing(int row) => codes[row] < 0;

    /// <inheritdoc/>
    public override string? Text(int row) => codes[row] < 0 ? null : words[codes[row]];

    /// <inheritdoc/>
    public override Column Rename(string name) => new TextColumn(name, codes, words);

    /// <inheritdoc/>
    public override Column Take(ReadOnlySpan<int> rows) => new TextColumn(Name, Pick(codes, rows), words);

    internal static TextColumn Join(string name, IReadOnlyList<Column> parts)
    {
        var (codes, known, at) = (new int[parts.Sum(part => part.Count)], new Dictionary<string, int>(), 0);
        foreach (var part in parts)
        {
            if (part is TextColumn text)
            {
                // Words that no row uses stay out.
                var map = new int[text.words.Length];
                map.AsSpan().Fill(-1);
                foreach (var code in text.codes)
                {
                    if (code >= 0 && map[code] < 0) map[code] = Code(text.words[code]);
                    codes[at++] = code < 0 ? -1 : map[code];
                }
            }
            else
            {
                for (var row = 0; row < part.Count; row++) codes[at++] = part.Text(row) is { } word ? Code(word) : -1;
            }
        }
        return new(name, codes, [.. known.Keys]);

        int Code(string word)
        {
            if (!known.TryGetValue(word, out var code)) known[word] = code = known.Count;
            return code;
        }
    }

    private static (int[], string[]) Encode(IReadOnlyList<string?> values)
    {
        var (codes, known) = (new int[values.Count], new Dictionary<string, int>());
        for (var row = 0; row < codes.Length; row++)
        {
            if (values[row] is not { } text)
            {
                codes[row] = -1;
                continue;
            }
            if (!known.TryGetValue(text, out codes[row])) known[text] = codes[row] = known.Count;
        }
        return (codes, [.. known.Keys]);
    }
}
