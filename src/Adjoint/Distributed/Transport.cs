namespace Adjoint.Distributed;

/// <summary>
/// Carries bytes between the ranks of one world, which are numbered from 0. Nothing blocks: a message is begun by
/// <see cref="Send"/> or <see cref="Receive"/> and polled by <see cref="IsDone"/>. All calls come from one thread, that
/// of the <see cref="Communicator"/>, which owns the transport. Messages from one rank to another on one channel arrive
/// in the order in which they were sent, and are received in the order of the calls of <see cref="Receive"/>.
/// </summary>
public abstract class Transport : IDisposable
{
    /// <summary>The number of this rank, from 0 on.</summary>
    public abstract int Rank { get; }

    /// <summary>The number of ranks, 1 or more.</summary>
    public abstract int Size { get; }

    /// <summary>What carries the bytes, with its version, for reports: "Open MPI 4.1.4".</summary>
    public abstract string Name { get; }

    /// <summary>The machine that this rank runs on, for messages.</summary>
    public virtual string Host => Environment.MachineName;

    /// <summary>Begins to send a message.</summary>
    /// <param name="to">The receiving rank; never this one.</param>
    /// <param name="channel">Messages on other channels are independent: 0 or more, a handful in all.</param>
    /// <param name="bytes">The message; it stays as it is until the transfer is done.</param>
    /// <returns>The message under way.</returns>
    /// <exception cref="TransportException">The other rank cannot be reached any more.</exception>
    public abstract Transfer Send(int to, int channel, ReadOnlyMemory<byte> bytes);

    /// <summary>Begins to receive a message.</summary>
    /// <param name="from">The sending rank; never this one.</param>
    /// <param name="channel">The channel on which it is sent.</param>
    /// <param name="bytes">Where the message goes; it must have exactly this length.</param>
    /// <returns>The message under way.</returns>
    /// <exception cref="TransportException">The other rank cannot be reached any more.</exception>
    public abstract Transfer Receive(int from, int channel, Memory<byte> bytes);

    /// <summary>
    /// Whether a message has been sent, so that its memory is free again, or received. Makes progress.
    /// </summary>
    /// <param name="transfer">A message of this transport. It is not asked about again once it is done.</param>
    /// <returns>True once it is done.</returns>
    /// <exception cref="TransportException">
    /// The connection is lost, or the message that arrived has another length.
    /// </exception>
    public abstract bool IsDone(Transfer transfer);

    /// <summary>
    /// Ends all ranks that can be reached, however busy they are; of the transports over processes, this one too. The
    /// only call that may come from another thread: where one of the communicator's does not come back.
    /// </summary>
    /// <param name="exitCode">The exit code of the processes, where ranks are processes.</param>
    public abstract void Abort(int exitCode);

    /// <summary>
    /// Closes the transport in an orderly world, in which every rank does the same and no message is under way. It is
    /// not called in a broken one.
    /// </summary>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Closes the transport: see <see cref="Dispose()"/>.</summary>
    /// <param name="disposing">Always true, unless a finalizer of a derived class calls.</param>
    protected abstract void Dispose(bool disposing);
}
