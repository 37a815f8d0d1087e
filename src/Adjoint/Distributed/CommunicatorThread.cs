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

    // .NET waits for at most 24 days.
    private static readonly TimeSpan LongestJoin = TimeSpan.FromDays(1);

    private readonly object gate = new();
    private readonly CancellationTokenSource source = new();
    private readonly Transport transport;
    private readonly ProgressEngine engine;
    private readonly AbortRequest abort;
    private readonly TimeSpan timeout;
    private readonly Thread thread;

    // Under the gate; what is volatile is also read without it.
    private readonly Queue<Exchange> begun = [];
    private readonly List<(Exchange Exchange, long Since)> blocked = [];
    private readonly ActivityTimer waiting = new(), underWay = new();
    private volatile RankFailure? failure;
    private bool closing;
    private long closed, rounds;
    private CommunicationStatistics carried;

    // The thread's own.
    private Exchange? delivered;

    private volatile int step;

    public CommunicatorThread(Transport transport, TimeSpan timeout)
    {
        (this.transport, this.timeout) = (transport, timeout);
        engine = new(transport, timeout, Here, Break);
        abort = new(transport, gate);
        thread = new(Run) { IsBackground = true, Name = $"communicator of rank {transport.Rank}" };
    }

    public bool IsRunning => thread.IsAlive;

    /// <summary>Whether the caller is what follows an exchange.</summary>
    public bool IsCaller => Thread.CurrentThread == thread;

    public CancellationToken Failure => source.Token;

    public int Step
    {
        get => step;
        set => step = value;
    }

    public CommunicationStatistics Statistics
    {
        get
        {
            lock (gate) return carried with { WaitTime = waiting.Elapsed, TransferTime = underWay.Elapsed };
        }
    }

    /// <summary>Begins the thread; exchanges can be begun before.</summary>
    public void Start() => thread.Start();

    /// <summary>Begins an exchange; from what follows another one, it belongs to the same step.</summary>
    public Exchange Begin(
        string text, ReadOnlyMemory<byte>[] sends, Memory<byte>[]? receives, Action<Exchange>? then,
        bool isEnd = false)
    {
        var parent = IsCaller ? delivered : null;
        var exchange = new Exchange(this, transport.Rank, text, parent?.Step ?? step, sends, receives, then)
        {
            Depth = parent is null ? 0 : parent.Depth + 1,
            IsEnd = isEnd,
        };
        lock (gate)
        {
            if (failure is { } broken) throw new RankFailureException(broken);
            begun.Enqueue(exchange);
            underWay.Begin();
            Monitor.PulseAll(gate);
        }
        return exchange;
    }

    public void Wait(Exchange exchange)
    {
        if (IsCaller && !exchange.IsDone)
            throw new AdjointException(
                $"Communicator: {exchange.Text}: what follows an exchange runs on the communicator's thread and must "
                + "not wait for another one; begin it and give it what follows");
        lock (gate)
        {
            if (exchange.IsDone) return;
            var waiter = (exchange, Stopwatch.GetTimestamp());
            blocked.Add(waiter);
            waiting.Begin();
            Monitor.PulseAll(gate);
            try
            {
                Block(exchange);
            }
            finally
            {
                blocked.Remove(waiter);
                waiting.End();
            }
            if (!exchange.IsDone) throw new RankFailureException(failure!);
        }
    }

    /// <summary>Ends the world for all: this rank failed.</summary>
    public void Fail(Exception error) =>
        Break(engine.Diagnosis.OfError(
            IsCaller && delivered is { } exchange ? new(exchange.Text, exchange.Step, 0) : Here(), error));

    /// <summary>Ends all ranks, by the transport.</summary>
    public void Abort(int exitCode)
    {
        if (thread.IsAlive && abort.Ask(exitCode, LastWords)) Break(engine.Diagnosis.OfAbort(Here()));
    }

    /// <summary>Ends: in an orderly world when all do, in a broken one at once.</summary>
    public void Dispose()
    {
        try
        {
            Begin("the end", new ReadOnlyMemory<byte>[transport.Size], receives: null, then: null, isEnd: true).Wait();
        }
        catch (RankFailureException)
        {
            // Whoever waits in a call has been told, or will be.
        }
        lock (gate)
        {
            (closing, closed) = (true, Stopwatch.GetTimestamp());
            Monitor.PulseAll(gate);
        }
        // In a broken world it stops within its last words, unless a call of the transport hangs.
        _ = thread.Join(failure is not null ? 2 * LastWords : timeout < LongestJoin ? timeout : LongestJoin);
    }

    private void Block(Exchange exchange)
    {
        // The thread counts its rounds: where it does not, a call of the transport does not come back. Or a busy
        // machine does not let it run; then it is hardly ever within a call. Time for which this thread was stopped,
        // with its process, does not count: the other one was, too.
        var slice = TimeSpan.FromSeconds(Math.Min(1, timeout.TotalSeconds / 4));
        var (seen, checkedAt, unanswered) = (rounds, Stopwatch.GetTimestamp(), TimeSpan.Zero);
        while (!exchange.IsDone && failure is null)
        {
            Monitor.Wait(gate, slice);
            var waited = Stopwatch.GetElapsedTime(checkedAt);
            checkedAt = Stopwatch.GetTimestamp();
            if (seen != rounds || !engine.IsInCall) (seen, unanswered) = (rounds, TimeSpan.Zero);
            else unanswered += waited < slice ? waited : slice;
            if (unanswered >= timeout) Break(engine.Diagnosis.OfHungCall(unanswered.TotalSeconds));
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
                if (Round(out var progressed))
                {
                    Close();
                    return;
                }
                if (!progressed) Pause();
            }
            catch (TransportException error)
            {
                Break(engine.FailureOf(error, LastWords));
            }
            catch (Exception error)
            {
                Fail(error);
            }
        engine.Tell(failure);
        while (true)
        {
            AbortIfAsked();
            var told = engine.AllTold();
            lock (gate)
            {
                if (closing && (told || Stopwatch.GetElapsedTime(closed) > LastWords)) return;
                if (!abort.IsOpen)
                    Monitor.Wait(gate, told && !closing ? Timeout.InfiniteTimeSpan : TimeSpan.FromMilliseconds(1));
            }
        }
    }

    private void AbortIfAsked()
    {
        try
        {
            if (abort.Fulfill()) Break(engine.Diagnosis.OfAbort(Here()));
        }
        catch (Exception error)
        {
            Fail(error);
        }
    }

    // All have left: nobody could be told of an error.
    private void Close()
    {
        try
        {
            transport.Dispose();
        }
        catch (Exception error)
        {
            Fail(error);
        }
    }

    // Returns true when the world ended in order.
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
                // What is under way was begun by all ranks before they left.
                leaving = closing && !underWay.IsRunning;
                if (!begun.TryDequeue(out exchange)) break;
            }
            engine.Begin(exchange);
            progressed = true;
        }
        progressed |= engine.Progress();
        while (failure is null && engine.TakeComplete() is { } complete)
        {
            Deliver(complete);
            progressed = true;
        }
        return engine.Control(leaving);
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
            underWay.End();
            carried = engine.Carried;
            Monitor.PulseAll(gate);
        }
    }

    // A message takes several rounds. While nobody waits for it, the cores are for computing.
    private void Pause()
    {
        var isSlow = engine.Idle > Spin;
        bool isAwaited;
        lock (gate)
        {
            if (begun.Count > 0) return;
            if (!underWay.IsRunning || isSlow)
            {
                Monitor.Wait(gate, underWay.IsRunning || closing ? TimeSpan.FromMilliseconds(1) : engine.Pause);
                return;
            }
            isAwaited = waiting.IsRunning;
        }
        if (isAwaited) Thread.Yield();
        else Platform.SleepBriefly();
    }

    // Where this rank is.
    private Place Here()
    {
        lock (gate)
            return blocked.Count > 0 && blocked[0] is var (exchange, since)
                ? new(exchange.Text, exchange.Step, Stopwatch.GetElapsedTime(since).TotalSeconds)
                : new("", step, 0);
    }
}
