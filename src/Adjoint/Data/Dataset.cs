namespace Adjoint.Data;

/// <summary>Labelled samples in memory, all of one shape.</summary>
public sealed class Dataset
{
    private readonly float[] inputs;
    private readonly byte[] labels;

    /// <summary>Samples with their labels.</summary>
    /// <exception cref="AdjointException">The numbers of inputs and labels do not match.</exception>
    public Dataset(string name, Shape sampleShape, float[] inputs, byte[] labels, IReadOnlyList<string> classNames)
    {
        if ((long)labels.Length * sampleShape.Elements != inputs.Length)
            throw new AdjointException($"Dataset {name}: {labels.Length} labels and samples of {sampleShape} need {(long)labels.Length * sampleShape.Elements} numbers: found {inputs.Length}");
        (Name, SampleShape, this.inputs, this.labels, ClassNames) = (name, sampleShape, inputs, labels, classNames);
    }

    /// <summary>The name.</summary>
    public string Name { get; }

    /// <summary>The shape of one sample.</summary>
    public Shape SampleShape { get; }

    /// <summary>What the labels mean.</summary>
    public IReadOnlyList<string> ClassNames { get; }

    /// <summary>How many samples.</summary>
    public int Count => labels.Length;

    /// <summary>All labels.</summary>
    public ReadOnlySpan<byte> Labels => labels;

    /// <summary>The numbers of one sample.</summary>
    /// <exception cref="AdjointException">There is no such sample.</exception>
    public ReadOnlySpan<float> Sample(int index)
    {
        if ((uint)index >= (uint)Count) throw new AdjointException($"Dataset {Name}: there is no sample {index}; use 0..{Count - 1}");
        return inputs.AsSpan(index * SampleShape.Elements, SampleShape.Elements);
    }

    /// <summary>A part of the samples, copied.</summary>
    /// <exception cref="AdjointException">It is not inside.</exception>
    public Dataset Part(string name, int start, int count)
    {
        if (start < 0 || count < 0 || start > Count - count)
            throw new AdjointException($"Dataset {Name}: {count} samples from {start} on are not inside of {Count}");
        var length = SampleShape.Elements;
        return new(name, SampleShape, inputs[(start * length)..((start + count) * length)], labels[start..(start + count)], ClassNames);
    }

    /// <summary>Mean and standard deviation (of the population) of each channel, the first axis of a sample, over all samples.</summary>
    /// <exception cref="AdjointException">There are no samples.</exception>
    public (double[] Mean, double[] Deviation) ChannelStatistics()
    {
        if (Count == 0) throw new AdjointException($"Dataset {Name}: no samples, so no mean");
        var (channels, plane) = (SampleShape.Rank > 1 ? SampleShape[0] : 1, SampleShape.Rank > 1 ? SampleShape.Elements / SampleShape[0] : SampleShape.Elements);
        var (mean, deviation) = (new double[channels], new double[channels]);
        for (var channel = 0; channel < channels; channel++)
        {
            // About a first guess, so that nothing cancels.
            var (origin, sum, squares) = ((double)inputs[channel * plane], 0.0, 0.0);
            for (var i = 0; i < Count; i++)
                foreach (var value in inputs.AsSpan((i * channels + channel) * plane, plane))
                    (sum, squares) = (sum + (value - origin), squares + (value - origin) * (value - origin));
            var count = (double)Count * plane;
            mean[channel] = origin + sum / count;
            deviation[channel] = Math.Sqrt(Math.Max(0, squares / count - sum / count * (sum / count)));
        }
        return (mean, deviation);
    }

    /// <summary>Each channel minus its mean, over its deviation, copied. A deviation of 0 leaves the scale.</summary>
    public Dataset Standardize((double[] Mean, double[] Deviation) statistics)
    {
        var (channels, plane) = (statistics.Mean.Length, SampleShape.Elements / statistics.Mean.Length);
        var result = new float[inputs.Length];
        for (var row = 0; row < Count * channels; row++)
        {
            var (mean, scale) = ((float)statistics.Mean[row % channels], statistics.Deviation[row % channels] is > 0 and var deviation ? (float)(1 / deviation) : 1);
            for (var i = row * plane; i < (row + 1) * plane; i++) result[i] = (inputs[i] - mean) * scale;
        }
        return new(Name, SampleShape, result, labels, ClassNames);
    }

    /// <summary>Samples as tensors: inputs (n, …) and labels (n) int64.</summary>
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
}

/// <summary>The three parts of a data set. The test part is touched only at the very end.</summary>
/// <param name="Train">To learn from.</param>
/// <param name="Validation">To choose by.</param>
/// <param name="Test">To report, once; null where there is none.</param>
public sealed record DataSplits(Dataset Train, Dataset Validation, Dataset? Test)
{
    /// <summary>All parts with each channel minus its mean, over its standard deviation, both of the training part.</summary>
    public DataSplits Standardize()
    {
        var statistics = Train.ChannelStatistics();
        return new(Train.Standardize(statistics), Validation.Standardize(statistics), Test?.Standardize(statistics));
    }
}
