namespace Adjoint.Training;

/// <summary>How <see cref="DataParallel"/> divides the work.</summary>
public sealed record DataParallelOptions
{
    /// <summary>
    /// The number of logical shards of each batch, from that of the ranks to the batch size. It decides the bits of the
    /// result, the number of ranks does not: so a run can go on with more or fewer ranks. Each rank computes its shards
    /// one after the other: with many of them, small matrices. Null, the default: 1 in a world of one, and otherwise 12
    /// (which 1, 2, 3, 4, 6 and 12 ranks share evenly), or one for each rank if there are more, and never more than a
    /// batch has samples.
    /// </summary>
    public int? Shards { get; init; }

    /// <summary>
    /// About how many bytes of gradients are sent together, while others are still being computed; 4 MiB by default.
    /// </summary>
    /// <exception cref="AdjointException">The number is not positive.</exception>
    public long BucketBytes
    {
        get;
        init => field = value > 0
            ? value
            : throw new AdjointException($"DataParallel: BucketBytes must be positive: found {value}");
    } = 4 << 20;

    /// <summary>
    /// Whether each rank keeps the optimizer's state of some parameters alone, updates these, and sends them to the
    /// others (ZeRO stage 1, Rajbhandari et al. 2020): the same bits with about a share 1/N of the memory for states.
    /// Callbacks then see the gradients of these parameters alone, unless the norm of all is limited.
    /// </summary>
    public bool ShardOptimizer { get; init; }

    /// <summary>
    /// What else must be the same on all ranks, by name, such as the settings of a program: a run whose ranks differ is
    /// refused when it begins.
    /// </summary>
    public IReadOnlyList<(string Name, string Value)> Facts { get; init; } = [];
}
