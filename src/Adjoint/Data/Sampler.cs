using System.Collections;

namespace Adjoint.Data;

/// <summary>
/// Which samples a pass takes, in which order. The order must depend on the epoch, and on what the sampler was made
/// with, alone: so a run that is resumed goes on with the same samples.
/// </summary>
public abstract class Sampler
{
    /// <summary>The number of samples in a pass.</summary>
    public abstract int Count { get; }

    /// <summary>The samples of a pass, as positions in the data set.</summary>
    /// <param name="epoch">The number of the pass, from 0.</param>
    /// <returns><see cref="Count"/> positions; one may come several times.</returns>
    public abstract IReadOnlyList<int> Order(int epoch);

    internal static int RequireCount(string who, int count) => count >= 0
        ? count
        : throw new AdjointException($"{who}: the number of samples must not be negative: found {count}");
}

/// <summary>All samples in the order of the data set, in every pass.</summary>
/// <param name="count">The number of samples of the data set, 0 or more.</param>
/// <exception cref="AdjointException">The number is negative.</exception>
public sealed class SequentialSampler(int count) : Sampler
{
    /// <inheritdoc/>
    public override int Count { get; } = RequireCount(nameof(SequentialSampler), count);

    /// <inheritdoc/>
    public override IReadOnlyList<int> Order(int epoch) => new Ascending(Count);

    private sealed class Ascending(int count) : IReadOnlyList<int>
    {
        public int Count => count;

        public int this[int index] => index;

        public IEnumerator<int> GetEnumerator() => Enumerable.Range(0, count).GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }
}

/// <summary>All samples, each once, in a new random order in every pass.</summary>
/// <param name="count">The number of samples of the data set, 0 or more.</param>
/// <param name="seed">The seed of the orders.</param>
/// <exception cref="AdjointException">The number is negative.</exception>
public sealed class RandomSampler(int count, ulong seed = 0) : Sampler
{
    /// <inheritdoc/>
    public override int Count { get; } = RequireCount(nameof(RandomSampler), count);

    /// <inheritdoc/>
    public override IReadOnlyList<int> Order(int epoch) => new Generator(seed, (ulong)epoch).Permutation(Count);
}
