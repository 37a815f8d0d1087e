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

    private sealed class Stacking : Collate
    {
        public override Batch Apply(IReadOnlyList<Sample> samples)
        {
            var fields = samples[0].Select(entry => (entry.Name, All: Column(samples, entry.Name))).ToArray();
            foreach (var sample in samples)
                if (sample.Count() != fields.Length)
                    throw new AdjointException(
                        $"Collate: every sample must have the same fields: found {Names(samples[0])} and "
                        + $"{Names(sample)}");
            return new(fields.Select(field => (field.Name, RowCopy.Stack(field.Name, field.All))));
        }

        private static Tensor[] Column(IReadOnlyList<Sample> samples, string name) =>
            [.. samples.Select(sample => sample[name])];

        private static string Names(Sample sample) => string.Join(", ", sample.Select(entry => entry.Name));
    }
}
