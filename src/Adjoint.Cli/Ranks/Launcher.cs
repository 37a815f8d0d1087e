using Adjoint.Data;
using Adjoint.Experiments;

namespace Adjoint.Cli;

/// <summary>
/// <c>adjoint train --ranks</c>: starts the ranks by mpirun, says which of them died, and starts them again from the
/// last checkpoint. A process inside of a dying world can do neither: mpirun ends it.
/// </summary>
internal sealed class Launcher(LaunchSettings settings, IReadOnlyList<string> begin, IReadOnlyList<string> goOn,
    TextWriter output, TextWriter error)
{
    // Of what mpirun says: the cause comes first, and advice follows.
    private const int MostQuoted = 4;

    // Each rank is the child of a shell, which tells by which signal it died. mpirun may not: as soon as one died,
    // MPICH kills the others in the same way, and names any of them. The shell stays until the line is through.
    private static readonly string[] Watched =
    [
        "sh", "-c",
        // What runs beside a shell gets no standard input unless it is told to; 130 is a code of the tool's own.
        $$$"""
        trap 'kill -TERM $p 2>/dev/null' TERM INT
        exec 3<&0
        "$@" <&3 3<&- &
        p=$!
        exec 3<&-
        wait $p; c=$?
        while kill -0 $p 2>/dev/null; do wait $p; c=$?; done
        if [ $c -gt 128 ] && [ $c -ne {{{Tool.Interrupted}}} ]; then
            printf '{{{RankWriter.Status}}}{{{RankStatus.KilledFormat}}}\n' \
                ${OMPI_COMM_WORLD_RANK:-${PMI_RANK:-0}} $p $((c - {{{Signaled}}})) >&2
            sleep 1
        fi
        exit $c
        """,
        "rank",
    ];

    // What a shell adds to the number of a signal, and .NET to that which ended mpirun.
    private const int Signaled = 128;

    // A cluster may take its time, and nobody else ends an mpirun that waits.
    private static readonly TimeSpan LeastStart = TimeSpan.FromMinutes(1);

    // The world that is under way: a second Ctrl-C ends it with the launcher, since nobody could end it later.
    private volatile RankJob? job;

    /// <summary>Runs until the training has ended.</summary>
    /// <param name="folder">The folder of a run that goes on; null: a new one.</param>
    /// <returns>The exit code.</returns>
    internal int Run(string? folder)
    {
        var (mpirun, ranks) = (Mpirun.Find(settings.Mpirun), settings.Ranks);
        using var interrupt = new Interrupt(() => job?.Kill());
        for (var restarts = 0; ; restarts++)
        {
            var arguments = folder is null ? begin : [.. goOn, $"--resume={folder}"];
            string[] program = [.. Environment(), .. Watched, .. Tool.Command, "train", .. arguments];
            var job = this.job = new RankJob(
                mpirun, ranks, program, StartLimit, settings.IsDebug, output, error);
            var code = job.Run(interrupt.Token);
            folder = job.Folder ?? folder;
            if (job.Code is { } own) return own;
            if (interrupt.Token.IsCancellationRequested) return Tool.Interrupted;
            var loss = job.Loss();
            var what = loss?.Text ?? Ended(job, mpirun, code);
            if (restarts == settings.Restarts)
            {
                var again = folder is null ? ""
                    : $"; to go on: adjoint train --resume {Printable.Line(ShellWord.Quote(folder))} --ranks {ranks}";
                error.WriteLine($"adjoint: {Printable.Line(what)}{again}");
                if (loss is null) Quote(job);
                return Tool.Failure;
            }
            if (!job.HasLearned && restarts > 0) (mpirun, ranks) = Fewer(mpirun, ranks, loss?.Host, job.Said);
            var place = folder is null ? "from the start" : "from the last checkpoint";
            error.WriteLine($"adjoint: {Printable.Line(what)}; restart {restarts + 1} of {settings.Restarts}, "
                + $"{ranks} rank{(ranks == 1 ? "" : "s")}, {place}");
            if (loss is null) Quote(job);
        }
    }

    private string Ended(RankJob job, Mpirun mpirun, int code) =>
        job.IsLate ? $"{mpirun.Name} started no rank within {StartLimit.TotalSeconds:0} s; "
            + $"{mpirun.Trial} shows whether it works, and a larger --timeout waits longer"
        : !job.HasBegun ? $"{mpirun.Name} could not start the ranks (exit code {code}); "
            + $"{mpirun.Trial} shows whether it works"
        : code is > Signaled and < 2 * Signaled - 1 ? $"{mpirun.Name} was killed by signal {code - Signaled}"
        : $"{mpirun.Name} ended with exit code {code}, and no rank said why";

    // A world that was started again and did not get to a step: without the machine that failed where it is known,
    // else with a rank less.
    private static (Mpirun, int) Fewer(Mpirun mpirun, int ranks, string? host, IReadOnlyList<string> said)
    {
        host ??= mpirun.Hosts.FirstOrDefault(one => said.Any(line => line.Contains(one, StringComparison.Ordinal)));
        return host is not null && mpirun.Without(host) is var (rest, slots)
            ? (rest, Math.Clamp(slots, 1, ranks))
            : (mpirun, Math.Max(1, ranks - 1));
    }

    private TimeSpan StartLimit => settings.Timeout > LeastStart ? settings.Timeout : LeastStart;

    private void Quote(RankJob job)
    {
        foreach (var line in job.Said.Take(MostQuoted)) error.WriteLine($"  {Printable.Line(line)}");
    }

    // By `env`, since each mpirun has another option for it, and passes on other variables.
    private IReadOnlyList<string> Environment()
    {
        var all = System.Environment.GetEnvironmentVariables().Keys.Cast<string>()
            .Where(name => name.StartsWith("ADJOINT_", StringComparison.Ordinal)
                || name.StartsWith("DOTNET_", StringComparison.Ordinal))
            .Select(name => $"{name}={System.Environment.GetEnvironmentVariable(name)}");
        List<string> line = ["env", .. all.Order(StringComparer.Ordinal), $"{LaunchedRank.LaunchedVariable}=1"];
        if (settings.Instructions is { } level)
        {
            line.Add($"{InstructionSet.Variable}={level}");
            if (InstructionSet.Switch(level) is var (name, value)) line.Add($"{name}={value}");
        }
        return line;
    }
}

/// <summary>How the launcher starts ranks.</summary>
internal sealed record LaunchSettings
{
    /// <summary>How many.</summary>
    internal required int Ranks { get; init; }

    /// <summary>How often they are started again when one dies.</summary>
    internal int Restarts { get; init; }

    /// <summary>The program that starts them, with its options; null: whichever is in the path.</summary>
    internal string? Mpirun { get; init; }

    /// <summary>The instructions that all of them use; null: what each has.</summary>
    internal string? Instructions { get; init; }

    /// <summary>How long a rank may be silent.</summary>
    internal required TimeSpan Timeout { get; init; }

    /// <summary>Whether all that mpirun says is shown.</summary>
    internal bool IsDebug { get; init; }
}
