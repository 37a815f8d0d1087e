namespace Adjoint.Data;

/// <summary>Makes a batch of samples. The default stacks them: all samples of a field have one shape.</summary>
public abstract class Collate
{
    /// <summary>Stacks the samples of each field along a new first axis.</summary>
    public static Collate Stack { get; } = new Stacking();

    /// <summary>Makes a batch. It is called on background threads, several at once.</summary>
    /// <param name="samples">The samples, at least one, all with the same fields.</param>
    /// <returns>The batch, of as many samples.</returns>
    public abstract Batch Apply(IReadOnlyList<Sample> samples);

    /// <summary>The tensors of each field.</summary>
    /// <exception cref="AdjointException">Samples have different fields.</exception>
    internal static (string Name, Tensor[] Values)[] Columns(IReadOnlyList<Sample> samples)
    {
        var names = samples[0].Select(entry => entry.Name).ToArray();
        for (var i = 1; i < samples.Count; i++)
            if (samples[i].Count() != names.Length || !names.All(samples[i].Has))
                throw new AdjointException(
                    $"Collate: every sample must have the same fields: found "
                    + $"{string.Join(", ", samples[i].Select(entry => entry.Name))} ({samples[i].Place(i)}), expected "
                    + $"{string.Join(", ", names)} ({samples[0].Place(0)}); give them the same names");
        return [.. names.Select(name => (name, samples.Select(sample => sample[name]).ToArray()))];
    }

    private sealed class Stacking : Collate
    {
        public override Batch Apply(IReadOnlyList<Sample> samples) =>
            new(Columns(samples).Select(column => (column.Name, RowCopy.Stack(column.Name, column.Values, samples))));
    }
}
