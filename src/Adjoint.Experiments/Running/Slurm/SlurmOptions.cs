namespace Adjoint.Experiments;

/// <summary>What a sweep asks of Slurm.</summary>
/// <param name="Worker">The command line of a worker: the program, then its arguments.</param>
public sealed record SlurmOptions(IReadOnlyList<string> Worker)
{
    /// <summary>The partition; null for the cluster's default.</summary>
    public string? Partition { get; init; }

    /// <summary>
    /// The time limit of a worker, as <c>sbatch --time</c> takes it; null for the partition's default.
    /// </summary>
    public string? Time { get; init; }

    /// <summary>How many workers run at once, at most; null for as many as Slurm lets.</summary>
    public int? MaxJobs { get; init; }

    /// <summary>How many ranks a worker has, which <see cref="Mpirun"/> starts; null for one process.</summary>
    public int? Ranks { get; init; }

    /// <summary>The command that starts ranks, with its options, as a shell takes it.</summary>
    public string Mpirun { get; init; } = "mpirun";

    /// <summary>Options of <c>sbatch</c> that are passed on as they are.</summary>
    public IReadOnlyList<string> Others { get; init; } = [];

    /// <summary>Whether to end when the jobs are submitted.</summary>
    public bool NoWait { get; init; }
}
