namespace Adjoint.Data;

/// <summary>Labeled samples in memory, all of one shape.</summary>
public sealed class Dataset
{
    private readonly float[] inputs;
    private readonly byte[] labels;

    /// <summary>Creates a data set from samples and their labels.</summary>
    /// <param name="name">The name, for messages and reports.</param>
    /// <param name="sampleShape">The shape of one sample, such as (1, 28, 28).</param>
    /// <param name="inputs">The samples' values, one sample after another, row-major.</param>
    /// <param name="labels">The class of each sample, from 0 on.</param>
    /// <param name="classNames">The name of each class, in the order of the labels.</param>
    /// <exception cref="AdjointException">The numbers of inputs and labels do not match.</exception>
    public Dataset(string name, Shape sampleShape, float[] inputs, byte[] labels, IReadOnlyList<string> classNames)
    {
        if ((long)labels.Length * sampleShape.Elements != inputs.Length)
            throw new AdjointException(
                $"Dataset {name}: {labels.Length} labels and samples of {sampleShape} need " +
                $"{(long)labels.Length * sampleShape.Elements} numbers: found {inputs.Length}");
        (Name, SampleShape, this.inputs, this.labels, ClassNames) = (name, sampleShape, inputs, labels, classNames);
    }

    /// <summary>The name of the data set.</summary>
    public string Name { get; }

    /// <summary>The shape of one sample.</summary>
    public Shape SampleShape { get; }

    /// <summary>The name of each class, in the order of the labels.</summary>
    public IReadOnlyList<string> ClassNames { get; }

    /// <summary>The number of samples.</summary>
    public int Count => labels.Length;

    /// <summary>The label of each sample.</summary>
    public ReadOnlySpan<byte> Labels => labels;

    /// <summary>The values of one sample, row-major.</summary>
    /// <param name="index">The position of the sample, from 0 on.</param>
    /// <returns>The values, in the data set's own memory.</returns>
    /// <exception cref="AdjointException">There is no sample at that position.</exception>
    public ReadOnlySpan<float> Sample(int index)
    {
        if ((uint)index >= (uint)Count)
            throw new AdjointException($"Dataset {Name}: there is no sample {index}; use 0..{Count - 1}");
        return inputs.AsSpan(index * SampleShape.Elements, SampleShape.Elements);
    }

    /// <summary>
    /// The means and standard deviations by which the samples were standardized, so that a model's later inputs can be
    /// too (see <c>Nn.Standardize</c>); null where they were not.
    /// </summary>
    public (double[] Mean, double[] Deviation)? Statistics { get; private init; }

    /// <summary>Copies consecutive samples into a data set of their own.</summary>
    /// <param name="name">The name of the new data set.</param>
    /// <param name="start">The first sample, from 0 on.</param>
    /// <param name="count">The number of samples, 0 or more.</param>
    /// <returns>The new data set.</returns>
    /// <exception cref="AdjointException">The samples are not all inside this one.</exception>
    public Dataset Slice(string name, int start, int count)
    {
        if (start < 0 || count < 0 || start > Count - count)
            throw new AdjointException($"Dataset {Name}: {count} samples from {start} on are not inside of {Count}");
        var length = SampleShape.Elements;
        var own = inputs[(start * length)..((start + count) * length)];
        return new(name, SampleShape, own, labels[start..(start + count)], ClassNames) { Statistics = Statistics };
    }

    /// <summary>
    /// Mean and standard deviation (of the population) of each column of vectors, or of each channel, the first axis,
    /// of images and other samples with several axes; over all samples.
    /// </summary>
    /// <returns>One mean and one deviation per column or channel.</returns>
    /// <exception cref="AdjointException">There are no samples, or one holds NaN or infinity.</exception>
    public (double[] Mean, double[] Deviation) ChannelStatistics()
    {
        if (inputs.Length == 0) throw new AdjointException($"Dataset {Name}: no samples, so no mean");
        var channels = SampleShape.Rank > 0 ? SampleShape[0] : 1;
        var plane = SampleShape.Elements / channels;
        // About the first value of each, so that nothing cancels.
        var first = Enumerable.Range(0, channels).Select(channel => (double)inputs[channel * plane]).ToArray();
        var mean = Average(first, value => value);
        for (var channel = 0; channel < channels; channel++) mean[channel] += first[channel];
        var deviation = Average(mean, value => value * value);
        for (var channel = 0; channel < channels; channel++) deviation[channel] = Math.Sqrt(deviation[channel]);
        if (Array.FindIndex(deviation, value => !double.IsFinite(value)) is >= 0 and var bad)
        {
            var sample = Array.FindIndex(inputs, value => !float.IsFinite(value)) / SampleShape.Elements;
            throw new AdjointException(
                $"Dataset {Name}: column or channel {bad} holds NaN or infinity (the first is in sample {sample}), so "
                + "it has no mean; leave such samples out, or put numbers there");
        }
        return (mean, deviation);

        double[] Average(double[] about, Func<double, double> term)
        {
            var sums = new double[channels];
            for (var row = 0; row < Count * channels; row++)
            {
                var (channel, sum) = (row % channels, 0.0);
                foreach (var value in inputs.AsSpan(row * plane, plane)) sum += term(value - about[channel]);
                sums[channel] += sum;
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
    public Dataset Standardize((double[] Mean, double[] Deviation) statistics)
    {
        var (mean, deviation) = statistics;
        var expected = SampleShape.Rank > 0 ? SampleShape[0] : 1;
        if (mean.Length == 0 || mean.Length != deviation.Length || mean.Length != expected && mean.Length != 1)
            throw new AdjointException(
                $"Dataset {Name}: samples of {SampleShape} take {expected} means and deviations, or one: "
                + $"found {mean.Length} and {deviation.Length}");
        var (channels, plane) = (mean.Length, SampleShape.Elements / mean.Length);
        var result = new float[inputs.Length];
        for (var row = 0; row < inputs.Length / Math.Max(1, plane); row++)
        {
            var channel = row % channels;
            var scale = deviation[channel] > 0 ? 1 / deviation[channel] : 1;
            for (var i = row * plane; i < (row + 1) * plane; i++)
                result[i] = (float)((inputs[i] - mean[channel]) * scale);
        }
        return new(Name, SampleShape, result, labels, ClassNames)
        {
            Statistics = Statistics is { } before ? Combine(before, statistics) : statistics,
        };
    }

    /// <summary>Copies samples into tensors.</summary>
    /// <param name="indices">The positions of the samples, from 0 on; n of them.</param>
    /// <returns>The inputs (n, …), float32, and the labels (n), int64.</returns>
    /// <exception cref="AdjointException">There is no sample at one of the positions.</exception>
    public (Tensor Inputs, Tensor Labels) Batch(ReadOnlySpan<int> indices)
    {
        int[] shape = [indices.Length, .. SampleShape.Sizes];
        var (x, y) = (Tensor.Empty(shape), Tensor.Empty((int[])[indices.Length], DType.Int64));
        var to = x.Data<float>();
        var classes = y.Data<long>();
        for (var i = 0; i < indices.Length; i++)
        {
            Sample(indices[i]).CopyTo(to[(i * SampleShape.Elements)..]);
            classes[i] = labels[indices[i]];
        }
        return (x, y);
    }

    // (x − m)/d and then (… − m′)/d′ is (x − (m + d·m′)) / (d·d′).
    private static (double[], double[]) Combine(
        (double[] Mean, double[] Deviation) first, (double[] Mean, double[] Deviation) second)
    {
        var (mean, deviation) = (new double[Math.Max(first.Mean.Length, second.Mean.Length)], new List<double>());
        for (var i = 0; i < mean.Length; i++)
        {
            mean[i] = At(first.Mean, i) + Scale(first.Deviation, i) * At(second.Mean, i);
            deviation.Add(Scale(first.Deviation, i) * Scale(second.Deviation, i));
        }
        return (mean, [.. deviation]);

        static double At(double[] values, int i) => values[values.Length == 1 ? 0 : i];
        static double Scale(double[] deviations, int i) => At(deviations, i) is > 0 and var deviation ? deviation : 1;
    }
}

/// <summary>The three splits of a data set. The test split is used only at the very end.</summary>
/// <param name="Train">The samples to learn from.</param>
/// <param name="Validation">The samples to choose settings by.</param>
/// <param name="Test">The samples for the final measure; null where there are none.</param>
public sealed record DataSplits(Dataset Train, Dataset Validation, Dataset? Test)
{
    /// <summary>
    /// Standardizes all splits by the statistics of the training split: each column of vectors, or each channel of
    /// images, minus its mean, over its standard deviation.
    /// </summary>
    /// <returns>The new splits.</returns>
    /// <exception cref="AdjointException">There are no training samples, or one holds NaN or infinity.</exception>
    public DataSplits Standardize() => Standardize(Train.ChannelStatistics());

    /// <summary>Standardizes all splits by given statistics, such as those of a model file.</summary>
    /// <param name="statistics">Means and standard deviations, one per column or channel, or one for all.</param>
    /// <returns>The new splits.</returns>
    /// <exception cref="AdjointException">The numbers of means, deviations and columns do not match.</exception>
    public DataSplits Standardize((double[] Mean, double[] Deviation) statistics) =>
        new(Train.Standardize(statistics), Validation.Standardize(statistics), Test?.Standardize(statistics));
}
