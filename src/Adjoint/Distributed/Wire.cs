using System.Diagnostics;

namespace Adjoint.Distributed;

/// <summary>
/// The transport as the communicator's thread uses it: notes with whom it talks, when each rank was last heard of, and
/// how much is under way with each.
/// </summary>
internal sealed class Wire(Transport transport)
{
    private readonly List<Posted> posted = [];
    private volatile bool isInCall;
    private readonly Stack<byte[]> headers = [];
    private readonly long began = Stopwatch.GetTimestamp();

    private readonly record struct Posted(
        Transfer Transfer, int Peer, bool IsReceived, Exchange? Exchange, byte[]? Header);

    public Transport Transport => transport;

    /// <summary>The rank that the transport was last asked about.</summary>
    public int Peer { get; private set; }

    /// <summary>Whether the transport has not come back from being asked; read by other threads.</summary>
    public bool IsInCall => isInCall;

    /// <summary>When each rank was last heard of; negative: never.</summary>
    public double[] Heard { get; } = [.. Enumerable.Repeat(-1.0, transport.Size)];

    /// <summary>Where each rank was when last heard of.</summary>
    public Place?[] Places { get; } = new Place?[transport.Size];

    /// <summary>The machine of each rank that has been heard of.</summary>
    public string?[] Hosts { get; } = new string?[transport.Size];

    /// <summary>How many messages to and from each rank are under way or awaited.</summary>
    public int[] Open { get; } = new int[transport.Size];

    /// <summary>Seconds since the communicator was created.</summary>
    public double Now => Stopwatch.GetElapsedTime(began).TotalSeconds;

    /// <summary>How a rank is called in messages.</summary>
    public string NameOf(int rank)
    {
        var host = rank == transport.Rank ? transport.Host : Hosts[rank];
        return host is null ? $"rank {rank}" : $"rank {rank} on {host}";
    }

    public byte[] RentHeader() =>
        headers.TryPop(out var header) ? header : Pinned(MessageHeader.Size);

    public void ReturnHeader(byte[] header) => headers.Push(header);

    public Transfer Send(int to, int channel, ReadOnlyMemory<byte> bytes)
    {
        (Peer, isInCall) = (to, true);
        var transfer = transport.Send(to, channel, bytes);
        isInCall = false;
        return transfer;
    }

    public Transfer Receive(int from, int channel, Memory<byte> bytes)
    {
        (Peer, isInCall) = (from, true);
        var transfer = transport.Receive(from, channel, bytes);
        isInCall = false;
        return transfer;
    }

    public bool IsDone(int peer, Transfer transfer)
    {
        (Peer, isInCall) = (peer, true);
        var isDone = transport.IsDone(transfer);
        isInCall = false;
        return isDone;
    }

    /// <summary>Has a message of an exchange sent.</summary>
    public void Post(Exchange exchange, int to, int channel, ReadOnlyMemory<byte> bytes, byte[]? header)
    {
        exchange.Open++;
        Open[to]++;
        posted.Add(new(Send(to, channel, bytes), to, IsReceived: false, exchange, header));
    }

    /// <summary>Has a message of an exchange received, of which the header came.</summary>
    public void PostReceive(Exchange exchange, int from, int channel, Memory<byte> bytes)
    {
        exchange.Open++;
        Open[from]++;
        posted.Add(new(Receive(from, channel, bytes), from, IsReceived: true, exchange, Header: null));
    }

    /// <summary>Looks at all messages under way.</summary>
    /// <returns>Whether one is done.</returns>
    public bool Progress()
    {
        var kept = 0;
        for (var i = 0; i < posted.Count; i++)
        {
            var one = posted[i];
            if (!IsDone(one.Peer, one.Transfer))
            {
                posted[kept++] = one;
                continue;
            }
            if (one.IsReceived) Heard[one.Peer] = Now;
            if (one.Header is not null) ReturnHeader(one.Header);
            Open[one.Peer]--;
            one.Exchange!.Open--;
        }
        var any = kept < posted.Count;
        posted.RemoveRange(kept, posted.Count - kept);
        return any;
    }

    /// <summary>Memory that stays where it is, as native transports need it.</summary>
    public static byte[] Pinned(int length) => GC.AllocateUninitializedArray<byte>(length, pinned: true);
}
