using System.Diagnostics;
using Adjoint.Data;

namespace Adjoint.Distributed;

/// <summary>
/// The thread of a communicator. It alone uses the transport: it begins and completes exchanges, sends heartbeats, and
/// notices when the world is broken. It spins only while a caller waits.
/// </summary>
internal sealed class CommunicatorThread
{
    // How long it spins after the last progress, and how long the dead are told why.
    private static readonly TimeSpan Spin = TimeSpan.FromMilliseconds(50), LastWords = TimeSpan.FromMilliseconds(250);

    // Beside the exchanges: often enough for people, seldom enough for small exchanges.
    private const double ControlInterval = 0.0005;

    private readonly object gate = new();
    private readonly Queue<Exchange> begun = [];
    private readonly List<Lane> lanes = [];
    private readonly List<Exchange> blocked = [];
    private readonly CancellationTokenSource source = new();
    private readonly Transport transport;
    private readonly Wire wire;
    private readonly Heartbeats heartbeats;
    private readonly TimeSpan timeout;
    private readonly Thread thread;

    // Under the gate.
    private RankFailure? failure;
    private bool closing;
    private long closed;
    private int? abort;
    private int underWay, waiting;
    private long waitTicks, transferTicks, waitBegan, transferBegan;
    private CommunicationStatistics carried;

    // The thread's own.
    private Exchange? delivered;
    private volatile IReadOnlyList<string>? hosts;
    private long rounds;
    private double controlledAt, progressedAt;
    private volatile int step;

    public CommunicatorThread(Transport transport, TimeSpan timeout)
    {
        (this.transport, this.timeout) = (transport, timeout);
        wire = new(transport);
        heartbeats = new(wire, timeout);
        thread = new(Run) { IsBackground = true, Name = $"communicator of rank {transport.Rank}" };
        thread.Start();
    }

    public bool IsRunning => thread.IsAlive;

    public CancellationToken Failure => source.Token;

    public int Step
    {
        get => step;
        set => step = value;
    }

    /// <summary>Where the ranks run; null before they told each other.</summary>
    public IReadOnlyList<string>? Hosts
    {
        get => hosts;
        set => hosts = value;
    }

    public CommunicationStatistics Statistics
    {
        get
        {
            lock (gate)
            {
                var now = Stopwatch.GetTimestamp();
                return carried with
                {
                    WaitTime = Stopwatch.GetElapsedTime(0, waitTicks + (waiting > 0 ? now - waitBegan : 0)),
                    TransferTime = Stopwatch.GetElapsedTime(
                        0, transferTicks + (underWay > 0 ? now - transferBegan : 0)),
                };
            }
        }
    }

    /// <summary>Begins an exchange; from what follows another one, it belongs to the same step.</summary>
    public Exchange Begin(
        string text, ReadOnlyMemory<byte>[] sends, Memory<byte>[]? receives, Action<Exchange>? then,
        bool isEnd = false)
    {
        var parent = Thread.CurrentThread == thread ? delivered : null;
        var exchange = new Exchange(this, transport.Rank, text, parent?.Step ?? step, sends, receives, then)
        {
            Depth = parent is null ? 0 : parent.Depth + 1,
            IsEnd = isEnd,
        };
        lock (gate)
        {
            if (failure is { } broken) throw new RankFailureException(broken);
            begun.Enqueue(exchange);
            if (underWay++ == 0) transferBegan = Stopwatch.GetTimestamp();
            Monitor.PulseAll(gate);
        }
        return exchange;
    }

    public void Wait(Exchange exchange)
    {
        if (Thread.CurrentThread == thread && !exchange.IsDone)
            throw new AdjointException(
                $"Communicator: {exchange.Text}: what follows an exchange runs on the communicator's thread and must "
                + "not wait for another one; begin it and give it what follows");
        lock (gate)
        {
            if (exchange.IsDone) return;
            if (waiting++ == 0) waitBegan = Stopwatch.GetTimestamp();
            blocked.Add(exchange);
            Monitor.PulseAll(gate);
            try
            {
                Block(exchange);
            }
            finally
            {
                blocked.Remove(exchange);
                if (--waiting == 0) waitTicks += Stopwatch.GetTimestamp() - waitBegan;
            }
            if (!exchange.IsDone) throw new RankFailureException(failure!);
        }
    }

    /// <summary>Ends the world for all: this rank failed.</summary>
    public void Fail(Exception error)
    {
        var place = Here().Place;
        if (delivered is { } exchange && Thread.CurrentThread == thread) place = new(exchange.Text, exchange.Step, 0);
        Break(new(
            transport.Rank, transport.Host, place, 0, FailureText.Failed(wire.NameOf(transport.Rank), place, error))
        {
            Cause = error,
        });
    }

    /// <summary>Ends all ranks, by the transport.</summary>
    public void Abort(int exitCode)
    {
        lock (gate)
        {
            abort = exitCode;
            Monitor.PulseAll(gate);
            // Unless a call of the transport hangs, it takes a moment only.
            if (thread.IsAlive) Monitor.Wait(gate, LastWords);
        }
    }

    /// <summary>Ends: in an orderly world when all do, in a broken one at once.</summary>
    public void Dispose()
    {
        try
        {
            Begin("the end", [.. Enumerable.Repeat(ReadOnlyMemory<byte>.Empty, transport.Size)], null, null,
                isEnd: true)
                .Wait();
        }
        catch (AdjointException)
        {
            // Broken, or disposed of before: whoever waits in a call has been told, or will be.
        }
        lock (gate)
        {
            (closing, closed) = (true, Stopwatch.GetTimestamp());
            Monitor.PulseAll(gate);
        }
        // In a broken world it stops within its last words, unless a call of the transport hangs.
        _ = thread.Join(failure is null ? timeout : 2 * LastWords);
    }

    private void Block(Exchange exchange)
    {
        var (seen, since) = (-1L, Stopwatch.GetTimestamp());
        var slice = TimeSpan.FromSeconds(Math.Min(1, timeout.TotalSeconds / 4));
        while (!exchange.IsDone && failure is null)
        {
            Monitor.Wait(gate, slice);
            // The thread counts its rounds: where it does not, a call of the transport does not come back.
            if (seen != rounds) (seen, since) = (rounds, Stopwatch.GetTimestamp());
            else if (Stopwatch.GetElapsedTime(since) > timeout) Break(Hung(Stopwatch.GetElapsedTime(since)));
        }
    }

    private void Break(RankFailure why)
    {
        lock (gate)
        {
            if (failure is not null) return;
            failure = why;
            Monitor.PulseAll(gate);
        }
        _ = source.CancelAsync();
    }

    private void Run()
    {
        while (failure is null)
            try
            {
                AbortIfAsked();
                if (!Round(out var progressed)) return;
                if (!progressed) Pause();
            }
            catch (TransportException error)
            {
                LoseConnection(error);
            }
            catch (Exception error)
            {
                Fail(error);
            }
        TellOthers(failure);
        while (true)
        {
            AbortIfAsked();
            var told = heartbeats.AllTold();
            lock (gate)
            {
                if (closing && (told || Stopwatch.GetElapsedTime(closed) > LastWords)) return;
                if (abort is null)
                    Monitor.Wait(gate, told && !closing ? Timeout.InfiniteTimeSpan : TimeSpan.FromMilliseconds(1));
            }
        }
    }

    private void AbortIfAsked()
    {
        int? code;
        lock (gate)
        {
            (code, abort) = (abort, null);
            if (code is null) return;
        }
        transport.Abort(code.Value);
        lock (gate) Monitor.PulseAll(gate);
    }

    // Returns false when the world ended in order.
    private bool Round(out bool progressed)
    {
        progressed = false;
        bool leaving;
        while (true)
        {
            Exchange? exchange;
            lock (gate)
            {
                rounds++;
                leaving = closing;
                if (!begun.TryDequeue(out exchange)) break;
            }
            while (lanes.Count <= exchange.Depth)
                lanes.Add(new(wire, Heartbeats.Channel + 1 + lanes.Count, Mismatch));
            lanes[exchange.Depth].Begin(exchange);
            progressed = true;
        }
        progressed |= wire.Progress();
        foreach (var lane in lanes) progressed |= lane.Progress();
        foreach (var lane in lanes)
            while (failure is null && lane.TakeComplete() is { } exchange)
            {
                Deliver(exchange);
                progressed = true;
            }
        if (progressed) progressedAt = wire.Now;
        Control(leaving);
        if (!leaving || failure is not null || !heartbeats.HaveParted()) return true;
        transport.Dispose();
        return false;
    }

    private void Deliver(Exchange exchange)
    {
        delivered = exchange;
        try
        {
            exchange.Then?.Invoke(exchange);
        }
        catch (Exception error)
        {
            Fail(error);
        }
        delivered = null;
        lock (gate)
        {
            exchange.IsDone = failure is null;
            if (--underWay == 0) transferTicks += Stopwatch.GetTimestamp() - transferBegan;
            carried = new(
                lanes.Sum(lane => lane.BytesSent), lanes.Sum(lane => lane.BytesReceived),
                lanes.Sum(lane => lane.Messages), default, default);
            Monitor.PulseAll(gate);
        }
    }

    private void Control(bool leaving)
    {
        var now = wire.Now;
        if (now - controlledAt < ControlInterval) return;
        controlledAt = now;
        if (heartbeats.Hear() is { } told) Break(Told(told));
        else if (heartbeats.Silent() is { Length: > 0 } silent) Break(Silence(silent));
        else if (leaving) heartbeats.Part(Here());
        else heartbeats.Beat(Here());
    }

    // A message takes several rounds. While nobody waits for it, the cores are for computing.
    private void Pause()
    {
        var isSlow = wire.Now - progressedAt > Spin.TotalSeconds;
        bool isAwaited;
        lock (gate)
        {
            if (begun.Count > 0) return;
            if (underWay == 0 || isSlow)
            {
                Monitor.Wait(gate, underWay > 0 || closing ? TimeSpan.FromMilliseconds(1) : heartbeats.Pause);
                return;
            }
            isAwaited = waiting > 0;
        }
        if (isAwaited) Thread.Yield();
        else Platform.SleepBriefly();
    }

    // Where this rank is.
    private ControlMessage Here()
    {
        lock (gate)
            return new(
                ControlKind.Heartbeat, AsksForReply: false, transport.Rank,
                blocked.Count == 0
                    ? new("", step, 0)
                    : new(blocked[0].Text, blocked[0].Step, Stopwatch.GetElapsedTime(waitBegan).TotalSeconds),
                transport.Host, Text: "");
    }

    private void TellOthers(RankFailure why)
    {
        if (why.WasTold && transport.Rank != 0) return;
        // By way of rank 0, unless it is the one.
        var to = transport.Rank == 0 || why.Rank == 0 ? Enumerable.Range(0, transport.Size) : [0];
        heartbeats.Tell(
            new(ControlKind.Failure, AsksForReply: false, why.Rank, why.Place with { Seconds = why.Seconds }, why.Host,
                why.Message),
            to);
    }

    private void LoseConnection(TransportException error)
    {
        // If the other rank ended for a reason, word of it is under way, perhaps by way of rank 0.
        var (peer, until) = (wire.Peer, wire.Now + LastWords.TotalSeconds);
        while (failure is null && wire.Now < until)
            try
            {
                if (heartbeats.Hear() is { } told) Break(Told(told));
                else Thread.Sleep(1);
            }
            catch (TransportException)
            {
                Thread.Sleep(1);
            }
        Break(FailureOf(
            peer, 0,
            FailureText.LostConnection(wire.NameOf(transport.Rank), wire.NameOf(peer), wire.Places[peer], error)) with
        {
            Cause = error,
        });
    }

    private void Mismatch(Exchange exchange, int peer, byte[] bytes)
    {
        var (rank, own) = (transport.Rank, exchange.HeaderFor(exchange.Receives[peer].Length));
        var (high, low) = (wire.NameOf(Math.Max(peer, rank)), wire.NameOf(Math.Min(peer, rank)));
        if (MessageHeader.Read(bytes) is not { } found)
        {
            Break(FailureOf(peer, 0, FailureText.OtherVersion(high, low)));
            return;
        }
        var call = MessageHeader.CallIn(bytes);
        var text = peer > rank
            ? FailureText.DifferentCalls(high, found, call, low, own, exchange.Text)
            : FailureText.DifferentCalls(high, own, exchange.Text, low, found, call);
        // The one that ended, else the other one.
        Break(own.IsEnd
            ? new(rank, transport.Host, new("", own.Step, 0), 0, text)
            : new(peer, wire.Hosts[peer] ?? "", new(found.IsEnd ? "" : call, found.Step, 0), 0, text));
    }

    private RankFailure Silence((int Rank, double Seconds)[] silent)
    {
        var (rank, seconds) = silent[0];
        return FailureOf(
            rank, seconds,
            FailureText.Silence(
                wire.NameOf(rank), wire.Heard[rank] >= 0, wire.Places[rank], seconds,
                silent.Skip(1).Select(one => wire.NameOf(one.Rank)), wire.NameOf(transport.Rank), timeout));
    }

    private RankFailure Hung(TimeSpan time) => FailureOf(
        wire.Peer, time.TotalSeconds,
        FailureText.Hung(transport.Name, wire.NameOf(transport.Rank), wire.NameOf(wire.Peer), time.TotalSeconds));

    private RankFailure FailureOf(int rank, double seconds, string text) =>
        new(rank, wire.Hosts[rank] ?? "", wire.Places[rank] ?? new("", 0, 0), seconds, text);

    private static RankFailure Told(ControlMessage message) =>
        new(message.Rank, message.Host, message.Place, message.Place.Seconds, message.Text) { WasTold = true };
}
