namespace Adjoint.Training;

/// <summary>Outputs, targets and weights of a batch on the host, checked, as float64.</summary>
internal static class MetricInputs
{
    // The elements that are converted at a time: a batch of a language model has hundreds of megabytes of logits.
    private const int ChunkLength = 1 << 20;

    /// <summary>The elements in row-major order.</summary>
    internal static double[] Doubles(Tensor tensor)
    {
        using var recording = new NoGrad();
        return tensor.To(DType.Float64).ToArray<double>();
    }

    /// <summary>Ranges of samples of a bounded number of elements each.</summary>
    internal static IEnumerable<(int Start, int Count)> Chunks(Tensor tensor)
    {
        var samples = tensor.Shape[0];
        var step = Math.Max(1, ChunkLength / Math.Max(1, tensor.Length / Math.Max(1, samples)));
        for (var start = 0; start < samples; start += Math.Min(step, samples - start))
            yield return (start, Math.Min(step, samples - start));
    }

    /// <summary>The samples of a range.</summary>
    internal static double[] Doubles(Tensor tensor, (int Start, int Count) chunk) =>
        Doubles(chunk.Count == tensor.Shape[0] ? tensor : tensor.Slice(0, chunk.Start, chunk.Count));

    /// <summary>
    /// A weight for each element: one per sample counts for all elements of the sample.
    /// </summary>
    /// <exception cref="AdjointException">The shape is of neither; a weight is negative or not finite.</exception>
    internal static double[]? Weights(string metric, Tensor? weights, int samples, Shape elements)
    {
        if (weights is null) return null;
        if (weights.Shape != elements && weights.Shape != (Shape)(int[])[samples])
        {
            var each = elements.Rank == 1 ? "" : $" or {elements}";
            throw new AdjointException(
                $"{metric}: weights ({samples},){each} are needed: found {weights.Shape}; use .Reshape(…)");
        }
        var values = Doubles(weights);
        for (var i = 0; i < values.Length; i++)
            if (!(values[i] >= 0 && double.IsFinite(values[i])))
                throw new AdjointException($"{metric}: weights must be finite and 0 or more: found {values[i]} at "
                    + $"position {i}; use 0 for samples to leave out");
        if (values.Length == elements.Elements) return values;
        var repeated = new double[elements.Elements];
        for (var i = 0; i < repeated.Length; i++) repeated[i] = values[i / (repeated.Length / samples)];
        return repeated;
    }
}
