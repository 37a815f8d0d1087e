using Adjoint.Data;

namespace Adjoint.IO;

/// <summary>
/// Samples in NumPy's <c>.npy</c> files, one file for each field, with the samples along the first axis. They stay on
/// disk: only the rows of a batch are read, when they are asked for, so files may be larger than memory (the system
/// keeps in its cache what there is room for). Rows are read by position rather than mapped into memory: a file that is
/// cut short meanwhile is then an error, not the end of the process.
/// </summary>
public sealed class NpyDataset : Dataset, IDisposable
{
    private readonly FieldFile[] sources;

    /// <summary>Opens the files, and reads their headers.</summary>
    /// <param name="name">The name, for messages and reports.</param>
    /// <param name="files">Names of fields, and the path of the file of each.</param>
    /// <param name="classNames">The names of the target's classes, in the order of their labels; null: none.</param>
    /// <param name="convert">
    /// Whether types that no tensor has are converted to the smallest that holds their values: uint16 to int32.
    /// </param>
    /// <exception cref="DataFormatException">
    /// A file is damaged, has no numbers, no axis, or is in Fortran order, its type has to be converted, or the files
    /// have different numbers of samples.
    /// </exception>
    /// <exception cref="AdjointException">There is no file, or a name stands twice.</exception>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    public NpyDataset(string name, IEnumerable<(string Name, string Path)> files,
        IReadOnlyList<string>? classNames = null, bool convert = false) : base(name)
    {
        var opened = new List<FieldFile>();
        try
        {
            foreach (var (field, path) in files)
            {
                if (opened.Any(source => source.Field.Name == field))
                    throw new AdjointException($"Dataset {name}: the field '{field}' stands there twice");
                opened.Add(new(field, path, convert));
                if (opened[^1].Count != opened[0].Count)
                    throw new DataFormatException(path, 0, $"{opened[^1].Count} samples",
                        $"{opened[0].Count}, those of {opened[0].Path}");
            }
            if (opened.Count == 0)
                throw new AdjointException($"Dataset {name}: at least one file is needed: found none");
        }
        catch
        {
            foreach (var source in opened) source.Dispose();
            throw;
        }
        sources = [.. opened];
        Fields = [.. sources.Select(source => source.Field)];
        ClassNames = classNames ?? [];
    }

    /// <inheritdoc/>
    public override int Count => sources[0].Count;

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields { get; }

    /// <inheritdoc/>
    public override Sample this[int index]
    {
        get
        {
            RequireSample(index);
            var sample = new Sample();
            foreach (var source in sources)
                sample[source.Field.Name] = source.Read([index]).Reshape(source.Field.Shape.Sizes);
            return sample;
        }
    }

    /// <inheritdoc/>
    public override Tensor Column(string field)
    {
        var source = sources[Fields.Index().First(one => one.Item == FieldOf(field)).Index];
        return source.Read([.. Enumerable.Range(0, Count)]);
    }

    /// <inheritdoc/>
    public override Batch Load(params ReadOnlySpan<int> indices)
    {
        foreach (var index in indices) RequireSample(index);
        var all = new (string, Tensor)[sources.Length];
        for (var i = 0; i < all.Length; i++) all[i] = (sources[i].Field.Name, sources[i].Read(indices));
        return new(all);
    }

    /// <summary>Closes the files; the data set cannot be read any more.</summary>
    public void Dispose()
    {
        foreach (var source in sources) source.Dispose();
    }

    private sealed class FieldFile : IDisposable
    {
        private readonly FileStream file;
        private readonly NpyHeader header;
        private readonly int rowBytes;

        internal FieldFile(string field, string path, bool convert)
        {
            Path = path;
            file = RegularFile.Open(path);
            try
            {
                header = NpyHeader.Read(file, path, file.Length);
                var type = header.TypeOf(path, convert);
                var sizes = header.Sizes;
                if (sizes.Length == 0)
                    throw new DataFormatException(path, 0, "an array of shape ()", "the samples along a first axis");
                if (header.IsFortranOrder && sizes.Length > 1)
                    throw new DataFormatException(path, 0, "an array in Fortran order, whose samples lie scattered",
                        "C order; save numpy.ascontiguousarray(x), or read it with NpyFile.Load");
                var elements = (UInt128)1;
                foreach (var size in sizes[1..].Order()) elements = UInt128.Min(elements * (ulong)size, ulong.MaxValue);
                if (sizes.Any(size => size > int.MaxValue) || elements * (uint)header.Type.Size > int.MaxValue)
                    throw new DataFormatException(path, 0, $"shape ({string.Join(", ", sizes)})",
                        $"at most {int.MaxValue} samples of at most {int.MaxValue} bytes");
                Count = (int)sizes[0];
                rowBytes = (int)elements * header.Type.Size;
                Field = new(field, Array.ConvertAll(sizes[1..], size => (int)size), type);
            }
            catch
            {
                file.Dispose();
                throw;
            }
        }

        internal string Path { get; }

        internal int Count { get; }

        internal Field Field { get; }

        internal Tensor Read(ReadOnlySpan<int> indices)
        {
            // A lambda cannot have a span.
            var rows = indices.ToArray();
            return header.Read([rows.Length, .. Field.Shape.Sizes], elements => Read(rows, elements), Path);
        }

        public void Dispose() => file.Dispose();

        private void Read(int[] indices, Span<byte> elements)
        {
            for (var i = 0; i < indices.Length;)
            {
                // Neighbors are read at once.
                var end = i + 1;
                while (end < indices.Length && indices[end] == indices[end - 1] + 1) end++;
                RegularFile.ReadAt(file, elements[(i * rowBytes)..(end * rowBytes)],
                    header.DataOffset + (long)indices[i] * rowBytes, Path);
                i = end;
            }
        }
    }
}
