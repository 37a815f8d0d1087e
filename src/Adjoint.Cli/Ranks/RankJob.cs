using System.ComponentModel;
using System.Diagnostics;

namespace Adjoint.Cli;

/// <summary>One world that the launcher started: from the start of mpirun to its end, and what was heard.</summary>
internal sealed class RankJob(Mpirun mpirun, int ranks, IReadOnlyList<string> program, TimeSpan startLimit,
    bool isDebug, TextWriter output, TextWriter error)
{
    // What mpirun says beyond this says nothing new.
    private const int MostLines = 200;

    // How long mpirun may take to end what is left of a world that is broken.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly Lock gate = new();
    private readonly Dictionary<int, RankStatus> known = [];
    private readonly List<string> said = [];
    private RankStatus? end, failed, lost, killed;
    private Process? running;
    private IOException? unwritten;
    private string? folder;
    private int step;
    private long brokenSince;
    private bool isLate;

    /// <summary>The folder of the run, once it can go on from there; null before.</summary>
    internal string? Folder => Locked(() => folder);

    /// <summary>Whether any rank was started.</summary>
    internal bool HasBegun => Locked(() => known.Count > 0);

    /// <summary>Whether it was ended because no rank was heard of within the limit for the start.</summary>
    internal bool IsLate => Locked(() => isLate);

    /// <summary>Whether it did anything: a world that cannot start need not be started again.</summary>
    internal bool HasLearned => Locked(() => step > 0);

    /// <summary>The code with which the program ended by itself; null where it was ended.</summary>
    internal int? Code => Locked(() => (failed ?? end)?.Code);

    /// <summary>What mpirun said, line by line, where it says something.</summary>
    internal IReadOnlyList<string> Said => Locked<IReadOnlyList<string>>(() =>
        [.. said.Where(line => line.Any(char.IsLetterOrDigit)).Select(line => line.Trim(' ', '='))]);

    /// <summary>Runs it to its end.</summary>
    /// <param name="interrupt">Asks the ranks to keep what they have, and to end.</param>
    /// <returns>The exit code of mpirun.</returns>
    /// <exception cref="IOException">The result cannot be written.</exception>
    internal int Run(CancellationToken interrupt)
    {
        using var process = Process.Start(mpirun.Start(ranks, program))!;
        lock (gate) running = process;
        try
        {
            var since = Stopwatch.GetTimestamp();
            using var asked = interrupt.Register(() => Ask(process));
            Thread[] pumps = [Pump(process.StandardOutput, output), Pump(process.StandardError, error)];
            while (!process.WaitForExit(100))
                if (IsOverdue(since)) Kill();
            // A process that outlives mpirun may hold the pipes.
            foreach (var pump in pumps) pump.Join(Patience);
            KillLeft();
            if (Locked(() => unwritten) is { } problem) throw new IOException(problem.Message, problem);
            return process.ExitCode;
        }
        finally
        {
            lock (gate) running = null;
        }
    }

    /// <summary>Ends mpirun and its ranks at once; nothing where it has ended.</summary>
    internal void Kill()
    {
        lock (gate) running?.Kill(entireProcessTree: true);
    }

    /// <summary>Which rank died, or is silent, and where it was; null where nothing was heard of any.</summary>
    internal (string Text, string Host)? Loss()
    {
        lock (gate)
        {
            var near = step > 0 ? $" near step {step}" : " before the first step";
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

    // Ranks whose world is broken end by themselves, unless they cannot; an mpirun that reaches no machine may wait
    // for ever (MPICH does).
    private bool IsOverdue(long since)
    {
        lock (gate)
        {
            isLate |= known.Count == 0 && Stopwatch.GetElapsedTime(since) > startLimit;
            return isLate || brokenSince != 0 && Stopwatch.GetElapsedTime(brokenSince) > Patience;
        }
    }

    private T Locked<T>(Func<T> read)
    {
        lock (gate) return read();
    }

    private void Ask(Process process)
    {
        // Without ranks nobody listens, and nothing is to be kept.
        if (!HasBegun)
        {
            Kill();
            return;
        }
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

    private Thread Pump(StreamReader from, TextWriter to)
    {
        var pump = new Thread(() =>
        {
            try
            {
                while (from.ReadLine() is { } line) Pass(line, to);
            }
            catch (Exception closed) when (closed is IOException or ObjectDisposedException)
            {
                // Nobody waits any more for what is left.
            }
        })
        { IsBackground = true, Name = "output of mpirun" };
        pump.Start();
        return pump;
    }

    // Ranks whose pipe nobody empties would wait forever, also where what they say cannot be written.
    private void Pass(string line, TextWriter to)
    {
        try
        {
            Hear(line, to);
        }
        catch (IOException problem)
        {
            lock (gate) unwritten ??= problem;
        }
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
        {
            switch (status.Event)
            {
                case RankEvent.Hello:
                    known[status.Rank] = status;
                    break;
                case RankEvent.Folder:
                    folder = status.Text;
                    break;
                case RankEvent.Step:
                    step = status.Step;
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
            if (brokenSince == 0 && (killed ?? lost ?? failed) is not null) brokenSince = Stopwatch.GetTimestamp();
        }
    }

    // Where mpirun itself was killed, its ranks on this machine have nobody left.
    private void KillLeft()
    {
        foreach (var status in Locked(() => known.Values.ToArray()))
            if (status.Host == Environment.MachineName) KillRank(status);
    }

    private static void KillRank(RankStatus status)
    {
        try
        {
            using var process = Process.GetProcessById(status.Process);
            // Numbers come again; and each process reckons with another time of the system's start.
            var apart = Math.Abs(process.StartTime.Ticks - status.Started);
            if (apart < 2 * TimeSpan.TicksPerSecond) process.Kill();
        }
        catch (Exception gone) when (gone is ArgumentException or InvalidOperationException or Win32Exception)
        {
            // It has ended.
        }
    }
}
