namespace Adjoint.Memory;

/// <summary>
/// The buffers of a function while it is recorded: they come from the pool and go back to it; a plan gets memory of its
/// own. Meanwhile the arena guards them, since memory that is touched outside of a backend's operation could not be
/// replayed, and notes what the recording took for granted.
/// </summary>
internal sealed class Arena
{
    // Recordings under way, on all threads, and how many there were: what is allocated meanwhile is stamped.
    private static int running;
    private static int begun;

    private readonly int number;
    private readonly List<Storage> made = [];
    private readonly HashSet<Storage> constants = [];
    private readonly HashSet<Storage> guarded = [];
    private readonly HashSet<object> noted = [];
    private readonly List<Assumption> assumptions = [];
    private readonly List<(bool Before, Func<bool> Get, Action<bool> Set)> switches = [];
    private bool isSealed;

    /// <summary>Begins a recording on this thread.</summary>
    internal Arena()
    {
        number = Interlocked.Increment(ref begun);
        Interlocked.Increment(ref running);
    }

    /// <summary>Whether something is being recorded, on any thread.</summary>
    internal static bool AreAny => running != 0;

    /// <summary>The number of the recording that began last, if one is under way; else 0.</summary>
    internal static int Latest => running != 0 ? begun : 0;

    /// <summary>Whether a backend's operation is running, which may touch memory.</summary>
    internal bool IsComputing { get; set; }

    /// <summary>Tells, for messages, what is being applied.</summary>
    internal required Func<string?> Cause { get; init; }

    /// <summary>What a replay takes for granted; where it no longer holds, the function is recorded anew.</summary>
    internal IReadOnlyList<Assumption> Assumptions => assumptions;

    /// <summary>Memory that the pool never sees, for so many bytes on a cache line.</summary>
    internal static byte[] Allocate(long byteLength) =>
        BufferPool.Allocate(checked((int)byteLength + BufferPool.Alignment));

    /// <summary>Notes memory of its own that a tensor was made in.</summary>
    internal void NoteMade(Storage storage) => made.Add(storage);

    /// <summary>Whether a tensor was made in the memory while recording.</summary>
    internal bool IsMade(Storage storage) => storage.Arena == this && !guarded.Contains(storage);

    /// <summary>
    /// Whether the memory was allocated on another thread while this recorded: it is anew at each call.
    /// </summary>
    internal bool IsOfMeanwhile(Storage storage) => storage.Stamp >= number;

    /// <summary>Guards memory from outside, which holds from now on what a replay computes anew.</summary>
    internal void Guard(Storage storage)
    {
        if (storage.Arena == this) return;
        guarded.Add(storage);
        storage.Arena = this;
    }

    /// <summary>Notes memory that was filled from plain numbers while recording: the same in every replay.</summary>
    internal void NoteConstant(Storage storage) => constants.Add(storage);

    /// <summary>Whether the memory was filled from plain numbers while recording.</summary>
    internal bool IsConstant(Storage storage) => constants.Contains(storage);

    /// <summary>Whether something is noted for the first time: what it was then is what a replay begins with.</summary>
    internal bool IsNew(object something) => noted.Add(something);

    /// <summary>Adds to <see cref="Assumptions"/>.</summary>
    /// <param name="stillHolds">Whether it is so.</param>
    /// <param name="subject">What would have changed, for messages.</param>
    internal void Assume(Func<bool> stillHolds, string subject) => assumptions.Add(new(stillHolds, subject));

    /// <summary>Takes for granted how a switch stands; a replay leaves it as the recording did.</summary>
    internal void NoteSwitch(Func<bool> get, Action<bool> set, string subject)
    {
        var before = get();
        Assume(() => get() == before, subject);
        switches.Add((before, get, set));
    }

    /// <summary>What turns the switches that stand otherwise than before.</summary>
    internal Action[] SwitchRestorers() =>
        [.. from one in switches let now = one.Get() where now != one.Before select (Action)(() => one.Set(now))];

    /// <summary>Turns the switches back.</summary>
    internal void RestoreSwitches()
    {
        foreach (var (before, _, set) in switches) set(before);
    }

    /// <summary>
    /// Ends the recording and hands its buffers back to the pool: no replay computes its tensors, and whoever kept one
    /// is told so.
    /// </summary>
    internal void Seal()
    {
        (isSealed, Execution.Current.Arena) = (true, null);
        Interlocked.Decrement(ref running);
        foreach (var storage in guarded) storage.Arena = null;
        foreach (var storage in made) storage.Retire("the captured function that made it was recorded");
        made.Clear();
        noted.Clear();
    }

    /// <summary>Refuses what a replay would not do, where memory is touched.</summary>
    /// <param name="isOwn">Whether the memory is its own, or a parameter's, which others may read.</param>
    internal void Check(bool isOwn)
    {
        if (isSealed) return;
        if (Execution.Current.Arena != this)
        {
            if (isOwn) Refuse("a part of it is computed on another thread, where it is not recorded");
        }
        else if (!IsComputing)
            Refuse(Cause() is { } op
                ? $"{op} reads or writes memory outside of a backend's operation"
                : "a tensor's memory is read or written between operations (Item, ToArray, CopyFrom, printing)");
    }

    /// <summary>Notes a read between operations: numbers of a tensor from outside hold until it is changed.</summary>
    internal void NoteRead(Storage storage)
    {
        if (IsComputing || storage.Arena == this || constants.Contains(storage)) return;
        var version = storage.Version;
        Assume(() => storage.Version == version, "a tensor that it reads numbers from");
    }

    /// <summary>Refuses a write between operations, unless it fills a constant before its first use.</summary>
    internal void CheckWrite(Storage storage, string op)
    {
        if (IsComputing) return;
        if (!constants.Contains(storage))
            Refuse($"{op} writes a tensor from outside between operations, and a replay would not");
        if (storage.IsLent) Refuse($"{op} changes a constant between operations, and a replay would not");
    }

    /// <summary>Refuses what cannot be part of a captured function, while one records on this thread.</summary>
    internal static void RefuseWithin(string reason)
    {
        if (Execution.Current.Arena is not null) Refuse(reason);
    }

    /// <exception cref="AdjointException">Always.</exception>
    internal static void Refuse(string reason) => throw new CaptureException(reason);
}

/// <summary>What a recording took for granted.</summary>
/// <param name="StillHolds">Whether it is so.</param>
/// <param name="Subject">What would have changed.</param>
internal readonly record struct Assumption(Func<bool> StillHolds, string Subject);
