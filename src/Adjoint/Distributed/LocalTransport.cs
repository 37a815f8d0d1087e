using System.Diagnostics;

namespace Adjoint.Distributed;

/// <summary>
/// Ranks that are threads of one process, without any network: to try and to test a program for several ranks.
/// </summary>
/// <remarks>
/// Messages above 4 KiB are done only when they were received, as with most networks. What belongs to the process is
/// the ranks' in common, <see cref="Generator.Default"/> among it: give layers that draw random numbers generators of
/// their own.
/// </remarks>
public sealed class LocalTransport : Transport
{
    private const int Eager = 4096;

    private readonly World world;

    private LocalTransport(World world, int rank) => (this.world, Rank) = (world, rank);

    /// <inheritdoc/>
    public override int Rank { get; }

    /// <inheritdoc/>
    public override int Size => world.Size;

    /// <inheritdoc/>
    public override string Name => "threads";

    /// <inheritdoc/>
    public override string Host => HostName ?? base.Host;

    /// <summary>Another name than the machine's, to tell ranks apart in messages.</summary>
    internal string? HostName { get; init; }

    /// <summary>Creates a world. Each rank takes its transport to a <see cref="Communicator"/>.</summary>
    /// <param name="ranks">The number of ranks, 1 or more.</param>
    /// <returns>The transports, by rank.</returns>
    /// <exception cref="AdjointException">The number of ranks is less than 1.</exception>
    public static LocalTransport[] Create(int ranks) => Create(ranks, hosts: null);

    internal static LocalTransport[] Create(int ranks, Func<int, string>? hosts)
    {
        if (ranks < 1)
            throw new AdjointException($"LocalTransport: the number of ranks must be positive: found {ranks}");
        var world = new World(ranks);
        return [.. Enumerable.Range(0, ranks)
            .Select(rank => new LocalTransport(world, rank) { HostName = hosts?.Invoke(rank) })];
    }

    /// <inheritdoc/>
    public override Transfer Send(int to, int channel, ReadOnlyMemory<byte> bytes)
    {
        world.Hold(Rank);
        var link = world.Link(Rank, to, channel);
        var message = new Message(link)
        {
            Source = bytes.Length <= Eager ? bytes.ToArray() : bytes,
            Due = Stopwatch.GetTimestamp() + world.Delay.Ticks * Stopwatch.Frequency / TimeSpan.TicksPerSecond,
            IsDone = bytes.Length <= Eager,
        };
        lock (link)
        {
            link.Sent.Enqueue(message);
            world.Match(link);
        }
        return message;
    }

    /// <inheritdoc/>
    public override Transfer Receive(int from, int channel, Memory<byte> bytes)
    {
        world.Hold(Rank);
        var link = world.Link(from, Rank, channel);
        var message = new Message(link) { Target = bytes };
        lock (link)
        {
            link.Awaited.Enqueue(message);
            world.Match(link);
        }
        return message;
    }

    /// <inheritdoc/>
    public override bool IsDone(Transfer transfer)
    {
        world.Hold(Rank);
        var message = (Message)transfer;
        lock (message.Link)
        {
            if (world.AbortedBy is { } rank && (rank == message.Link.From || rank == message.Link.To))
                throw new TransportException($"rank {rank} ended all ranks");
            if (!message.IsDone) world.Match(message.Link);
            return message.Error is { } error ? throw new TransportException(error) : message.IsDone;
        }
    }

    /// <inheritdoc/>
    public override void Abort(int exitCode) => world.AbortedBy = Rank;

    /// <inheritdoc/>
    protected override void Dispose(bool disposing) { }

    /// <summary>Faults, on purpose: how long each message that is sent from now on takes.</summary>
    internal TimeSpan Delay { set => world.Delay = value; }

    /// <summary>Faults, on purpose: no message passes between two ranks until <see cref="Mend"/>.</summary>
    internal void Cut(int a, int b) => world.SetCut(a, b, cut: true);

    /// <summary>The opposite of <see cref="Cut"/>: what was sent meanwhile arrives, as over TCP.</summary>
    internal void Mend(int a, int b) => world.SetCut(a, b, cut: false);

    /// <summary>Faults, on purpose: nothing is heard of a rank any more, as of one whose machine is off.</summary>
    internal void Stop(int rank)
    {
        for (var other = 0; other < Size; other++) Cut(rank, other);
    }

    /// <summary>
    /// Faults, on purpose: every call of a rank blocks, as in a driver that hangs, until it is let go.
    /// </summary>
    internal void Hang(int rank, ManualResetEventSlim until) => world.SetHanging(rank, until);

    private sealed class Message(Link link) : Transfer
    {
        public Link Link { get; } = link;
        public ReadOnlyMemory<byte> Source { get; init; }
        public Memory<byte> Target { get; init; }
        public long Due { get; init; }
        public bool IsDone { get; set; }
        public string? Error { get; set; }
    }

    // The messages of one channel from one rank to another, each side in its order.
    private sealed class Link(int from, int to)
    {
        public int From { get; } = from;
        public int To { get; } = to;
        public Queue<Message> Sent { get; } = [];
        public Queue<Message> Awaited { get; } = [];
    }

    private sealed class World(int size)
    {
        private readonly Dictionary<(int From, int To, int Channel), Link> links = [];
        private readonly bool[,] cut = new bool[size, size];
        private readonly ManualResetEventSlim?[] hanging = new ManualResetEventSlim?[size];
        private volatile int abortedBy = -1;

        public int Size { get; } = size;

        public TimeSpan Delay { get; set; }

        public int? AbortedBy
        {
            get => abortedBy is >= 0 and var rank ? rank : null;
            set => abortedBy = value ?? -1;
        }

        public void SetCut(int a, int b, bool cut)
        {
            Volatile.Write(ref this.cut[a, b], cut);
            Volatile.Write(ref this.cut[b, a], cut);
        }

        public void SetHanging(int rank, ManualResetEventSlim until) => Volatile.Write(ref hanging[rank], until);

        public void Hold(int rank) => Volatile.Read(ref hanging[rank])?.Wait();

        public Link Link(int from, int to, int channel)
        {
            lock (links)
            {
                if (!links.TryGetValue((from, to, channel), out var link))
                    links[(from, to, channel)] = link = new(from, to);
                return link;
            }
        }

        public void Match(Link link)
        {
            if (Volatile.Read(ref cut[link.From, link.To])) return;
            while (link.Sent.TryPeek(out var sent) && link.Awaited.TryPeek(out var awaited)
                && sent.Due <= Stopwatch.GetTimestamp())
            {
                if (sent.Source.Length == awaited.Target.Length) sent.Source.CopyTo(awaited.Target);
                else awaited.Error = $"a message of {sent.Source.Length} bytes came where {awaited.Target.Length} "
                    + "were expected";
                link.Sent.Dequeue().IsDone = true;
                link.Awaited.Dequeue().IsDone = true;
            }
        }
    }
}
