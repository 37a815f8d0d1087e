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
    public ReadOnlySpan<float> Sample(int index) => inputs.AsSpan(index * SampleShape.Elements, SampleShape.Elements);

    /// <summary>A part of the samples, copied.</summary>
    public Dataset Part(string name, int start, int count) =>
        new(name, SampleShape, inputs[(start * SampleShape.Elements)..((start + count) * SampleShape.Elements)], labels[start..(start + count)], ClassNames);

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
public sealed record DataSplits(Dataset Train, Dataset Validation, Dataset? Test);
