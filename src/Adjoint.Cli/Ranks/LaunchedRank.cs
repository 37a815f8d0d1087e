using System.Globalization;

namespace Adjoint.Cli;

/// <summary>
/// Which rank this process is, as its environment tells before MPI is open: for messages until then, and to know
/// whether there will be a world at all.
/// </summary>
/// <param name="Rank">Its number, from 0 on.</param>
/// <param name="Size">How many there are.</param>
/// <param name="IsSlurm">Whether srun started them.</param>
internal sealed record LaunchedRank(int Rank, int Size, bool IsSlurm)
{
    /// <summary>What the tool sets for the ranks that it starts itself (<see cref="Launcher"/>).</summary>
    internal const string LaunchedVariable = "ADJOINT_LAUNCHED";

    // How long others leave the word to rank 0, which says what is wrong with all of them; then they are killed.
    private static readonly TimeSpan Courtesy = TimeSpan.FromSeconds(3);

    /// <summary>This process; null where it is alone.</summary>
    internal static LaunchedRank? Find() => Find(Environment.GetEnvironmentVariable);

    /// <summary>As <see cref="Find()"/>, of another environment.</summary>
    internal static LaunchedRank? Find(Func<string, string?> variable)
    {
        var isSlurm = variable("SLURM_STEP_NUM_TASKS") is not null;
        (string Rank, string Size)[] names =
        [
            ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"), ("PMI_RANK", "PMI_SIZE"),
            ("SLURM_PROCID", "SLURM_STEP_NUM_TASKS"),
        ];
        foreach (var (rank, size) in names)
            if (Number(variable(rank)) is { } number && Number(variable(size)) is { } count)
                return count > 1 ? new(number, count, isSlurm) : null;
        return null;
    }

    /// <summary>Whether <c>adjoint train --ranks</c> started this process, and reads what it writes.</summary>
    internal static bool HasLauncher => Environment.GetEnvironmentVariable(LaunchedVariable) is { Length: > 0 };

    /// <summary>Says what is wrong here, before there is a world in which to agree who says it.</summary>
    internal void Say(TextWriter error, string problem)
    {
        if (Rank > 0) Thread.Sleep(Courtesy);
        error.WriteLine($"adjoint: {(Rank > 0 ? $"rank {Rank} on {Environment.MachineName}: " : "")}{problem}");
    }

    private static int? Number(string? text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}
