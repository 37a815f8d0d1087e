namespace Adjoint.Data;

/// <summary>
/// Windows of texts for next-token prediction: <see cref="Field.Inputs"/> are the tokens i … i + length − 1, int64
/// (length), and <see cref="Field.Targets"/> the tokens i + 1 … i + length, for i = 0, stride, 2·stride, … in each
/// document. No window reaches from one document into the next.
/// </summary>
public sealed class TextDataset : Dataset
{
    private readonly int[][] documents;
    private readonly int length;
    private readonly int stride;
    // The number of windows up to and with each document.
    private readonly int[] ends;

    /// <summary>Creates a data set of texts.</summary>
    /// <param name="name">The name, for messages and reports.</param>
    /// <param name="texts">The texts, each a document.</param>
    /// <param name="preprocessing">How they become tokens; it was fitted on training texts alone.</param>
    /// <param name="length">The number of tokens in a window, 1 or more.</param>
    /// <param name="stride">The number of tokens from one window to the next; null: the length.</param>
    /// <exception cref="AdjointException">
    /// A number is out of range, there is no text, or one is shorter than a window and the token after it.
    /// </exception>
    public TextDataset(string name, IEnumerable<string> texts, TextPreprocessing preprocessing, int length,
        int? stride = null)
        : this(name, texts.Index().Select(one => ($"text {one.Index}", one.Item)), preprocessing, length, stride) { }

    private TextDataset(string name, IEnumerable<(string Name, string Text)> texts, TextPreprocessing preprocessing,
        int length, int? stride) : base(name)
    {
        (this.length, this.stride) = (length, stride ?? length);
        if (length < 1 || this.stride < 1)
            throw new AdjointException(
                $"Dataset {name}: length and stride of windows must be positive: found {length} and {this.stride}");
        var (all, sums, windows) = (new List<int[]>(), new List<int>(), 0);
        foreach (var (document, text) in texts)
        {
            var tokens = preprocessing.Encode(text);
            if (tokens.Length <= length)
                throw new AdjointException(
                    $"Dataset {name}: {document} has {tokens.Length} tokens, and a window takes {length} and the one "
                    + "after; use shorter windows, join short documents, or leave it out");
            all.Add(tokens);
            sums.Add(windows = checked(windows + (tokens.Length - 1 - length) / this.stride + 1));
        }
        if (all.Count == 0) throw new AdjointException($"Dataset {name}: at least one text is needed: found none");
        (documents, ends, Preprocessing) = ([.. all], [.. sums], preprocessing);
        Fields = [new(Field.Inputs, (int[])[length], DType.Int64), new(Field.Targets, (int[])[length], DType.Int64)];
    }

    /// <summary>
    /// Reads files, each a document, and keeps the end of each for validation. What is learned of the texts, such as a
    /// vocabulary, comes from the training part alone.
    /// </summary>
    /// <param name="name">The name, for messages and reports.</param>
    /// <param name="paths">The paths of the files: UTF-8, or UTF-16 with a byte-order mark.</param>
    /// <param name="fit">
    /// Makes the encoding from the training texts: <c>CharacterText.Fit</c>, or <c>_ =&gt; new ByteText()</c>.
    /// </param>
    /// <param name="length">The number of tokens in a window, 1 or more.</param>
    /// <param name="stride">The number of tokens from one training window to the next; null: the length.</param>
    /// <param name="validation">The share of each document that is for validation, above 0 and below 1.</param>
    /// <param name="test">The share of each document that is for the test, its very end; 0: no test part.</param>
    /// <returns>The windows of each part; those of validation and test do not overlap.</returns>
    /// <exception cref="DataFormatException">A file is empty or no text.</exception>
    /// <exception cref="AdjointException">
    /// A number is out of range, or a part of a file is shorter than a window and the token after it.
    /// </exception>
    public static DataSplits Load(string name, IEnumerable<string> paths,
        Func<IReadOnlyList<string>, TextPreprocessing> fit, int length, int? stride = null, double validation = 0.1,
        double test = 0)
    {
        if (!(validation is > 0 and < 1))
            throw new AdjointException(
                $"Dataset {name}: the share for validation must be above 0 and below 1: found {validation}");
        if (!(test >= 0 && validation + test < 1))
            throw new AdjointException(
                $"Dataset {name}: the share for the test must be 0 or more, and leave some for training: found {test} "
                + $"beside {validation}");
        var parts = paths.Select(path =>
        {
            var (rest, end) = test > 0 ? Cut(TextFile.Read(path), test) : (TextFile.Read(path), "");
            var (train, middle) = Cut(rest, validation / (1 - test));
            return (Path: path, Train: train, Validation: middle, Test: end);
        }).ToArray();
        var preprocessing = fit([.. parts.Select(one => one.Train)]);
        return new(
            new TextDataset(name, parts.Select(one => ($"the training part of {one.Path}", one.Train)), preprocessing,
                length, stride),
            new TextDataset(name, parts.Select(one => ($"the validation part of {one.Path}", one.Validation)),
                preprocessing, length, null),
            test > 0
                ? new TextDataset(name, parts.Select(one => ($"the test part of {one.Path}", one.Test)), preprocessing,
                    length, null)
                : null);
    }

    /// <inheritdoc/>
    public override int Count => ends[^1];

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields { get; }

    /// <summary>The number of tokens of all documents.</summary>
    public long TokenCount => documents.Sum(document => (long)document.Length);

    /// <inheritdoc/>
    public override Sample this[int index]
    {
        get
        {
            var (inputs, targets) = Load(index);
            return new() { [Field.Inputs] = inputs.Reshape(length), [Field.Targets] = targets.Reshape(length) };
        }
    }

    /// <inheritdoc/>
    public override Batch Load(params ReadOnlySpan<int> indices)
    {
        var (inputs, targets) = (Tensor.Empty([indices.Length, length], DType.Int64, Device.Cpu),
            Tensor.Empty([indices.Length, length], DType.Int64, Device.Cpu));
        var x = inputs.Data<long>();
        var y = targets.Data<long>();
        for (var i = 0; i < indices.Length; i++)
        {
            RequireSample(indices[i]);
            var document = Array.BinarySearch(ends, indices[i] + 1);
            if (document < 0) document = ~document;
            var start = (indices[i] - (document > 0 ? ends[document - 1] : 0)) * stride;
            var tokens = documents[document].AsSpan(start, length + 1);
            for (var j = 0; j < length; j++) (x[i * length + j], y[i * length + j]) = (tokens[j], tokens[j + 1]);
        }
        return new((Field.Inputs, inputs), (Field.Targets, targets));
    }

    // At a line's end, where one is near: within a tenth of the end that is cut off.
    private static (string Start, string End) Cut(string text, double share)
    {
        var size = (int)(text.Length * share);
        var cut = text.Length - size;
        var line = text.IndexOf('\n', cut, size);
        if (line >= 0 && line - cut <= size / 10) cut = line + 1;
        if (cut > 0 && cut < text.Length && char.IsSurrogatePair(text[cut - 1], text[cut])) cut++;
        return (text[..cut], text[cut..]);
    }
}
