namespace Adjoint.Data;

/// <summary>The optional settings of a <see cref="DataLoader"/>; those left out have their defaults.</summary>
public sealed record DataLoaderOptions
{
    /// <summary>Whether each epoch has a new random order; by default samples come as the data set has them.</summary>
    public bool Shuffle { get; init; }

    /// <summary>The seed of the order and of the transforms; 0 by default.</summary>
    public ulong Seed { get; init; }

    /// <summary>Which samples a pass takes, in which order; null: as <see cref="Shuffle"/> says.</summary>
    public Sampler? Sampler { get; init; }

    /// <summary>Whether to skip a last batch with fewer samples; by default it comes, too.</summary>
    public bool DropLast { get; init; }

    /// <summary>The number of batches to prepare ahead on other threads, 0 or more; 2 by default.</summary>
    public int Prefetch { get; init; } = 2;

    /// <summary>
    /// The number of batches that are prepared at once, each on a thread of its own, 1 or more; 1 by default. What
    /// comes out does not depend on it. It pays where reading a sample costs much, as decoding a photograph does;
    /// at most <see cref="Prefetch"/> can be under way.
    /// </summary>
    public int Workers { get; init; } = 1;

    /// <summary>
    /// Random changes of each sample's <see cref="Field.Inputs"/>, applied in order; none by default.
    /// </summary>
    public IEnumerable<Transform> Transforms { get; init; } = [];

    /// <summary>Random changes of whole batches, applied in order after those of samples; none by default.</summary>
    public IEnumerable<BatchTransform> BatchTransforms { get; init; } = [];

    /// <summary>How samples become a batch; null: as the data set loads them, by default stacked.</summary>
    public Collate? Collate { get; init; }
}
