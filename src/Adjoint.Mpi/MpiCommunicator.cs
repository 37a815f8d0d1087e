using Adjoint.Distributed;

namespace Adjoint.Mpi;

/// <summary>Opens the communicator of the processes that <c>mpirun</c> or <c>srun</c> started.</summary>
public static class MpiCommunicator
{
    /// <summary>
    /// Joins the world of MPI that this process was started in; without a launcher, a world of one, for which no MPI
    /// needs to be installed: the same program trains alone and on many machines. Every rank must call it.
    /// </summary>
    /// <param name="options">How long a rank may be silent, for instance; null for the defaults.</param>
    /// <returns>The communicator, which <c>new DataParallel(trainer, communicator)</c> takes. Dispose of it at the end,
    /// so that all ranks leave MPI in order.</returns>
    /// <exception cref="TransportException">
    /// No MPI library is installed, it is not the launcher's, or MPI failed: the message says which, and what to do.
    /// </exception>
    public static Communicator Open(CommunicatorOptions? options = null) =>
        MpiTransport.TryOpen() is { } transport ? new Communicator(transport, options) : Communicator.Alone;
}
