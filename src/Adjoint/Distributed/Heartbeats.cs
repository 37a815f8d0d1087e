namespace Adjoint.Distributed;

/// <summary>
/// Who is there. Rank 0 hears from all and all hear from rank 0, regularly; any other two ranks, only while one waits
/// for the other. Whoever is not heard of for most of the timeout is silent: dead, stopped, or cut off, since a rank
/// that computes is heard of all the same.
/// </summary>
internal sealed class Heartbeats
{
    /// <summary>The channel of what ranks tell each other beside the calls.</summary>
    public const int Channel = 0;

    // A rank that has not been heard of at all may still be starting.
    private const double StartFactor = 3;

    private readonly Wire wire;
    private readonly double limit, interval;
    private readonly (Transfer? Transfer, byte[] Bytes)[] incoming, outgoing;
    private readonly bool[] parted;
    private readonly double[] sent, asked, asking;
    private readonly List<(int Peer, Transfer Transfer, byte[] Bytes)> notices = [];
    private double began, checkedAt;
    private bool parting;

    public Heartbeats(Wire wire, TimeSpan timeout)
    {
        var size = wire.Transport.Size;
        this.wire = wire;
        limit = 0.9 * timeout.TotalSeconds;
        interval = Math.Min(1, timeout.TotalSeconds / 10);
        (parted, incoming) = (new bool[size], new (Transfer?, byte[])[size]);
        outgoing = [.. Enumerable.Range(0, size).Select(_ => ((Transfer?)null, Wire.Pinned(ControlMessage.Size)))];
        (sent, asked, asking) = (Never(), Never(), Never());

        double[] Never() => [.. Enumerable.Repeat(double.NegativeInfinity, size)];
    }

    private int Rank => wire.Transport.Rank;

    private IEnumerable<int> Others =>
        Enumerable.Range(0, wire.Transport.Size).Where(peer => peer != wire.Transport.Rank);

    /// <summary>The longest time that this thread may sleep.</summary>
    public TimeSpan Pause => TimeSpan.FromSeconds(Math.Min(0.02, interval / 4));

    /// <summary>Takes what has come.</summary>
    /// <returns>The world is broken, says another rank.</returns>
    public ControlMessage? Hear()
    {
        foreach (var peer in Others)
            if (Hear(peer) is { } told) return told;
        return null;
    }

    /// <summary>Takes what has come from those to which there still is a connection.</summary>
    /// <returns>The world is broken, says another rank.</returns>
    public ControlMessage? HearSurvivors()
    {
        foreach (var peer in Others)
            try
            {
                if (Hear(peer) is { } told) return told;
            }
            catch (Exception)
            {
                // Not one of them.
            }
        return null;
    }

    /// <summary>Tells those who want to know that this rank is there.</summary>
    /// <param name="here">Where it is.</param>
    public void Beat(ControlMessage here)
    {
        var now = wire.Now;
        foreach (var peer in Others)
        {
            var waits = wire.Open[peer] > 0;
            if (!waits) asking[peer] = double.NegativeInfinity;
            else if (double.IsNegativeInfinity(asking[peer])) asking[peer] = now;
            var wanted = IsNeighbor(peer) || (waits && now - asking[peer] >= interval)
                || now - asked[peer] < 2 * interval;
            if (!wanted || now - sent[peer] < interval) continue;
            ref var message = ref outgoing[peer];
            // What a silent rank does not take must not pile up.
            if (message.Transfer is not null && !wire.IsDone(peer, message.Transfer)) continue;
            (here with { AsksForReply = waits }).Write(message.Bytes);
            (message.Transfer, sent[peer]) = (wire.Send(peer, Channel, message.Bytes), now);
        }
    }

    /// <summary>Who is silent, and for how long, in seconds.</summary>
    public (int Rank, double Seconds)[] Silent()
    {
        var now = wire.Now;
        // Where this thread itself did not run, on a busy machine or as its process was stopped, it could not hear the
        // others: from one look to the next, only the time in which a heartbeat is due counts as silence.
        var deaf = now - checkedAt - interval;
        checkedAt = now;
        if (deaf > 0)
        {
            began = Math.Min(now, began + deaf);
            foreach (var peer in Others)
            {
                if (wire.Heard[peer] >= 0) wire.Heard[peer] = Math.Min(now, wire.Heard[peer] + deaf);
                asking[peer] = Math.Min(now, asking[peer] + deaf);
            }
        }
        return
        [
            .. from peer in Others
               where !parted[peer] && (IsNeighbor(peer) || wire.Open[peer] > 0)
               let since = Math.Max(wire.Heard[peer], IsNeighbor(peer) ? began : asking[peer])
               let patience = wire.Heard[peer] < 0 ? StartFactor * limit : limit
               where now - since > patience
               orderby since
               select (peer, now - since),
        ];
    }

    /// <summary>Sends a message once, to some or all.</summary>
    public void Tell(ControlMessage message, IEnumerable<int> peers)
    {
        foreach (var peer in peers.Where(peer => peer != Rank))
            try
            {
                var bytes = Wire.Pinned(ControlMessage.Size);
                message.Write(bytes);
                notices.Add((peer, wire.Send(peer, Channel, bytes), bytes));
            }
            catch (Exception)
            {
                // Whom nothing reaches, nothing can be told.
            }
    }

    /// <summary>Whether everything that was told has been sent.</summary>
    public bool AllTold()
    {
        notices.RemoveAll(notice =>
        {
            try
            {
                return wire.IsDone(notice.Peer, notice.Transfer);
            }
            catch (Exception)
            {
                return true;
            }
        });
        return notices.Count == 0;
    }

    /// <summary>Says goodbye, once: the last message of this rank in an orderly world.</summary>
    public void Part(ControlMessage here)
    {
        if (parting) return;
        parting = true;
        Tell(here with { Kind = ControlKind.Goodbye }, Others);
    }

    /// <summary>Whether all ranks have said goodbye, and nothing is under way any more.</summary>
    public bool HaveParted()
    {
        if (!parting || !Others.All(peer => parted[peer]) || !AllTold()) return false;
        foreach (var peer in Others)
            if (outgoing[peer].Transfer is { } transfer)
            {
                if (!wire.IsDone(peer, transfer)) return false;
                outgoing[peer].Transfer = null;
            }
        return true;
    }

    private ControlMessage? Hear(int peer)
    {
        while (!parted[peer])
        {
            ref var message = ref incoming[peer];
            if (message.Transfer is null)
            {
                message.Bytes ??= Wire.Pinned(ControlMessage.Size);
                message.Transfer = wire.Receive(peer, Channel, message.Bytes);
            }
            if (!wire.IsDone(peer, message.Transfer)) break;
            message.Transfer = null;
            wire.Heard[peer] = wire.Now;
            var found = ControlMessage.Read(message.Bytes);
            if (found.Kind == ControlKind.Failure) return found;
            (wire.Places[peer], wire.Hosts[peer]) = (found.Place, found.Host);
            parted[peer] = found.Kind == ControlKind.Goodbye;
            if (found.AsksForReply) asked[peer] = wire.Now;
        }
        return null;
    }

    private bool IsNeighbor(int peer) => Rank == 0 || peer == 0;
}
