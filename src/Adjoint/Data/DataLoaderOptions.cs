namespace Adjoint.Data;

/// <summary>The optional settings of a <see cref="DataLoader"/>; those left out have their defaults.</summary>
public sealed record DataLoaderOptions
{
    /// <summary>Whether each epoch has a new random order; by default samples come as the data set has them.</summary>
    public bool Shuffle { get; init; }

    /// <summary>The seed of the order and of the transforms; 0 by default.</summary>
    public ulong Seed { get; init; }

    /// <summary>Whether to skip a last batch with fewer samples; by default it comes, too.</summary>
    public bool DropLast { get; init; }

    /// <summary>The number of batches to prepare ahead on another thread, 0 or more; 2 by default.</summary>
    public int Prefetch { get; init; } = 2;

    /// <summary>Random changes of the samples, applied in order; none by default.</summary>
    public IEnumerable<Transform> Transforms { get; init; } = [];
}
