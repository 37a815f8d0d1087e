namespace Adjoint.Data;

/// <summary>
/// Samples by position, each of named tensors. To write one, derive and override <see cref="Count"/> and
/// <see cref="this[int]"/>: see <c>samples/own-dataset.cs</c>. Tensors that are in memory already make a
/// <see cref="TensorDataset"/>.
/// </summary>
public abstract class Dataset
{
    // Read at once, so that statistics of any data set need bounded memory.
    private const int ChunkLength = 1000;
    private IReadOnlyList<Field>? fields;

    /// <summary>Creates a data set.</summary>
    /// <param name="name">The name, for messages and reports.</param>
    protected Dataset(string name) => Name = name;

    /// <summary>The name of the data set.</summary>
    public string Name { get; }

    /// <summary>The number of samples.</summary>
    public abstract int Count { get; }

    /// <summary>
    /// One sample. Loaders read several at once on background threads, so it must be safe to be called on any.
    /// </summary>
    /// <param name="index">The position of the sample, from 0 on.</param>
    /// <returns>The sample's tensors by name, all samples with the same names in the same order.</returns>
    /// <exception cref="AdjointException">There is no sample at that position.</exception>
    public abstract Sample this[int index] { get; }

    /// <summary>
    /// Names, shapes and element types of the samples. By default those of sample 0; override it where sizes differ, or
    /// where the data set may be empty.
    /// </summary>
    /// <exception cref="AdjointException">There is no sample to ask.</exception>
    public virtual IReadOnlyList<Field> Fields => fields ??= Count > 0
        ? [.. this[0].Select(entry => new Field(entry.Name, entry.Value.Shape, entry.Value.DType))]
        : throw new AdjointException(
            $"Dataset {Name}: no samples, so their fields are not known; override Fields to name them");

    /// <summary>The names of the target's classes, in the order of their labels; empty where it has none.</summary>
    public virtual IReadOnlyList<string> ClassNames { get; init; } = [];

    /// <summary>
    /// The means and standard deviations by which the samples were standardized, so that a model's later inputs can be
    /// too (see <c>Nn.Standardize</c>); null where they were not.
    /// </summary>
    public virtual (double[] Mean, double[] Deviation)? Statistics { get; init; }

    /// <summary>How raw data became these tensors; null where nothing is known of it.</summary>
    public virtual Preprocessing? Preprocessing { get; init; }

    /// <summary>The shape of one sample's <see cref="Field.Inputs"/>.</summary>
    /// <exception cref="AdjointException">There is no such field.</exception>
    public Shape SampleShape => FieldOf(Field.Inputs).Shape;

    /// <summary>A field by its name.</summary>
    /// <param name="name">The name of the field.</param>
    /// <returns>Its name, shape and element type.</returns>
    /// <exception cref="AdjointException">There is no field of that name.</exception>
    public Field FieldOf(string name) => Fields.FirstOrDefault(field => field.Name == name)
        ?? throw Sample.Missing($"Dataset {Name}", name, Fields.Select(field => field.Name));

    /// <summary>
    /// Loads samples as a batch. By default each is read by <see cref="this[int]"/> and they are stacked; override it
    /// where a batch can be read faster. Called on background threads.
    /// </summary>
    /// <param name="indices">The positions of the samples, from 0 on; n of them.</param>
    /// <returns>Tensors (n, …) by name.</returns>
    /// <exception cref="AdjointException">There is no sample at one of the positions, or shapes differ.</exception>
    public virtual Batch Load(params ReadOnlySpan<int> indices)
    {
        if (indices.Length == 0)
            return new(Fields.Select(field =>
                (field.Name, Tensor.Empty([0, .. field.Shape.Sizes], field.DType, Device.Cpu))));
        var samples = new Sample[indices.Length];
        for (var i = 0; i < samples.Length; i++) samples[i] = Read(indices[i]);
        return Collate.Stack.Apply(samples);
    }

    /// <summary>
    /// One sample that knows its position. What the data set throws goes on as it is, with the position among its data.
    /// </summary>
    internal Sample Read(int index)
    {
        try
        {
            var sample = this[index]
                ?? throw new AdjointException($"Dataset {Name}: sample {index} is null; return a sample");
            sample.Position = index;
            return sample;
        }
        catch (Exception error) when (Mark(error))
        {
            throw;
        }

        // Of several data sets, one over the other, the innermost knows best.
        bool Mark(Exception error)
        {
            if (!error.Data.Contains(DataLoader.SampleKey)) error.Data[DataLoader.SampleKey] = $"{Name}[{index}]";
            return false;
        }
    }

    /// <summary>
    /// The values of one field of all samples. By default each sample is read; override it where a field can be read
    /// without the others, as labels can without decoding images.
    /// </summary>
    /// <param name="field">The name of the field.</param>
    /// <returns>A tensor (n, …), n being <see cref="Count"/>.</returns>
    /// <exception cref="AdjointException">There is no field of that name, or shapes differ.</exception>
    public virtual Tensor Column(string field)
    {
        FieldOf(field);
        var values = new Tensor[Count];
        for (var i = 0; i < values.Length; i++) values[i] = Read(i)[field];
        return Count > 0 ? RowCopy.Stack(field, values) : Load()[field];
    }

    /// <summary>Splits into parts by fractions, at random or by a field; nothing is copied.</summary>
    /// <param name="validation">The fraction for validation, above 0.</param>
    /// <param name="test">The fraction for the test; 0: no test part.</param>
    /// <param name="options">Seed, and the field to stratify by, to group by, or of time; null: at random.</param>
    /// <returns>The parts; in each, the samples have the order that they have here.</returns>
    /// <exception cref="AdjointException">
    /// A part would be empty, there is no such field, or a class has one sample alone.
    /// </exception>
    public DataSplits Split(double validation, double test = 0, SplitOptions? options = null) =>
        Split(SplitIndices.CountOf(Count, validation, "validation"),
            SplitIndices.CountOf(Count, test, "test"), options);

    /// <summary>Splits into parts of given sizes, at random or by a field; nothing is copied.</summary>
    /// <param name="validation">The number of validation samples, 1 or more.</param>
    /// <param name="test">The number of test samples; 0: no test part.</param>
    /// <param name="options">Seed, and the field to stratify by, to group by, or of time; null: at random.</param>
    /// <returns>The parts; in each, the samples have the order that they have here.</returns>
    /// <exception cref="AdjointException">
    /// A part would be empty, there is no such field, or a class has one sample alone.
    /// </exception>
    public DataSplits Split(int validation, int test = 0, SplitOptions? options = null)
    {
        var indices = FieldSplit.Choose(this, validation, test, options ?? new());
        Subset Part(string name, IReadOnlyList<int> samples) => new($"{Name}, {name}", this, [.. samples]);
        return new(Part("training", indices.Train), Part("validation", indices.Validation),
            indices.Test.Count > 0 ? Part("test", indices.Test) : null);
    }

    /// <summary>Changes each sample by a function whenever it is read; nothing is kept.</summary>
    /// <param name="map">
    /// Gives the sample that takes the place of one, which it may change and return. Called on background threads, so
    /// it must be safe on any; chance belongs into a <see cref="Transform"/>, which a run can repeat.
    /// </param>
    /// <returns>
    /// The new data set. Its fields are those of what <paramref name="map"/> makes of sample 0; it keeps the class
    /// names, but no preprocessing, which would not describe what the function does.
    /// </returns>
    public virtual Dataset Map(Func<Sample, Sample> map) =>
        new MapDataset(Name, this, map) { ClassNames = ClassNames };

    /// <summary>Takes some samples as a data set of their own; nothing is copied.</summary>
    /// <param name="indices">Their positions, from 0 on; one may come several times.</param>
    /// <returns>The new data set.</returns>
    /// <exception cref="AdjointException">There is no sample at one of the positions.</exception>
    public Subset Subset(params ReadOnlySpan<int> indices) => new(Name, this, indices);

    /// <summary>Appends the samples of other data sets; nothing is copied.</summary>
    /// <param name="others">The data sets, with the same fields in the same order.</param>
    /// <returns>The new data set.</returns>
    /// <exception cref="AdjointException">They differ in their fields or classes.</exception>
    public ConcatDataset Concat(params IEnumerable<Dataset> others) => new(Name, [this, .. others]);

    /// <summary>Takes consecutive samples as a data set of their own.</summary>
    /// <param name="name">The name of the new data set.</param>
    /// <param name="start">The first sample, from 0 on.</param>
    /// <param name="count">The number of samples, 0 or more.</param>
    /// <returns>The new data set.</returns>
    /// <exception cref="AdjointException">The samples are not all inside this one.</exception>
    public virtual Dataset Slice(string name, int start, int count)
    {
        RequireInside(start, count);
        return new Data.Subset(name, this, [.. Enumerable.Range(start, count)]);
    }

    /// <summary>
    /// Mean and standard deviation (of the population) of each column of vectors, or of each channel, the first axis,
    /// of images and other inputs with several axes; over all samples, in two passes.
    /// </summary>
    /// <returns>One mean and one deviation per column or channel.</returns>
    /// <exception cref="AdjointException">
    /// There are no samples, one holds NaN or infinity, or the inputs are not float32.
    /// </exception>
    public (double[] Mean, double[] Deviation) ChannelStatistics()
    {
        if (Count == 0) throw new AdjointException($"Dataset {Name}: no samples, so no mean");
        var channels = SampleShape.Rank > 0 ? SampleShape[0] : 1;
        var plane = SampleShape.Elements / channels;
        // About the first value of each, so that nothing cancels.
        var (bad, values) = (-1, Load(0).Inputs.ToArray<float>());
        var first = Enumerable.Range(0, channels).Select(channel => (double)values[channel * plane]).ToArray();
        var mean = Average(first, value => value);
        for (var channel = 0; channel < channels; channel++) mean[channel] += first[channel];
        var deviation = Average(mean, value => value * value);
        for (var channel = 0; channel < channels; channel++) deviation[channel] = Math.Sqrt(deviation[channel]);
        if (Array.FindIndex(deviation, value => !double.IsFinite(value)) is >= 0 and var column)
            throw new AdjointException(
                $"Dataset {Name}: column or channel {column} holds NaN or infinity (the first is in sample {bad}), so "
                + "it has no mean; leave such samples out, or put numbers there");
        return (mean, deviation);

        double[] Average(double[] about, Func<double, double> term)
        {
            var sums = new double[channels];
            for (var start = 0; start < Count; start += ChunkLength)
            {
                var inputs = Load([.. Enumerable.Range(start, Math.Min(ChunkLength, Count - start))]).Inputs;
                var chunk = inputs.Data<float>();
                for (var row = 0; row < chunk.Length / Math.Max(1, plane); row++)
                {
                    var (channel, sum) = (row % channels, 0.0);
                    foreach (var value in chunk.Slice(row * plane, plane)) sum += term(value - about[channel]);
                    sums[channel] += sum;
                    if (bad < 0 && !double.IsFinite(sum)) bad = start + row / channels;
                }
                GC.KeepAlive(inputs);
            }
            for (var channel = 0; channel < channels; channel++) sums[channel] /= (double)Count * plane;
            return sums;
        }
    }

    /// <summary>Standardizes each column of vectors, or each channel: minus its mean, over its deviation.</summary>
    /// <param name="statistics">
    /// Means and standard deviations, one per column or channel, or one for all; a deviation of 0 leaves the scale.
    /// </param>
    /// <returns>A new data set, which keeps the statistics.</returns>
    /// <exception cref="AdjointException">The numbers of means, deviations and columns do not match.</exception>
    public virtual Dataset Standardize((double[] Mean, double[] Deviation) statistics) =>
        new StandardizedDataset(this, statistics);

    /// <summary>Refuses a position outside.</summary>
    internal void RequireSample(int index)
    {
        if ((uint)index >= (uint)Count)
            throw new AdjointException($"Dataset {Name}: there is no sample {index}; use 0..{Count - 1}");
    }

    /// <summary>Refuses a part that is not inside.</summary>
    internal void RequireInside(int start, int count)
    {
        if (start < 0 || count < 0 || start > Count - count)
            throw new AdjointException($"Dataset {Name}: {count} samples from {start} on are not inside of {Count}");
    }
}
