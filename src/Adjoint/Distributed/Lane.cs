namespace Adjoint.Distributed;

/// <summary>
/// The exchanges of one depth: those that callers began, or those that follow from them. Each rank begins them in the
/// same order, so that the n-th header from another rank belongs to the n-th exchange here, or tells that the ranks
/// are in different calls.
/// </summary>
internal sealed class Lane(Wire wire, int channel, Action<Exchange, int, byte[]> mismatch)
{
    private readonly Queue<Exchange> undelivered = [];
    private readonly Queue<Exchange>[] awaited =
        [.. Enumerable.Range(0, wire.Transport.Size).Select(_ => new Queue<Exchange>())];
    private readonly (Transfer? Transfer, byte[] Bytes)[] headers = new (Transfer?, byte[])[wire.Transport.Size];

    public long BytesSent { get; private set; }
    public long BytesReceived { get; private set; }
    public long Messages { get; private set; }

    public void Begin(Exchange exchange)
    {
        var (rank, size) = (wire.Transport.Rank, wire.Transport.Size);
        undelivered.Enqueue(exchange);
        for (var distance = 1; distance < size; distance++)
        {
            var peer = (rank + distance) % size;
            var bytes = exchange.Sends[peer];
            var header = wire.RentHeader();
            exchange.HeaderFor(bytes.Length).Write(header, wire.Transport.Host, exchange.Text);
            if (MessageHeader.Fits(bytes.Length)) bytes.Span.CopyTo(header.AsSpan(MessageHeader.Inline));
            wire.Post(exchange, peer, channel, header, header);
            if (!MessageHeader.Fits(bytes.Length)) wire.Post(exchange, peer, channel, bytes, header: null);
            (BytesSent, Messages) = (BytesSent + bytes.Length, Messages + (bytes.Length > 0 ? 1 : 0));
            exchange.Open++;
            wire.Open[peer]++;
            awaited[peer].Enqueue(exchange);
        }
    }

    /// <summary>Takes headers that have come, and has their messages received.</summary>
    /// <returns>Whether one came.</returns>
    public bool Progress()
    {
        var any = false;
        for (var peer = 0; peer < awaited.Length; peer++)
            while (awaited[peer].TryPeek(out var exchange) && TryTake(peer, exchange))
            {
                any = true;
                awaited[peer].Dequeue();
                exchange.Open--;
                wire.Open[peer]--;
            }
        return any;
    }

    /// <summary>The next exchange that is complete, in the order in which they were begun.</summary>
    public Exchange? TakeComplete() =>
        undelivered.TryPeek(out var exchange) && exchange.Open == 0 ? undelivered.Dequeue() : null;

    private bool TryTake(int peer, Exchange exchange)
    {
        ref var awaitedHeader = ref headers[peer];
        if (awaitedHeader.Transfer is null)
        {
            var bytes = wire.RentHeader();
            awaitedHeader = (wire.Receive(peer, channel, bytes), bytes);
        }
        if (!wire.IsDone(peer, awaitedHeader.Transfer!)) return false;
        awaitedHeader.Transfer = null;
        wire.Heard[peer] = wire.Now;
        wire.Hosts[peer] ??= MessageHeader.HostIn(awaitedHeader.Bytes);
        var header = MessageHeader.Read(awaitedHeader.Bytes);
        var expected = exchange.TakesAnyLength ? header?.Length ?? 0 : exchange.Receives[peer].Length;
        if (header is not { } found || found != exchange.HeaderFor(expected))
        {
            mismatch(exchange, peer, awaitedHeader.Bytes);
            return false;
        }
        wire.Places[peer] = new(exchange.Text, exchange.Step, 0);
        if (exchange.TakesAnyLength) exchange.Receives[peer] = Wire.Pinned(found.Length);
        var target = exchange.Receives[peer];
        if (MessageHeader.Fits(found.Length))
            awaitedHeader.Bytes.AsSpan(MessageHeader.Inline, found.Length).CopyTo(target.Span);
        else wire.PostReceive(exchange, peer, channel, target);
        BytesReceived += found.Length;
        wire.ReturnHeader(awaitedHeader.Bytes);
        return true;
    }
}
