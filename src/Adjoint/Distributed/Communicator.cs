using System.Runtime.InteropServices;
using System.Text;
using Adjoint.Memory;

namespace Adjoint.Distributed;

/// <summary>
/// The ranks of one world, as one of them sees them: several processes that run the same program, each on its part of
/// the data, and that exchange what they computed. All ranks make the same calls in the same order, from one thread at
/// a time. Nothing hangs: a call ends with its result, or with a <see cref="RankFailureException"/> that names the rank
/// that died, that is silent, or that is in another call.
/// </summary>
public sealed class Communicator : IDisposable
{
    private readonly CommunicatorThread? thread;
    private readonly Transport? transport;
    private readonly Exchange? hello;
    private volatile string[] hosts = [Environment.MachineName];
    private int step;
    private bool disposed;

    /// <summary>Joins a world; the others do the same. The communicator owns the transport.</summary>
    /// <param name="transport">What carries the bytes: that of MPI, or a <see cref="LocalTransport"/>.</param>
    /// <param name="options">How it behaves; null: the defaults.</param>
    public Communicator(Transport transport, CommunicatorOptions? options = null)
    {
        (this.transport, hosts) = (transport, [transport.Host]);
        if (transport.Size == 1) return;
        thread = new(transport, (options ?? new()).Timeout);
        hello = thread.Begin(
            "hello", ToAll(Copy("hello", Encoding.UTF8.GetBytes(transport.Host))), receives: null,
            then: done => hosts = [.. done.Receives.Select(host => Encoding.UTF8.GetString(host.Span))]);
        // Only now: the world may break as soon as it runs.
        thread.Start();
    }

    private Communicator() { }

    /// <summary>A world of one: no thread, no transport, and each call is done at once.</summary>
    public static Communicator Alone => new();

    /// <summary>The number of this rank, from 0 on.</summary>
    public int Rank => transport?.Rank ?? 0;

    /// <summary>The number of ranks.</summary>
    public int Size => transport?.Size ?? 1;

    /// <summary>The machines that the ranks run on, by rank. Waits until all ranks have joined.</summary>
    /// <exception cref="RankFailureException">The world is broken.</exception>
    public IReadOnlyList<string> Hosts
    {
        get
        {
            hello?.Wait();
            return hosts;
        }
    }

    /// <summary>What carries the bytes, for reports: "Open MPI 4.1.4", "threads", or "alone".</summary>
    public string TransportName => transport?.Name ?? "alone";

    /// <summary>
    /// Where this rank is, in whatever the program counts. It goes with each call, and ranks whose calls are of
    /// different steps are told apart; in messages it says where a rank was when it was last heard of.
    /// </summary>
    public int Step
    {
        get => thread?.Step ?? step;
        set
        {
            step = value;
            if (thread is not null) thread.Step = value;
        }
    }

    /// <summary>
    /// Canceled as soon as the world is broken, even while this rank is in no call: so that it need not compute on.
    /// </summary>
    public CancellationToken Failure => thread?.Failure ?? CancellationToken.None;

    /// <summary>What was carried since the beginning, and what that cost.</summary>
    public CommunicationStatistics Statistics => thread?.Statistics ?? default;

    /// <summary>Gives each rank the bytes of all ranks.</summary>
    /// <param name="call">What this is about, for messages; the same on all ranks.</param>
    /// <param name="own">The bytes of this rank; their number may differ from rank to rank.</param>
    /// <returns>The bytes of each rank, by rank.</returns>
    /// <exception cref="RankFailureException">The world is broken.</exception>
    /// <exception cref="AdjointException">
    /// There are more bytes than an array takes, or the communicator is disposed of.
    /// </exception>
    public byte[][] AllGather(string call, ReadOnlySpan<byte> own)
    {
        var text = $"all-gather '{call}'";
        RefuseCapture(text);
        return Collect(Start(text, ToAll(Copy(text, own)), receives: null, then: null));
    }

    /// <summary>
    /// Gives each rank the tensors of all ranks: the outputs of their samples, for instance, for a measure of all.
    /// <c>Tensor.Concat(communicator.AllGather("outputs", output))</c> is one tensor of them.
    /// </summary>
    /// <param name="call">What this is about, for messages; the same on all ranks.</param>
    /// <param name="own">The tensor of this rank, of any type; shapes and types may differ from rank to rank.</param>
    /// <returns>
    /// Copies of each rank's tensor, by rank, with the same bits on all ranks. No gradient passes through them, other
    /// than through <see cref="RankMethods.SumOverRanks"/>.
    /// </returns>
    /// <exception cref="RankFailureException">The world is broken.</exception>
    /// <exception cref="AdjointException">The communicator is disposed of.</exception>
    public Tensor[] AllGather(string call, Tensor own)
    {
        ArgumentNullException.ThrowIfNull(own);
        RefuseCapture($"all-gather '{call}'");
        var all = TensorMessages.AllGather(this, call, number: 0, own);
        using var _ = new NoGrad();
        return [.. all.Select((one, rank) => rank == Rank ? one.Tensor!.Clone().Keep() : one.Tensor!)];
    }

    /// <summary>Gives all ranks the bytes of one.</summary>
    /// <param name="call">What this is about, for messages; the same on all ranks.</param>
    /// <param name="bytes">The bytes, on the rank that has them; nothing on the others.</param>
    /// <param name="root">The rank that has them.</param>
    /// <returns>The bytes of the root, on every rank.</returns>
    /// <exception cref="RankFailureException">The world is broken.</exception>
    /// <exception cref="AdjointException">
    /// There is no such rank, a rank that does not have the bytes gives some, there are more of them than an array
    /// takes, or the communicator is disposed of.
    /// </exception>
    public byte[] Broadcast(string call, ReadOnlySpan<byte> bytes, int root = 0)
    {
        if (root < 0 || root >= Size)
            throw new AdjointException(
                $"Communicator: broadcast '{call}': the root must be one of the {Size} ranks: found {root}");
        if (Rank != root && bytes.Length > 0)
            throw new AdjointException(
                $"Communicator: broadcast '{call}': only the root, rank {root}, gives bytes: found {bytes.Length} on "
                + $"rank {Rank}; give nothing there");
        var text = $"broadcast '{call}' from rank {root}";
        RefuseCapture(text);
        var sends = Rank == root ? ToAll(Copy(text, bytes)) : ToAll(default);
        return Collect(Start(text, sends, receives: null, then: null))[root];
    }

    /// <summary>
    /// Gives all ranks the tensors of one, by name, so that they begin with the same weights, for instance:
    /// <c>model.LoadStateDict(communicator.Broadcast("weights", model.StateDict()))</c>.
    /// </summary>
    /// <param name="call">What this is about, for messages; the same on all ranks.</param>
    /// <param name="tensors">The tensors of the root; what other ranks give is not looked at, and may be null.</param>
    /// <param name="root">The rank that has them.</param>
    /// <returns>The tensors of the root, in its order, with the same bits: those given there, copies elsewhere.
    /// </returns>
    /// <exception cref="RankFailureException">The world is broken.</exception>
    /// <exception cref="AdjointException">There is no such rank, or the communicator is disposed of.</exception>
    public IReadOnlyDictionary<string, Tensor> Broadcast(
        string call, IReadOnlyDictionary<string, Tensor>? tensors, int root = 0)
    {
        if (Rank == root) ArgumentNullException.ThrowIfNull(tensors);
        return TensorMessages.Broadcast(
            this, call, tensors is null ? null : (tensors, new Dictionary<string, string>()), root)!.Value.Tensors;
    }

    /// <summary>Waits until all ranks have come to the same call.</summary>
    /// <param name="call">What this is about, for messages; the same on all ranks.</param>
    /// <exception cref="RankFailureException">The world is broken.</exception>
    /// <exception cref="AdjointException">The communicator is disposed of.</exception>
    public void Barrier(string call)
    {
        var text = $"barrier '{call}'";
        RefuseCapture(text);
        Start(text, ToAll(default), receives: null, then: null).Wait();
    }

    /// <summary>
    /// Refuses ranks that were started differently: compares facts, such as settings and versions, with those of rank
    /// 0. All ranks throw the same.
    /// </summary>
    /// <param name="facts">Names and values.</param>
    /// <exception cref="AdjointException">Some differ; the message names the ranks, the facts and their values.
    /// </exception>
    /// <exception cref="RankFailureException">The world is broken.</exception>
    public void RequireAlike(IReadOnlyList<(string Name, string Value)> facts)
    {
        if (thread is null) return;
        var all = AllGather("settings", FactComparison.ToBytes(facts));
        if (FactComparison.Differences(all, rank => $"rank {rank} on {Hosts[rank]}") is { } differences)
            throw new AdjointException($"{differences}; start all ranks with the same program, data and settings");
    }

    /// <summary>
    /// Tells all other ranks why this one ends; they throw a <see cref="RankFailureException"/> where they wait or at
    /// their next call. Dispose of the communicator afterwards, so that the message is sent.
    /// </summary>
    /// <param name="error">Why it ends. Nothing is told where the world is broken already.</param>
    public void Fail(Exception error) => thread?.Fail(error);

    /// <summary>
    /// Ends all ranks that can be reached, however busy they are: with MPI, all processes, this one included.
    /// </summary>
    /// <param name="exitCode">The exit code of the processes.</param>
    public void Abort(int exitCode) => thread?.Abort(exitCode);

    /// <summary>
    /// Leaves the world: waits until all other ranks do so, too, but not in a broken world. A rank that still waits in
    /// a call for one that left is told so.
    /// </summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref disposed, true)) return;
        if (thread is null) transport?.Dispose();
        else thread.Dispose();
    }

    /// <summary>Whether it has a thread, which ends with it.</summary>
    internal bool IsRunning => thread?.IsRunning ?? false;

    /// <summary>Begins an exchange of all ranks, for which nobody waits yet.</summary>
    /// <param name="call">The call, with what it is about: gradients 'bucket 2'. The same on all ranks.</param>
    /// <param name="sends">What goes to each rank, by rank; it stays as it is until the exchange is done.</param>
    /// <param name="receives">
    /// Where what comes from each rank goes, by rank; both sides know the lengths. What this rank gives to itself is
    /// copied.
    /// </param>
    /// <param name="what">The shapes and types that all ranks have in common, for the comparison of calls.</param>
    /// <param name="then">
    /// What follows, on the communicator's thread, in the order in which exchanges were begun. It may begin exchanges,
    /// but not wait for any.
    /// </param>
    /// <returns>The exchange, to wait for.</returns>
    /// <exception cref="RankFailureException">The world is broken.</exception>
    /// <exception cref="AdjointException">
    /// There is not one entry per rank, the lengths for this rank differ, or the communicator is disposed of.
    /// </exception>
    internal Exchange Begin(
        string call, ReadOnlyMemory<byte>[] sends, Memory<byte>[] receives, string what, Action? then = null)
    {
        if (sends.Length != Size || receives.Length != Size)
            throw new AdjointException(
                $"Communicator: {call}: expected one entry for each of {Size} ranks: found {sends.Length} to send and "
                + $"{receives.Length} to receive");
        if (sends[Rank].Length != receives[Rank].Length)
            throw new AdjointException(
                $"Communicator: {call}: rank {Rank} gives itself {sends[Rank].Length} bytes and takes "
                + $"{receives[Rank].Length}; these must be equal");
        return Start(what.Length == 0 ? call : $"{call} {what}", sends, receives, then);
    }

    private Exchange Start(string text, ReadOnlyMemory<byte>[] sends, Memory<byte>[]? receives, Action? then)
    {
        // What follows an exchange that is still under way is part of it.
        if (Volatile.Read(ref disposed) && thread is not { IsCaller: true })
            throw new AdjointException($"Communicator: {text}: it is disposed of; dispose of it after the last call");
        Action<Exchange>? follows = then is null ? null : _ => then();
        if (thread is not null) return thread.Begin(text, sends, receives, follows);
        var exchange = new Exchange(thread: null, Rank, text, step, sends, receives, follows) { IsDone = true };
        then?.Invoke();
        return exchange;
    }

    // A replay would not call it. Primitives do, which are replayed.
    private static void RefuseCapture(string text)
    {
        if (Execution.Current.Arena is { IsComputing: false })
            Arena.Refuse($"{text} is called between operations, and a replay would not; add with SumOverRanks, or "
                + "exchange outside of the captured function");
    }

    private static byte[][] Collect(Exchange exchange)
    {
        exchange.Wait();
        return [.. exchange.Receives.Select(BytesOf)];
    }

    // What came was allocated for it.
    private static byte[] BytesOf(Memory<byte> bytes) =>
        MemoryMarshal.TryGetArray<byte>(bytes, out var segment) && segment.Array is { } array
            && array.Length == bytes.Length
            ? array
            : bytes.ToArray();

    private ReadOnlyMemory<byte>[] ToAll(ReadOnlyMemory<byte> bytes) => [.. Enumerable.Repeat(bytes, Size)];

    private static byte[] Copy(string call, ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > Array.MaxLength)
            throw new AdjointException(
                $"Communicator: {call}: a message has at most {Array.MaxLength} bytes: found {bytes.Length}; send it "
                + "in parts");
        var copy = Wire.Pinned(bytes.Length);
        bytes.CopyTo(copy);
        return copy;
    }
}
