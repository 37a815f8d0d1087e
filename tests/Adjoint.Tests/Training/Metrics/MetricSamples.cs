namespace Adjoint.Tests.Training;

/// <summary>What a row of <see cref="MetricCases"/> is measured on.</summary>
internal enum MetricKind { Classes, Soft, Binary, Labels, Values }

/// <summary>Samples as plain numbers; tensors are made of them in one place.</summary>
/// <param name="Kind">Their kind.</param>
/// <param name="Outputs">A row of logits, or values, for each sample.</param>
/// <param name="Targets">A class, a truth value, or one per output.</param>
/// <param name="Weights">One for each sample; null: 1.</param>
internal sealed record MetricSamples(MetricKind Kind, double[][] Outputs, double[][] Targets, double[]? Weights = null)
{
    internal int Count => Outputs.Length;

    internal double Weight(int i) => Weights?[i] ?? 1;

    /// <summary>Random ones with many ties: logits are multiples of ½.</summary>
    internal static MetricSamples Random(MetricKind kind, int count, int width, bool weighted, int seed)
    {
        var random = new Random(seed);
        double Half() => random.Next(-6, 7) / 2.0;
        double[] Row(Func<double> next, int size) => [.. Enumerable.Range(0, size).Select(_ => next())];
        double[] Target() => kind switch
        {
            MetricKind.Classes => [random.Next(width)],
            MetricKind.Soft => [.. MetricReference.Softmax(Row(Half, width)).Select(p => (double)(float)p)],
            MetricKind.Binary => [random.Next(2)],
            MetricKind.Labels => Row(() => random.Next(3) / 2.0, width),
            _ => Row(() => 100 + Half(), width),
        };
        var outputs = Enumerable.Range(0, count).Select(_ =>
            Row(kind == MetricKind.Values ? () => 100 + Half() : Half, kind == MetricKind.Binary ? 1 : width))
                .ToArray();
        return new(kind, outputs, [.. outputs.Select(_ => Target())],
            weighted ? [.. outputs.Select(_ => (double)random.Next(0, 4))] : null);
    }

    /// <summary>Some of the samples, in the given order.</summary>
    internal MetricSamples Pick(IEnumerable<int> indices)
    {
        var all = indices.ToArray();
        return new(Kind, [.. all.Select(i => Outputs[i])], [.. all.Select(i => Targets[i])],
            Weights is null ? null : [.. all.Select(i => Weights[i])]);
    }

    internal Tensor OutputTensor(DType type = DType.Float64) => Of(Outputs, Kind == MetricKind.Binary).To(type);

    internal Tensor TargetTensor() => Kind switch
    {
        MetricKind.Classes => Of(Targets, isFlat: true).To(DType.Int64),
        MetricKind.Binary => Of(Targets, isFlat: true).To(DType.Bool),
        _ => Of(Targets, isFlat: false),
    };

    internal Tensor? WeightTensor() => Weights is null ? null : Tensor.From(Weights).To(DType.Float32);

    private static Tensor Of(double[][] rows, bool isFlat)
    {
        double[] flat = [.. rows.SelectMany(row => row)];
        return isFlat ? Tensor.From(flat) : Tensor.From(flat, rows.Length, flat.Length / Math.Max(1, rows.Length));
    }
}
