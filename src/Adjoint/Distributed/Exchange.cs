namespace Adjoint.Distributed;

/// <summary>
/// A call of all ranks, under way: what goes to each rank, and what comes from each. Those that were begun alike (by
/// callers, or by what follows one) take place in the order in which they were begun, which is the same on all ranks.
/// </summary>
internal sealed class Exchange
{
    private readonly CommunicatorThread? thread;
    private readonly ulong fingerprint;
    private volatile bool isDone;

    /// <summary>Creates an exchange.</summary>
    /// <param name="thread">What carries it; null in a world of one.</param>
    /// <param name="rank">This rank; what it gives to itself is copied at once.</param>
    /// <param name="text">The call with its shapes and types: the same on all ranks.</param>
    /// <param name="step">The step that it belongs to.</param>
    /// <param name="sends">What goes to each rank.</param>
    /// <param name="receives">Where what comes from each rank goes; null: whatever comes, of any length.</param>
    /// <param name="then">What follows, on the communicator's thread.</param>
    public Exchange(
        CommunicatorThread? thread, int rank, string text, int step, ReadOnlyMemory<byte>[] sends,
        Memory<byte>[]? receives, Action<Exchange>? then)
    {
        (this.thread, Text, Step, Sends, Then) = (thread, text, step, sends, then);
        TakesAnyLength = receives is null;
        fingerprint = MessageHeader.FingerprintOf(text);
        Receives = receives ?? new Memory<byte>[sends.Length];
        if (TakesAnyLength) Receives[rank] = sends[rank].ToArray();
        else sends[rank].CopyTo(Receives[rank]);
    }

    public string Text { get; }
    public int Step { get; }
    public ReadOnlyMemory<byte>[] Sends { get; }
    public Memory<byte>[] Receives { get; }
    public bool TakesAnyLength { get; }
    public Action<Exchange>? Then { get; }

    /// <summary>Whether it is the last one: the sender ends.</summary>
    public bool IsEnd { get; init; }

    /// <summary>How many exchanges it follows from: 0 for what a caller began.</summary>
    public int Depth { get; init; }

    /// <summary>How many of its transfers are not done.</summary>
    public int Open { get; set; }

    /// <summary>Whether everything was sent and received, and what follows it ran.</summary>
    public bool IsDone
    {
        get => isDone;
        set => isDone = value;
    }

    /// <summary>What goes ahead of one of its messages.</summary>
    public MessageHeader HeaderFor(int length) => new(IsEnd, Step, length, fingerprint);

    /// <summary>Waits until everything was sent and received, and what follows it ran.</summary>
    /// <exception cref="RankFailureException">The world is broken.</exception>
    public void Wait() => thread?.Wait(this);
}
