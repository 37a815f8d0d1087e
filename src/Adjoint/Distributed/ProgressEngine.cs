namespace Adjoint.Distributed;

/// <summary>
/// Moves the messages of one rank on, whenever it is called, and never blocks: those of exchanges, and those that the
/// ranks tell each other beside them. Only the communicator's thread calls it.
/// </summary>
internal sealed class ProgressEngine
{
    // Beside the exchanges: often enough for people, seldom enough for small exchanges.
    private const double ControlInterval = 0.0005;

    private readonly List<Lane> lanes = [];
    private readonly Transport transport;
    private readonly Wire wire;
    private readonly Heartbeats heartbeats;
    private readonly Func<Place> place;
    private readonly Action<RankFailure> breakWorld;
    private double controlledAt, progressedAt;

    /// <summary>Creates the engine.</summary>
    /// <param name="transport">What carries the messages.</param>
    /// <param name="timeout">Within what time a silent rank is named.</param>
    /// <param name="place">Where this rank is.</param>
    /// <param name="breakWorld">Called with what broke the world.</param>
    public ProgressEngine(Transport transport, TimeSpan timeout, Func<Place> place, Action<RankFailure> breakWorld)
    {
        (this.transport, this.place, this.breakWorld) = (transport, place, breakWorld);
        wire = new(transport);
        heartbeats = new(wire, timeout);
        Diagnosis = new(wire, timeout);
    }

    public FailureDiagnosis Diagnosis { get; }

    /// <summary>The longest time between two calls with which heartbeats are in time.</summary>
    public TimeSpan Pause => heartbeats.Pause;

    /// <summary>Whether the transport has not come back from a call; read by other threads.</summary>
    public bool IsInCall => wire.IsInCall;

    /// <summary>How long no exchange has made progress.</summary>
    public TimeSpan Idle => TimeSpan.FromSeconds(wire.Now - progressedAt);

    /// <summary>What exchanges have carried; without times.</summary>
    public CommunicationStatistics Carried => new(
        lanes.Sum(lane => lane.BytesSent), lanes.Sum(lane => lane.BytesReceived), lanes.Sum(lane => lane.Messages),
        WaitTime: default, TransferTime: default);

    /// <summary>Begins an exchange.</summary>
    public void Begin(Exchange exchange)
    {
        while (lanes.Count <= exchange.Depth) lanes.Add(new(wire, Heartbeats.Channel + 1 + lanes.Count, Mismatch));
        lanes[exchange.Depth].Begin(exchange);
        progressedAt = wire.Now;
    }

    /// <summary>Moves the exchanges on.</summary>
    /// <returns>Whether that was possible.</returns>
    public bool Progress()
    {
        var any = wire.Progress();
        foreach (var lane in lanes) any |= lane.Progress();
        if (any) progressedAt = wire.Now;
        return any;
    }

    /// <summary>An exchange that is complete: of those that were begun alike, in their order. Null: none.</summary>
    public Exchange? TakeComplete()
    {
        foreach (var lane in lanes)
            if (lane.TakeComplete() is { } exchange) return exchange;
        return null;
    }

    /// <summary>Hears the other ranks, and tells them that this one is there, or that it leaves.</summary>
    /// <param name="leaving">Whether it leaves.</param>
    /// <returns>Whether it leaves and all others have left.</returns>
    public bool Control(bool leaving)
    {
        var now = wire.Now;
        if (now - controlledAt < ControlInterval) return false;
        controlledAt = now;
        if (heartbeats.Hear() is { } told) breakWorld(RankFailure.From(told));
        else if (heartbeats.Silent() is { Length: > 0 } silent) breakWorld(Diagnosis.OfSilence(silent));
        else if (leaving)
        {
            heartbeats.Part(Here());
            return heartbeats.HaveParted();
        }
        else heartbeats.Beat(Here());
        return false;
    }

    /// <summary>Begins to tell the other ranks what broke the world.</summary>
    public void Tell(RankFailure why)
    {
        if (why.WasTold && transport.Rank != 0) return;
        // Many may notice the same at once: they tell rank 0, which tells all. Not so where rank 0 is the one, and
        // where this rank failed itself: others may have heard goodbye from rank 0 already, and wait for this one's.
        var passesBy = transport.Rank == 0 || why.Rank == 0 || why.Rank == transport.Rank;
        heartbeats.Tell(why.ToMessage(), passesBy ? Enumerable.Range(0, transport.Size) : [0]);
    }

    /// <summary>Whether the others have been told.</summary>
    public bool AllTold() => heartbeats.AllTold();

    /// <summary>The connection to another rank is lost: finds out why.</summary>
    /// <param name="error">What the transport says.</param>
    /// <param name="patience">For how long to listen.</param>
    public RankFailure FailureOf(TransportException error, TimeSpan patience)
    {
        // If that rank ended for a reason, word of it is under way, perhaps by way of rank 0.
        var (peer, until) = (wire.Peer, wire.Now + patience.TotalSeconds);
        while (wire.Now < until)
        {
            if (heartbeats.HearSurvivors() is { } told) return RankFailure.From(told);
            Thread.Sleep(1);
        }
        return Diagnosis.OfLostConnection(peer, error);
    }

    private ControlMessage Here() =>
        new(ControlKind.Heartbeat, AsksForReply: false, transport.Rank, place(), transport.Host, Text: "");

    private void Mismatch(Exchange exchange, int peer, byte[] bytes) =>
        breakWorld(Diagnosis.OfMismatch(exchange, peer, bytes));
}
