using System.Diagnostics;

namespace Adjoint.Cli;

/// <summary>One world that the launcher started: from the start of mpirun to its end, and what was heard.</summary>
internal sealed class RankJob(
    Mpirun mpirun, int ranks, IReadOnlyList<string> program, bool isDebug, TextWriter output, TextWriter error)
{
    // What mpirun says beyond this says nothing new.
    private const int MostLines = 200;

    // How long mpirun may take to end what is left of a world that is broken.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly Lock gate = new();
    private readonly Dictionary<int, RankStatus> known = [];
    private readonly List<string> said = [];
    private RankStatus? end, failed, lost, killed;
    private long brokenSince;

    /// <summary>The folder of the run, once it can go on from there; null before.</summary>
    internal string? Folder { get; private set; }

    /// <summary>The last step that was heard of.</summary>
    internal int Step { get; private set; }

    /// <summary>Whether any rank was started.</summary>
    internal bool HasBegun
    {
        get
        {
            lock (gate) return known.Count > 0;
        }
    }

    /// <summary>Whether it did anything: a world that cannot start need not be started again.</summary>
    internal bool HasLearned { get; private set; }

    /// <summary>The code with which the program ended by itself; null where it was ended.</summary>
    internal int? Code => (failed ?? end)?.Code;

    /// <summary>What mpirun said, line by line, where it says something.</summary>
    internal IReadOnlyList<string> Said =>
        [.. said.Where(line => line.Any(char.IsLetterOrDigit)).Select(line => line.Trim(' ', '='))];

    /// <summary>Runs it to its end.</summary>
    /// <param name="interrupt">Asks the ranks to keep what they have, and to end.</param>
    /// <returns>The exit code of mpirun.</returns>
    internal int Run(CancellationToken interrupt)
    {
        using var process = Process.Start(mpirun.Start(ranks, program))!;
        using var asked = interrupt.Register(() => Ask(process));
        var pumps = Task.WhenAll(
            Task.Run(() => Pump(process.StandardOutput, output), CancellationToken.None),
            Task.Run(() => Pump(process.StandardError, error), CancellationToken.None));
        // Ranks whose world is broken end by themselves; those that cannot are ended.
        while (!process.WaitForExit(100))
            if (IsOverdue()) process.Kill(entireProcessTree: true);
        _ = pumps.Wait(Patience, CancellationToken.None);
        KillLeft();
        return process.ExitCode;
    }

    /// <summary>Which rank died, or is silent, and where it was; null where nothing was heard of any.</summary>
    internal (string Text, string Host)? Loss()
    {
        lock (gate)
        {
            var near = Step > 0 ? $" near step {Step}" : " before the first step";
            if (killed is not null)
            {
                var host = known.GetValueOrDefault(killed.Rank)?.Host ?? "a host";
                return ($"rank {killed.Rank} on {host} (process {killed.Process}) was killed by signal {killed.Code}"
                    + near, host);
            }
            // Without what to look for: the launcher says what to do.
            return lost is null ? null : (lost.Text.Split("; see ")[0], lost.Host);
        }
    }

    private static bool IsThere(RankStatus status)
    {
        try
        {
            using var process = Process.GetProcessById(status.Process);
            // Each process reckons with another time of the system's start.
            var apart = Math.Abs(process.StartTime.Ticks - status.Started);
            return !process.HasExited && apart < 2 * TimeSpan.TicksPerSecond;
        }
        catch (Exception gone) when (gone is ArgumentException or InvalidOperationException
            or System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }

    private bool IsOverdue()
    {
        lock (gate) return brokenSince != 0 && Stopwatch.GetElapsedTime(brokenSince) > Patience;
    }

    private static void Ask(Process process)
    {
        try
        {
            // To rank 0, whose standard input mpirun connects; it agrees with the others.
            process.StandardInput.WriteLine(Interrupt.Request);
            process.StandardInput.Flush();
        }
        catch (IOException)
        {
            // It has ended.
        }
    }

    private void Pump(StreamReader from, TextWriter to)
    {
        while (from.ReadLine() is { } line) Hear(line, to);
    }

    private void Hear(string line, TextWriter to)
    {
        if (line.StartsWith(RankWriter.Message)) to.WriteLine(line[1..]);
        else if (line.StartsWith(RankWriter.Status))
        {
            if (RankStatus.Read(line[1..]) is { } status) Note(status);
        }
        else
        {
            if (isDebug) error.WriteLine(line);
            lock (gate)
                if (said.Count < MostLines) said.Add(line);
        }
    }

    private void Note(RankStatus status)
    {
        lock (gate)
            switch (status.Event)
            {
                case RankEvent.Hello:
                    known[status.Rank] = status;
                    break;
                case RankEvent.Folder:
                    Folder = status.Text;
                    break;
                case RankEvent.Step:
                    (Step, HasLearned) = (status.Step, true);
                    break;
                case RankEvent.Lost:
                    lost ??= status;
                    break;
                case RankEvent.Killed:
                    // Others follow it: by mpirun, or by their MPI.
                    killed ??= status;
                    break;
                case RankEvent.Failed:
                    failed ??= status;
                    break;
                case RankEvent.End:
                    end = status;
                    break;
            }
        if (status.Event is RankEvent.Lost or RankEvent.Killed or RankEvent.Failed)
            lock (gate) brokenSince = brokenSince == 0 ? Stopwatch.GetTimestamp() : brokenSince;
    }

    // Where mpirun itself was killed, its ranks on this machine have nobody left.
    private void KillLeft()
    {
        foreach (var status in known.Values)
            if (status.Host == Environment.MachineName && IsThere(status))
            {
                using var process = Process.GetProcessById(status.Process);
                process.Kill();
            }
    }
}
