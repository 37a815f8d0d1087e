namespace Adjoint.Data;

/// <summary>A data set whose inputs are standardized as they are read.</summary>
internal sealed class StandardizedDataset : Dataset
{
    private readonly Dataset source;
    private readonly (double[] Mean, double[] Deviation) statistics;

    internal StandardizedDataset(Dataset source, (double[] Mean, double[] Deviation) statistics) : base(source.Name)
    {
        Require(source, statistics);
        (this.source, this.statistics) = (source, statistics);
    }

    /// <inheritdoc/>
    public override int Count => source.Count;

    /// <inheritdoc/>
    public override IReadOnlyList<Field> Fields => source.Fields;

    /// <inheritdoc/>
    public override IReadOnlyList<string> ClassNames => source.ClassNames;

    /// <inheritdoc/>
    public override Preprocessing? Preprocessing => source.Preprocessing;

    /// <inheritdoc/>
    public override (double[] Mean, double[] Deviation)? Statistics => Combine(source.Statistics, statistics);

    /// <inheritdoc/>
    public override Sample this[int index]
    {
        get
        {
            var sample = source[index];
            sample[Field.Inputs] = Apply(sample[Field.Inputs], sample[Field.Inputs].Shape, statistics);
            return sample;
        }
    }

    /// <inheritdoc/>
    public override Batch Load(params ReadOnlySpan<int> indices)
    {
        var batch = source.Load(indices);
        return batch.With(Field.Inputs, Apply(batch.Inputs, SampleShape, statistics));
    }

    /// <summary>Refuses statistics that do not fit a data set's inputs.</summary>
    internal static void Require(Dataset source, (double[] Mean, double[] Deviation) statistics)
    {
        var ((mean, deviation), inputs) = (statistics, source.FieldOf(Field.Inputs));
        if (inputs.DType != DType.Float32)
            throw new AdjointException(
                $"Dataset {source.Name}: inputs must be float32 to be standardized: found {inputs.DType.Label()}");
        var expected = inputs.Shape.Rank > 0 ? inputs.Shape[0] : 1;
        if (mean.Length == 0 || mean.Length != deviation.Length || mean.Length != expected && mean.Length != 1)
            throw new AdjointException(
                $"Dataset {source.Name}: samples of {inputs.Shape} take {expected} means and deviations, or one: "
                + $"found {mean.Length} and {deviation.Length}");
    }

    /// <summary>One sample, or several along a first axis, as a new tensor.</summary>
    internal static Tensor Apply(Tensor inputs, Shape sample, (double[] Mean, double[] Deviation) statistics)
    {
        var (mean, deviation) = statistics;
        var (channels, plane) = (mean.Length, sample.Elements / mean.Length);
        var result = Tensor.Empty(inputs.Shape, DType.Float32, Device.Cpu);
        var from = inputs.Contiguous();
        var values = from.Data<float>();
        var to = result.Data<float>();
        for (var row = 0; row < values.Length / Math.Max(1, plane); row++)
        {
            var channel = row % channels;
            var scale = deviation[channel] > 0 ? 1 / deviation[channel] : 1;
            for (var i = row * plane; i < (row + 1) * plane; i++)
                to[i] = (float)((values[i] - mean[channel]) * scale);
        }
        GC.KeepAlive(from);
        return result;
    }

    /// <summary>What both in turn are in one step: (x − m)/d, then (… − m′)/d′, is (x − (m + d·m′)) / (d·d′).</summary>
    internal static (double[], double[]) Combine(
        (double[] Mean, double[] Deviation)? before, (double[] Mean, double[] Deviation) second)
    {
        if (before is not { } first) return second;
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
