using Adjoint.Data;
using Adjoint.IO;

namespace Adjoint.Experiments;

/// <summary>
/// What a sweep submits: <c>slurm/worker.sh</c> in its folder, beside which the logs of the workers come to lie.
/// </summary>
/// <param name="folder">The folder of the sweep.</param>
/// <param name="name">The name of its jobs.</param>
/// <param name="options">What the sweep asks of Slurm.</param>
internal sealed class SlurmScript(string folder, string name, SlurmOptions options)
{
    private readonly string own = Path.Combine(Path.GetFullPath(folder), "slurm");

    /// <summary>Where the logs are; null where the options put them elsewhere.</summary>
    internal string? Logs => options.Others.Any(word =>
        word.StartsWith("--output", StringComparison.Ordinal) || word.StartsWith("-o", StringComparison.Ordinal))
        ? null : own;

    /// <summary>The log of a task.</summary>
    internal string LogOf(SlurmTask task) => Path.Combine(own, $"{task.Id}.log");

    /// <summary>Writes the script.</summary>
    /// <param name="tasks">How many tasks the array has.</param>
    /// <returns>The arguments of <c>sbatch</c>.</returns>
    internal IReadOnlyList<string> Write(int tasks)
    {
        var path = Path.Combine(own, "worker.sh");
        var array = $"--array=0-{tasks - 1}{(options.MaxJobs is { } most ? $"%{most}" : "")}";
        // Ended by its time limit, a worker has a minute to write a checkpoint; another goes on with its trial.
        string[] arguments =
        [
            array, $"--job-name={name}", $"--output={own.Replace("%", "%%", StringComparison.Ordinal)}/%A_%a.log",
            "--open-mode=append",
            "--requeue", "--signal=B:TERM@60", $"--chdir={Environment.CurrentDirectory}",
            .. options.Partition is { } partition ? [$"--partition={partition}"] : (string[])[],
            .. options.Time is { } time ? [$"--time={time}"] : (string[])[],
            .. options.Ranks is { } ranks ? [$"--ntasks={ranks}"] : (string[])[],
            .. options.Others, path,
        ];
        Directory.CreateDirectory(own);
        AtomicFile.WriteText(path, $$"""
            #!/bin/bash
            # A worker of a sweep. Submitted by:
            #   sbatch {{Words(arguments)}}
            # One more, on any machine that shares the folder: bash {{ShellWord.Quote(path)}}
            for needed in {{Words([Environment.CurrentDirectory, own])}}; do
                if [[ ! -d $needed ]]; then
                    echo "adjoint: $(hostname) does not see $needed" >&2
                    exit 1
                fi
            done
            cd {{ShellWord.Quote(Environment.CurrentDirectory)}} || exit 1
            # As many threads as the job has processors.
            threads=${SLURM_CPUS_PER_TASK:-{{(options.Ranks is null ? "$SLURM_CPUS_ON_NODE" : "1")}}}
            if [[ -n $threads ]]; then export ADJOINT_THREADS=${ADJOINT_THREADS:-$threads}; fi
            exec {{(options.Ranks is { } each ? $"{options.Mpirun} -n {each} " : "")}}{{Words(options.Worker)}}

            """);
        return arguments;
    }

    private static string Words(IEnumerable<string> words) => string.Join(' ', words.Select(ShellWord.Quote));
}
