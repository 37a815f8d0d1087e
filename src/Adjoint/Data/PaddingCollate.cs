namespace Adjoint.Data;

/// <summary>
/// Stacks samples whose named fields differ along their first axis, such as sentences: each is padded at its end to the
/// longest of the batch. For each such field NAME the batch gains <c>NAME.mask</c>, truth values (n, longest) that say
/// which entries are real, and <c>NAME.lengths</c>, int64 (n). The other fields are stacked as they are.
/// </summary>
public sealed class PaddingCollate : Collate
{
    /// <summary>What follows a field's name in that of its mask.</summary>
    public const string MaskSuffix = ".mask";

    /// <summary>What follows a field's name in that of its lengths.</summary>
    public const string LengthsSuffix = ".lengths";

    private readonly (string Name, Number Fill)[] fields;
    private readonly int multiple = 1;

    /// <summary>Creates a collate that pads the given fields with zeros.</summary>
    /// <param name="fields">The names of the fields.</param>
    /// <exception cref="AdjointException">There is none, or a name stands twice.</exception>
    public PaddingCollate(params IEnumerable<string> fields) : this(fields.Select(name => (name, (Number)0))) { }

    /// <summary>Creates a collate that pads each field with a number of its own.</summary>
    /// <param name="fields">
    /// Names, and what stands in the padding, in the type of the field: <c>("targets", -100)</c> for labels that a loss
    /// is to ignore.
    /// </param>
    /// <exception cref="AdjointException">There is none, or a name stands twice.</exception>
    public PaddingCollate(params IEnumerable<(string Name, Number Fill)> fields)
    {
        this.fields = [.. fields];
        if (this.fields.Length == 0)
            throw new AdjointException("PaddingCollate: at least one field to pad is needed: found none; name it");
        if (this.fields.GroupBy(field => field.Name).FirstOrDefault(same => same.Count() > 1) is { } twice)
            throw new AdjointException($"PaddingCollate: the field '{twice.Key}' stands there twice");
    }

    /// <summary>
    /// The padded length is a multiple of this, 1 or more, so that batches have few different shapes; 1 by default.
    /// </summary>
    /// <exception cref="AdjointException">The value is not positive.</exception>
    public int Multiple
    {
        get => multiple;
        init => multiple = value >= 1
            ? value
            : throw new AdjointException($"PaddingCollate: Multiple must be positive: found {value}");
    }

    /// <inheritdoc/>
    public override Batch Apply(IReadOnlyList<Sample> samples)
    {
        var all = new List<(string, Tensor)>();
        foreach (var (name, _) in fields) _ = samples[0][name];
        foreach (var (name, column) in Columns(samples))
        {
            var at = Array.FindIndex(fields, field => field.Name == name);
            if (at < 0)
            {
                all.Add((name, RowCopy.Stack(name, column, samples)));
                continue;
            }
            var lengths = Lengths(name, column, samples);
            var longest = (lengths.Max() + multiple - 1) / multiple * multiple;
            if (longest > int.MaxValue)
                throw new AdjointException(
                    $"PaddingCollate: '{name}' padded to a multiple of {multiple} is longer than {int.MaxValue}; use a "
                    + "smaller Multiple");
            all.Add((name, RowCopy.Pad(column, (int)longest, fields[at].Fill)));
            bool[] mask = [.. lengths.SelectMany(length => Enumerable.Range(0, (int)longest).Select(i => i < length))];
            all.Add((name + MaskSuffix, Tensor.From(mask, samples.Count, (int)longest)));
            all.Add((name + LengthsSuffix, Tensor.From(lengths)));
        }
        return new(all);
    }

    private static long[] Lengths(string name, Tensor[] column, IReadOnlyList<Sample> samples)
    {
        var first = column[0];
        for (var i = 0; i < column.Length; i++)
        {
            var (shape, type) = (column[i].Shape, column[i].DType);
            if (shape.Rank == 0 || type != first.DType || shape.Rank != first.Rank
                || !shape.Sizes[1..].SequenceEqual(first.Shape.Sizes[1..]))
                throw new AdjointException(
                    $"PaddingCollate: samples of '{name}' may differ in the size of their first axis alone: found "
                    + $"{shape} {type.Label()} ({samples[i].Place(i)}), expected "
                    + (first.Rank == 0 ? "at least one axis; leave the field out of those to pad"
                        : $"{first.Shape} {first.DType.Label()} ({samples[0].Place(0)}), the first axis of any size"));
        }
        return [.. column.Select(tensor => (long)tensor.Shape[0])];
    }
}
