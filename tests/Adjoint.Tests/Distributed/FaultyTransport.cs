using Adjoint.Distributed;

namespace Adjoint.Tests.Distributed;

using Transfer = Adjoint.Distributed.Transfer;

/// <summary>A transport with which messages to and from some ranks fail.</summary>
internal sealed class FaultyTransport(Transport inner) : Transport
{
    private volatile Func<int, Exception?> fault = _ => null;

    public override int Rank => inner.Rank;

    public override int Size => inner.Size;

    public override string Name => inner.Name;

    public override string Host
    {
        get
        {
            Thread.Sleep(HostDelay);
            return inner.Host;
        }
    }

    /// <summary>How long it takes to find out where it runs.</summary>
    public TimeSpan HostDelay { get; init; }

    /// <summary>What a call about another rank throws; null: nothing.</summary>
    public Func<int, Exception?> Fault
    {
        set => fault = value;
    }

    public override Transfer Send(int to, int channel, ReadOnlyMemory<byte> bytes) =>
        new PeerTransfer(inner.Send(to, channel, bytes), to);

    public override Transfer Receive(int from, int channel, Memory<byte> bytes) =>
        new PeerTransfer(inner.Receive(from, channel, bytes), from);

    public override bool IsDone(Transfer transfer)
    {
        var one = (PeerTransfer)transfer;
        return fault(one.Peer) is { } error ? throw error : inner.IsDone(one.Inner);
    }

    public override void Abort(int exitCode) => inner.Abort(exitCode);

    protected override void Dispose(bool disposing) => inner.Dispose();

    private sealed class PeerTransfer(Transfer inner, int peer) : Transfer
    {
        public Transfer Inner => inner;
        public int Peer => peer;
    }
}
