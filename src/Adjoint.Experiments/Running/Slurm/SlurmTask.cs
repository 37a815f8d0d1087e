using System.Globalization;

namespace Adjoint.Experiments;

/// <summary>A task of a job array, as <c>squeue</c> tells it.</summary>
/// <param name="Job">The number of the array.</param>
/// <param name="Index">The number of the task in it.</param>
/// <param name="State">The state in a word, such as <c>PENDING</c>.</param>
/// <param name="Reason">Why it waits or ended, in a word.</param>
/// <param name="Node">Where it runs or ran; empty before.</param>
/// <param name="Used">How long it has run, as Slurm writes times: <c>1-02:03:04</c>.</param>
internal sealed record SlurmTask(string Job, string Index, string State, string Reason, string Node, string Used)
{
    private static readonly string[] Over =
    [
        "BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "LAUNCH_FAILED", "NODE_FAIL", "OUT_OF_MEMORY",
        "PREEMPTED", "REVOKED", "TIMEOUT",
    ];

    // Waiting does not help against these: the job asks for what nobody may have. PartitionConfig is not among them: a
    // busy controller gives it for a while to jobs that it starts later.
    private static readonly string[] Never =
    [
        "AccountNotAllowed", "BadConstraints", "DependencyNeverSatisfied", "InvalidAccount", "InvalidQOS",
        "MaxMemPerLimit", "PartitionNodeLimit", "PartitionTimeLimit", "QOSNotAllowed",
    ];

    /// <summary>How long it has run, in seconds.</summary>
    internal double Seconds
    {
        get
        {
            double[] units = [1, 60, 3600, 86400];
            var parts = Used.Split('-', ':').Reverse().ToArray();
            return parts.Length <= units.Length && parts.All(part => int.TryParse(part, NumberStyles.None,
                CultureInfo.InvariantCulture, out _))
                ? parts.Zip(units, (part, unit) => int.Parse(part, CultureInfo.InvariantCulture) * unit).Sum() : 0;
        }
    }

    /// <summary>Array and index, as Slurm writes them.</summary>
    internal string Id => $"{Job}_{Index}";

    /// <summary>Whether the task is over for good.</summary>
    internal bool IsOver => Over.Contains(State);

    /// <summary>Whether the task waits to be started, for the first time or again.</summary>
    internal bool Waits => State is "PENDING" or "REQUEUED" or "REQUEUE_HOLD" or "REQUEUE_FED" or "RESV_DEL_HOLD"
        or "SPECIAL_EXIT";

    /// <summary>Whether a word may be a state.</summary>
    internal static bool IsState(string word) => word.All(letter => char.IsAsciiLetterUpper(letter) || letter == '_');

    /// <summary>Whether the task waits for what will not come by itself.</summary>
    internal bool IsHopeless => State == "PENDING"
        && (Never.Contains(Reason) || Reason.EndsWith("PerJobLimit", StringComparison.Ordinal));
}
