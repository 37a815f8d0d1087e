namespace Adjoint.Data;

/// <summary>Samples in memory: tensors whose first axis is that of the samples.</summary>
public sealed class TensorDataset : Dataset
{
    private readonly (string Name, Tensor Value)[] tensors;

    /// <summary>Creates a data set of tensors.</summary>
    /// <param name="name">The name, for messages and reports.</param>
    /// <param name="tensors">
    /// Names and tensors (n, …), such as <see cref="Field.Inputs"/> and <see cref="Field.Targets"/>. They are not
    /// copied, unless they are views with gaps.
    /// </param>
    /// <param name="classNames">The names of the target's classes, in the order of their labels.</param>
    /// <exception cref="AdjointException">
    /// There is no tensor, a name stands twice, or the tensors have different numbers of samples.
    /// </exception>
    public TensorDataset(string name, IEnumerable<(string Name, Tensor Value)> tensors,
        IReadOnlyList<string> classNames) : base(name)
    {
        this.tensors = [.. tensors.Select(entry => (entry.Name, entry.Value.Detach().Contiguous()))];
        if (this.tensors.Length == 0)
            throw new AdjointException($"Dataset {name}: at least one tensor is needed: found none");
        for (var i = 0; i < this.tensors.Length; i++)
        {
            var (own, value) = this.tensors[i];
            if (this.tensors.Take(i).Any(entry => entry.Name == own))
                throw new AdjointException($"Dataset {name}: the field '{own}' stands there twice");
            if (value.Rank == 0 || value.Shape[0] != Count)
                throw new AdjointException(
                    $"Dataset {name}: every tensor must have the samples along its first axis: found "
                    + $"{string.Join(", ", this.tensors.Select(entry => $"{entry.Name} {entry.Value.Shape}"))}");
        }
        Fields =
        [
            .. this.tensors.Select(entry =>
                new Field(entry.Name, entry.Value.Shape.Sizes[1..].ToArray(), entry.Value.DType)),
        ];
        ClassNames = classNames;
    }

    /// <summary>Creates a data set of tensors whose targets, if it has any, are no classes.</summary>
    /// <inheritdoc cref="TensorDataset(string, IEnumerable{ValueTuple{string, Tensor}}, IReadOnlyList{string})"/>
    public TensorDataset(string name, IEnumerable<(string Name, Tensor Value)> tensors) : this(name, tensors, []) { }

    /// <summary>Creates a data set of samples and the labels of their classes.</summary>
    /// <param name="name">The name, for messages and reports.</param>
    /// <param name="sampleShape">The shape of one sample, such as (1, 28, 28).</param>
    /// <param name="inputs">The samples' values, one sample after another, row-major.</param>
    /// <param name="labels">The class of each sample, from 0 on.</param>
    /// <param name="classNames">The name of each class, in the order of the labels.</param>
    /// <exception cref="AdjointException">The numbers of inputs and labels do not match.</exception>
    public TensorDataset(string name, Shape sampleShape, ReadOnlySpan<float> inputs, ReadOnlySpan<byte> labels,
        IReadOnlyList<string> classNames)
        : this(name, Labeled(name, sampleShape, inputs, labels), classNames) { }

    /// <inheritdoc/>
    public override int Count => tensors[0].Value.Rank > 0 ? tensors[0].Value.Shape[0] : 0;

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields { get; }

    /// <inheritdoc/>
    public override Sample this[int index]
    {
        get
        {
            RequireSample(index);
            var sample = new Sample();
            foreach (var (name, value) in tensors) sample[name] = value[index].Clone();
            return sample;
        }
    }

    /// <summary>The tensor of a field: all samples, (n, …), in the data set's own memory.</summary>
    /// <param name="field">The name of the field.</param>
    /// <returns>The tensor of that name.</returns>
    /// <exception cref="AdjointException">There is no field of that name.</exception>
    public Tensor this[string field] => tensors.FirstOrDefault(entry => entry.Name == field).Value
        ?? throw Sample.Missing($"Dataset {Name}", field, tensors.Select(entry => entry.Name));

    /// <inheritdoc/>
    public override Tensor Column(string field) => this[field].Clone();

    /// <inheritdoc/>
    public override Batch Load(params ReadOnlySpan<int> indices)
    {
        foreach (var index in indices) RequireSample(index);
        var all = new (string, Tensor)[tensors.Length];
        for (var i = 0; i < all.Length; i++) all[i] = (tensors[i].Name, RowCopy.Take(tensors[i].Value, indices));
        return new(all);
    }

    /// <inheritdoc/>
    public override Dataset Slice(string name, int start, int count)
    {
        RequireInside(start, count);
        return new TensorDataset(name, tensors.Select(entry => (entry.Name, entry.Value.Slice(0, start, count))),
            ClassNames)
        { Preprocessing = Preprocessing, Statistics = Statistics };
    }

    /// <inheritdoc/>
    public override Dataset Standardize((double[] Mean, double[] Deviation) statistics)
    {
        StandardizedDataset.Require(this, statistics);
        var all = tensors.Select(entry => (entry.Name,
            entry.Name == Field.Inputs
                ? StandardizedDataset.Apply(entry.Value, SampleShape, statistics)
                : entry.Value));
        return new TensorDataset(Name, all, ClassNames)
        {
            Preprocessing = Preprocessing,
            Statistics = StandardizedDataset.Combine(Statistics, statistics),
        };
    }

    private static (string, Tensor)[] Labeled(string name, Shape shape, ReadOnlySpan<float> inputs,
        ReadOnlySpan<byte> labels)
    {
        if ((long)labels.Length * shape.Elements != inputs.Length)
            throw new AdjointException(
                $"Dataset {name}: {labels.Length} labels and samples of {shape} need "
                + $"{(long)labels.Length * shape.Elements} numbers: found {inputs.Length}");
        var (x, y) = (Tensor.Empty([labels.Length, .. shape.Sizes], DType.Float32, Device.Cpu),
            Tensor.Empty([labels.Length], DType.Int64, Device.Cpu));
        inputs.CopyTo(x.Data<float>());
        var classes = y.Data<long>();
        for (var i = 0; i < labels.Length; i++) classes[i] = labels[i];
        return [(Field.Inputs, x), (Field.Targets, y)];
    }
}
