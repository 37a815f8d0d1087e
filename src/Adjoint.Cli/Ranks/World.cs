using System.Text;
using Adjoint.Distributed;
using Adjoint.Mpi;
using Adjoint.Training;

namespace Adjoint.Cli;

/// <summary>
/// The ranks that train together, as the tool sees them: one that writes and speaks, and others that keep quiet unless
/// something is wrong with them alone.
/// </summary>
internal sealed class World : IDisposable
{
    // How long a rank that has nothing to say waits for the one that has: mpirun ends all as soon as one ends badly.
    private static readonly TimeSpan LastWords = TimeSpan.FromSeconds(1);

    private readonly LaunchedRank? launched;

    private World(Communicator communicator, LaunchedRank? launched) =>
        (Communicator, this.launched) = (communicator, launched);

    /// <summary>
    /// The world of this process: it alone, unless mpirun started several and the command is for them.
    /// </summary>
    internal static World Current { get; private set; } = new(Communicator.Alone, null);

    /// <summary>What the ranks exchange by.</summary>
    internal Communicator Communicator { get; }

    /// <summary>How many there are.</summary>
    internal int Size => Communicator.Size;

    /// <summary>Whether this rank writes and speaks for all.</summary>
    internal bool IsFirst => Communicator.Rank == 0;

    /// <summary>How many ranks, and on how many machines if on several: <c>4 ranks on 2 hosts</c>.</summary>
    internal string Description
    {
        get
        {
            var hosts = Communicator.Hosts.Distinct().Count();
            return $"{Size} rank{(Size == 1 ? "" : "s")}{(hosts > 1 ? $" on {hosts} hosts" : "")}";
        }
    }

    /// <summary>Tells the launcher, if there is one, which process this is.</summary>
    internal static void Greet()
    {
        if (!LaunchedRank.HasLauncher) return;
        using var process = System.Diagnostics.Process.GetCurrentProcess();
        RankWriter.Tell(StatusOf(RankEvent.Hello, LaunchedRank.Find()?.Rank ?? 0) with
        {
            Process = process.Id,
            Started = process.StartTime.Ticks,
        });
    }

    /// <summary>Joins the world that mpirun made.</summary>
    /// <exception cref="AdjointException">There is no MPI library for it, or it failed.</exception>
    internal static void Join(LaunchedRank launched, TimeSpan timeout) =>
        Current = new(MpiCommunicator.Open(new() { Timeout = timeout }), launched);

    /// <summary>
    /// Does something on all ranks that may fail on any. Where it fails, all end alike, and the first rank says once
    /// what is wrong with all of them, or with which.
    /// </summary>
    /// <exception cref="RanksException">It failed on some rank.</exception>
    internal T Together<T>(string what, Func<T> action)
    {
        if (Size == 1) return action();
        Exception? problem = null;
        var value = default(T);
        try
        {
            value = action();
        }
        catch (Exception error) when (error is not RankFailureException)
        {
            problem = error;
        }
        // An exit code, and the line for people.
        var own = problem is null ? "" : $"{(char)Tool.CodeOf(problem)}{Tool.LineOf(problem)}";
        var all = Communicator.AllGather(what, Encoding.UTF8.GetBytes(own)).Select(Encoding.UTF8.GetString).ToArray();
        var first = Array.FindIndex(all, text => text.Length > 0);
        if (first < 0) return value!;
        var others = all.Count(text => text.Length > 0) - 1;
        // What is wrong with all, or with the rank that speaks on the only machine, needs no name.
        var isHere = first == 0 && others == 0 && Communicator.Hosts.Distinct().Count() == 1;
        var where = isHere || all.All(text => text == all[first]) ? ""
            : $"rank {first} on {Communicator.Hosts[first]}{(others > 0 ? $" and {others} more" : "")}: ";
        throw new RanksException(where + all[first][1..], all[first][0], problem);
    }

    /// <summary>As <see cref="Together{T}"/>, without a value.</summary>
    internal void Together(string what, Action action) => Together(what, () =>
    {
        action();
        return 0;
    });

    /// <summary>What the first rank reads, for all: names and values.</summary>
    /// <exception cref="RanksException">It cannot be read.</exception>
    internal IReadOnlyDictionary<string, string> FromFirst(
        string what, Func<IReadOnlyDictionary<string, string>> read)
    {
        var own = Together(what, () => IsFirst ? read() : new Dictionary<string, string>());
        if (Size == 1) return own;
        var text = string.Join('\0', own.SelectMany(one => (string[])[one.Key, one.Value]));
        var words = Encoding.UTF8.GetString(Communicator.Broadcast(what, Encoding.UTF8.GetBytes(text))).Split('\0');
        return words.Chunk(2).Where(pair => pair.Length == 2).ToDictionary(pair => pair[0], pair => pair[1]);
    }

    /// <summary>A number that the first rank finds, for all.</summary>
    /// <exception cref="RanksException">It cannot be found.</exception>
    internal int FromFirst(Func<int> find)
    {
        var own = Together("next trial", () => IsFirst ? find() : 0);
        return Size == 1 ? own
            : BitConverter.ToInt32(Communicator.Broadcast("next trial", IsFirst ? BitConverter.GetBytes(own) : []));
    }

    /// <summary>
    /// The number of threads for each rank, where nobody asked for one: those that may run on the same cores share
    /// them.
    /// </summary>
    internal int ShareOfThreads(int threads)
    {
        if (Size == 1) return threads;
        // What mpirun bound to cores of its own shares with nobody.
        var own = Encoding.UTF8.GetBytes($"{Environment.MachineName} {Platform.AllowedCores}");
        var beside = Communicator.AllGather("cores", own).Count(other => other.AsSpan().SequenceEqual(own));
        return Math.Max(1, threads / beside);
    }

    /// <summary>Refuses ranks whose kernels would compute other bits, or not with what the launcher asks for.</summary>
    /// <exception cref="RanksException">There are some.</exception>
    internal void RequireOneInstructionSet()
    {
        if (Environment.GetEnvironmentVariable(InstructionSet.Variable) is { } asked)
            Together("instructions asked for", () => InstructionSet.Require(asked, InstructionSet.Current));
        if (Size == 1) return;
        var sets = Communicator.AllGather("instructions", Encoding.UTF8.GetBytes(InstructionSet.Current))
            .Select(Encoding.UTF8.GetString).ToArray();
        var other = Array.FindIndex(sets, set => set != sets[0]);
        if (other < 0) return;
        var hosts = Communicator.Hosts;
        var lowest = sets.Order(StringComparer.Ordinal).First();
        var remedy = sets.All(InstructionSet.Levels.Contains)
            ? $"start them with adjoint train --ranks {Size} --instructions {lowest}"
            : "use machines of one kind";
        throw new RanksException(
            $"rank {other} on {hosts[other]} computes with {sets[other]} instructions, "
            + $"and rank 0 on {hosts[0]} with {sets[0]}, so their bits would differ; {remedy}", Tool.Failure);
    }

    /// <summary>Tells the launcher, if there is one, how far the run is.</summary>
    internal void Tell(RankEvent what, string text = "", int step = 0, int code = 0)
    {
        if (IsFirst)
            RankWriter.Tell(StatusOf(what, Communicator.Rank) with { Text = text, Step = step, Code = code });
    }

    /// <summary>
    /// Ends a world in which something went wrong: the others learn why, and one rank says it, whoever is first to
    /// know.
    /// </summary>
    /// <param name="problem">What ended the command on this rank.</param>
    /// <param name="say">Writes a line.</param>
    internal void Fail(Exception problem, Action<string> say)
    {
        if (Size == 1 || problem is RanksException or DivergedException)
        {
            // All ranks know it.
            if (!IsFirst) return;
            say(Tool.LineOf(problem));
            Tell(RankEvent.Failed, code: Tool.CodeOf(problem));
            return;
        }
        if (problem is RankFailureException failure) Lost(failure, say);
        else
        {
            // Where all fail alike, the first says so.
            if (!IsFirst) Thread.Sleep(LastWords / 4);
            Communicator.Fail(problem);
            if (IsBrokenByMe())
            {
                say($"rank {Communicator.Rank} on {Environment.MachineName}: {Tool.LineOf(problem)}");
                RankWriter.Tell(StatusOf(RankEvent.Failed, Communicator.Rank) with { Code = Tool.CodeOf(problem) });
            }
        }
        Thread.Sleep(LastWords);
    }

    /// <summary>Leaves when all do; at once where the world is broken.</summary>
    public void Dispose()
    {
        if (launched is null) return;
        Communicator.Dispose();
    }

    // The first failure counts, and each call throws it from then on.
    private bool IsBrokenByMe()
    {
        try
        {
            Communicator.Barrier("failure");
            return false;
        }
        catch (RankFailureException failure)
        {
            return failure.Rank == Communicator.Rank;
        }
    }

    // A rank that is silent says nothing; one that failed says it itself.
    private void Lost(RankFailureException failure, Action<string> say)
    {
        var speaker = failure.Rank == 0 ? 1 : 0;
        var failed = $"rank {failure.Rank} on {failure.Host} failed ";
        if (failure.Message.StartsWith(failed, StringComparison.Ordinal)) return;
        if (LaunchedRank.HasLauncher)
            RankWriter.Tell(StatusOf(RankEvent.Lost, failure.Rank) with
            {
                Host = failure.Host,
                Step = failure.Step,
                Text = failure.Message,
            });
        else if (Communicator.Rank == speaker) say(Tool.LineOf(failure));
    }

    private static RankStatus StatusOf(RankEvent what, int rank) =>
        new() { Event = what, Rank = rank, Host = Environment.MachineName };
}

/// <summary>Something failed on all ranks, or on some that the message names: each of them throws it.</summary>
internal sealed class RanksException(string message, int code, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>The exit code.</summary>
    internal int Code => code;
}
