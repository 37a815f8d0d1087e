namespace Adjoint.Data;

/// <summary>Several data sets of the same fields as one: the samples of the first, then those of the next.</summary>
public sealed class ConcatDataset : Dataset
{
    private readonly Dataset[] parts;
    // Where each part begins, and last the number of all.
    private readonly int[] starts;

    /// <summary>Creates a view of several data sets; nothing is copied.</summary>
    /// <param name="name">The name of all together.</param>
    /// <param name="parts">The data sets, at least one, with the same fields in the same order.</param>
    /// <exception cref="AdjointException">
    /// There is none, they have more than 2³¹ − 1 samples, or they differ in fields or classes.
    /// </exception>
    public ConcatDataset(string name, params IEnumerable<Dataset> parts) : base(name)
    {
        this.parts = [.. parts];
        if (this.parts.Length == 0)
            throw new AdjointException($"Dataset {name}: at least one data set is needed: found none");
        starts = new int[this.parts.Length + 1];
        for (var i = 0; i < this.parts.Length; i++)
        {
            var count = (long)starts[i] + this.parts[i].Count;
            if (count > int.MaxValue)
                throw new AdjointException(
                    $"Dataset {name}: {count} samples are too many: at most {int.MaxValue}; leave a part out");
            starts[i + 1] = (int)count;
        }
        Fields = Join(name, this.parts);
        ClassNames = this.parts[0].ClassNames;
        Statistics = this.parts[0].Statistics;
        Preprocessing = this.parts[0].Preprocessing;
    }

    /// <summary>The data sets that this is made of.</summary>
    public IReadOnlyList<Dataset> Parts => parts;

    /// <inheritdoc/>
    public override int Count => starts[^1];

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields { get; }

    /// <inheritdoc/>
    public override Sample this[int index]
    {
        get
        {
            RequireSample(index);
            var part = PartOf(index);
            return parts[part][index - starts[part]];
        }
    }

    /// <inheritdoc/>
    public override Tensor Column(string field) => Count == 0
        ? Load()[field]
        : Tensor.Concat([.. parts.Where(part => part.Count > 0).Select(part => part.Column(field))]);

    /// <inheritdoc/>
    public override Batch Load(params ReadOnlySpan<int> indices)
    {
        foreach (var index in indices) RequireSample(index);
        if (indices.Length == 0) return base.Load(indices);
        var (part, own) = (PartOf(indices[0]), new int[indices.Length]);
        for (var i = 0; i < own.Length; i++)
        {
            own[i] = indices[i] - starts[part];
            // Of several parts each sample is read by itself.
            if ((uint)own[i] >= (uint)parts[part].Count) return base.Load(indices);
        }
        return parts[part].Load(own);
    }

    private int PartOf(int index)
    {
        var at = Array.BinarySearch(starts, index);
        if (at < 0) return ~at - 1;
        // Parts without samples begin where the next one does.
        while (starts[at + 1] == index) at++;
        return at;
    }

    // Of fields that differ in the first axis alone, each shape is that of the largest.
    private static Field[] Join(string name, Dataset[] parts)
    {
        var fields = parts[0].Fields.ToArray();
        foreach (var part in parts.Skip(1))
        {
            var others = part.Fields;
            if (!fields.Select(field => field.Name).SequenceEqual(others.Select(field => field.Name)))
                throw Differs(part, "fields", string.Join(", ", others.Select(field => field.Name)),
                    string.Join(", ", fields.Select(field => field.Name)));
            for (var i = 0; i < fields.Length; i++)
            {
                var (own, other) = (fields[i], others[i]);
                if (own.DType != other.DType)
                    throw Differs(part, $"the field '{own.Name}'", other.DType.Label(), own.DType.Label());
                if (own.Shape == other.Shape)
                {
                    fields[i] = own with { IsRagged = own.IsRagged || other.IsRagged };
                    continue;
                }
                if (!(own.IsRagged || other.IsRagged) || own.Shape.Rank != other.Shape.Rank || own.Shape.Rank == 0
                    || !own.Shape.Skip(1).SequenceEqual(other.Shape.Skip(1)))
                    throw Differs(part, $"the field '{own.Name}'", other.Shape.ToString(), own.Shape.ToString());
                fields[i] = (own.Shape[0] >= other.Shape[0] ? own : other) with { IsRagged = true };
            }
            if (!part.ClassNames.SequenceEqual(parts[0].ClassNames))
                throw Differs(part, "classes", string.Join(", ", part.ClassNames.Take(10)),
                    string.Join(", ", parts[0].ClassNames.Take(10)));
        }
        return fields;

        AdjointException Differs(Dataset part, string what, string found, string expected) =>
            new($"Dataset {name}: {what} of {part.Name} and {parts[0].Name} differ: found {found}, expected "
                + $"{expected}; bring them to one form with Map");
    }
}
