namespace Adjoint.Distributed;

/// <summary>
/// What broke the world: makes a <see cref="RankFailure"/>, which names a rank, of what this rank has noticed.
/// </summary>
internal sealed class FailureDiagnosis(Wire wire, TimeSpan timeout)
{
    private int Rank => wire.Transport.Rank;

    private string Own => wire.NameOf(Rank);

    /// <summary>This rank failed.</summary>
    public RankFailure OfError(Place place, Exception error) =>
        new(Rank, wire.Transport.Host, place, 0, FailureText.Failed(Own, place, error)) { Cause = error };

    /// <summary>This rank ended all.</summary>
    public RankFailure OfAbort(Place place) =>
        new(Rank, wire.Transport.Host, place, 0, FailureText.Aborted(Own, place));

    /// <summary>Another rank is in another call than this one.</summary>
    /// <param name="exchange">This rank's call.</param>
    /// <param name="peer">The other rank.</param>
    /// <param name="bytes">Its header.</param>
    public RankFailure OfMismatch(Exchange exchange, int peer, ReadOnlySpan<byte> bytes)
    {
        var own = exchange.HeaderFor(exchange.Receives[peer].Length);
        var (high, low) = (wire.NameOf(Math.Max(peer, Rank)), wire.NameOf(Math.Min(peer, Rank)));
        if (MessageHeader.Read(bytes) is not { } found) return Of(peer, 0, FailureText.OtherVersion(high, low));
        var call = MessageHeader.CallIn(bytes);
        var text = peer > Rank
            ? FailureText.DifferentCalls(high, found, call, low, own, exchange.Text)
            : FailureText.DifferentCalls(high, own, exchange.Text, low, found, call);
        // The one that ended, else the other one.
        return own.IsEnd
            ? new(Rank, wire.Transport.Host, new("", own.Step, 0), 0, text)
            : new(peer, wire.Hosts[peer] ?? "", new(found.IsEnd ? "" : call, found.Step, 0), 0, text);
    }

    /// <summary>Others are silent, the one that has been for longest first.</summary>
    public RankFailure OfSilence(IReadOnlyList<(int Rank, double Seconds)> silent)
    {
        var (rank, seconds) = silent[0];
        return Of(
            rank, seconds,
            FailureText.Silence(
                wire.NameOf(rank), wire.Heard[rank] >= 0, wire.Places[rank], seconds,
                silent.Skip(1).Select(one => wire.NameOf(one.Rank)), Own, timeout));
    }

    /// <summary>A call of the transport does not come back.</summary>
    public RankFailure OfHungCall(double seconds) => Of(
        wire.Peer, seconds, FailureText.Hung(wire.Transport.Name, Own, wire.NameOf(wire.Peer), seconds));

    /// <summary>The transport has lost the connection to another rank.</summary>
    public RankFailure OfLostConnection(int peer, TransportException error) =>
        Of(peer, 0, FailureText.LostConnection(Own, wire.NameOf(peer), wire.Places[peer], error)) with
        {
            Cause = error,
        };

    private RankFailure Of(int rank, double seconds, string text) =>
        new(rank, wire.Hosts[rank] ?? "", wire.Places[rank] ?? new("", 0, 0), seconds, text);
}
