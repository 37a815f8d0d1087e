using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;
using Adjoint.Distributed;

namespace Adjoint.Mpi;

/// <summary>
/// Carries bytes between the processes that <c>mpirun</c>, or Slurm's <c>srun</c>, started: the ranks of MPI's world.
/// Open MPI, MPICH and what is built on it, and libraries with the standard ABI of MPI 5 serve; nothing of them is
/// needed to build, and nothing is loaded where no launcher started the process. The variable <c>ADJOINT_MPI</c> names
/// the library by its path, where the one that is found is not the launcher's.
/// </summary>
/// <remarks>
/// Most programs want <see cref="MpiCommunicator.Open"/>, which makes a communicator of it. MPI can be initialized once
/// in a process, and after the transport was disposed of not again.
/// </remarks>
public sealed unsafe partial class MpiTransport : Transport
{
    // Statuses have 20 (MPICH), 24 (Open MPI) or 32 bytes (the standard ABI).
    private const int StatusBytes = 64;

    // Longer than any implementation's MPI_MAX_LIBRARY_VERSION_STRING and MPI_MAX_ERROR_STRING.
    private const int TextBytes = 16384;

    private static readonly TimeSpan PauseBeforeFinalize = TimeSpan.FromMilliseconds(200);

    // How long a process that ends too early waits for the others' words.
    private static readonly TimeSpan LastWords = TimeSpan.FromSeconds(1);

    private static int opened;

    private readonly MpiLibrary library;
    private readonly nint communicator;
    private readonly LauncherGuard guard;
    private readonly TcpPauses pauses;
    private volatile bool isClosed;

    private MpiTransport(MpiLauncher launcher)
    {
        using var handlers = MpiLibrary.IsSupported ? new SignalHandlers() : null;
        library = MpiLibrary.Load(launcher);
        if (Interlocked.Exchange(ref opened, 1) == 1)
            throw new TransportException("MPI was opened before in this process, and can be only once: keep that one");
        // The communicator's thread is not the one that opens it, but no two of them call at a time.
        Check(MpiFunctions.InitThread(null, null, library.Serialized, out var provided), "MPI_Init_thread");
        Check(MpiFunctions.CommSetErrhandler(library.World, library.ErrorsReturn), "MPI_Comm_set_errhandler");
        Check(MpiFunctions.CommSize(library.World, out var size), "MPI_Comm_size");
        Check(MpiFunctions.CommRank(library.World, out var rank), "MPI_Comm_rank");
        (Rank, Size, Name) = (rank, size, ReadName());
        if (size != launcher.Size)
            Refuse(
                $"{Name} ({library.File}) says that there are {size} processes, and {launcher.Name} started "
                + $"{launcher.Size} ({launcher.Variable}): the library is not the launcher's. Set "
                + $"{MpiLibrary.Variable} to the path of the library that is; with srun, choose what it speaks: "
                + "srun --mpi=pmi2 (MPICH), --mpi=pmix (Open MPI)");
        if (provided < library.Serialized)
            Refuse(
                $"{Name} ({library.File}) was built without support for threads: install one that has "
                + "MPI_THREAD_SERIALIZED");
        (guard, pauses) = (new(launcher.Family), new(size));
        nint own = 0;
        Check(MpiFunctions.CommDup(library.World, &own), "MPI_Comm_dup");
        communicator = own;
        Check(MpiFunctions.CommSetErrhandler(communicator, library.ErrorsReturn), "MPI_Comm_set_errhandler");
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Leave();
        AppDomain.CurrentDomain.UnhandledException += (_, _) => Leave();
    }

    /// <summary>
    /// Whether a launcher of MPI started this process, as one of several: then <see cref="TryOpen"/> opens a world.
    /// </summary>
    public static bool IsUnderLauncher => MpiLauncher.Find() is { Size: > 1 };

    /// <summary>This process's rank in MPI's world, from 0.</summary>
    public override int Rank { get; }

    /// <summary>The number of processes in MPI's world.</summary>
    public override int Size { get; }

    /// <summary>The MPI implementation and its version, such as <c>Open MPI 4.1.4</c>.</summary>
    public override string Name { get; }

    /// <summary>Messages beyond this are cut, on both sides alike: what MPI counts is an int.</summary>
    internal int LargestPart { get; set; } = 1 << 30;

    /// <summary>
    /// Initializes MPI and joins the world of all processes that the launcher started; each of them must call this,
    /// since it returns when all have.
    /// </summary>
    /// <returns>The transport; null where no launcher started this process, or it started this one alone.</returns>
    /// <exception cref="TransportException">
    /// No MPI library is installed, it is not the launcher's, or MPI failed: the message says which, and what to do.
    /// </exception>
    public static MpiTransport? TryOpen() =>
        MpiLauncher.Find() is { Size: > 1 } launcher ? new MpiTransport(launcher) : null;

    /// <summary>Begins to send bytes to a rank.</summary>
    /// <param name="to">The rank that receives them.</param>
    /// <param name="channel">What keeps these messages apart from others between the same two ranks; up to
    /// 32,767.</param>
    /// <param name="bytes">What to send; it must stay as it is until the transfer is done.</param>
    /// <returns>The transfer, to be asked about with <see cref="IsDone"/>.</returns>
    /// <exception cref="TransportException">MPI failed; the message has its text.</exception>
    public override Transfer Send(int to, int channel, ReadOnlyMemory<byte> bytes) =>
        new MpiTransfer(this, bytes.Pin(), bytes.Length, to, channel, isReceive: false);

    /// <summary>Begins to receive bytes from a rank.</summary>
    /// <param name="from">The rank that sends them.</param>
    /// <param name="channel">The channel that they are sent on; up to 32,767.</param>
    /// <param name="bytes">Where they go, exactly as many as are sent.</param>
    /// <returns>The transfer, to be asked about with <see cref="IsDone"/>.</returns>
    /// <exception cref="TransportException">MPI failed; the message has its text.</exception>
    public override Transfer Receive(int from, int channel, Memory<byte> bytes) =>
        new MpiTransfer(this, bytes.Pin(), bytes.Length, from, channel, isReceive: true);

    /// <summary>Asks MPI whether a transfer is done, which also gives it the time to go on with all of them.</summary>
    /// <param name="transfer">What <see cref="Send"/> or <see cref="Receive"/> returned.</param>
    /// <returns>Whether all of its bytes were sent or received.</returns>
    /// <exception cref="TransportException">
    /// MPI failed, or another number of bytes came than was waited for; the message has both numbers.
    /// </exception>
    public override bool IsDone(Transfer transfer)
    {
        pauses.Apply();
        var one = (MpiTransfer)transfer;
        if (!one.IsDone()) return false;
        pauses.Note(one.Peer, one.IsReceive);
        return true;
    }

    /// <summary>
    /// Ends all processes that MPI can reach, and this one in any case: it does not return.
    /// </summary>
    /// <param name="exitCode">The exit code of the processes; the launcher chooses its own from it.</param>
    public override void Abort(int exitCode)
    {
        guard.Arm();
        // MPI_Abort asks the launcher's daemon, which may be cut off, stopped or dead, and then waits forever.
        using var limit = new Timer(_ => ExitNow(exitCode), null, TimeSpan.FromSeconds(2), Timeout.InfiniteTimeSpan);
        MpiFunctions.Abort(library.World, exitCode);
        ExitNow(exitCode);
    }

    /// <summary>Leaves the world, with every other rank: waits until all do.</summary>
    /// <param name="disposing">Always true: there is no finalizer.</param>
    protected override void Dispose(bool disposing)
    {
        if (isClosed) return;
        isClosed = true;
        // MPICH 4.0 over TCP hangs in MPI_Finalize where a rank takes notice, in any other call, that another one is in
        // it already: the last one then waits for a connection whose other end does not answer any more. All ranks have
        // agreed to end here; once the slowest is past its last call, nobody takes notice.
        if (library.Family != MpiFamily.OpenMpi) Thread.Sleep(PauseBeforeFinalize);
        Check(MpiFunctions.Finalize(), "MPI_Finalize");
    }

    // A process that ends without having left the world breaks it, for the others too: with MPICH, mpirun may have the
    // exit code of the first to end. They are ended as soon as this one has, so they get a moment to say what happened.
    private void Leave()
    {
        if (isClosed) return;
        if (Environment.ExitCode == 0) Environment.ExitCode = 1;
        Thread.Sleep(LastWords);
        guard.Arm();
    }

    // Without the handlers of exit, in which MPI libraries wait for others.
    [LibraryImport("libc", EntryPoint = "_exit")]
    private static partial void ExitNow(int exitCode);

    // An error ends this process with a message; MPI would add its own unless it was left in order.
    private static void Refuse(string message)
    {
        MpiFunctions.Finalize();
        throw new TransportException(message);
    }

    private static void Check(int result, string what)
    {
        if (result == 0) return;
        var text = stackalloc byte[TextBytes];
        var reason = MpiFunctions.ErrorString(result, text, out var length) == 0
            ? Encoding.UTF8.GetString(text, length)
            : $"error {result}";
        // MPICH adds the functions that it was in, with addresses, from the second line on.
        throw new TransportException($"{what} failed: {reason.Split('\n')[0].Replace(", error stack:", "").Trim()}");
    }

    // "Open MPI v4.1.4, package: …", "MPICH Version:	4.0.2 …", and one line of others.
    private static string ReadName()
    {
        var text = stackalloc byte[TextBytes];
        Check(MpiFunctions.GetLibraryVersion(text, out var length), "MPI_Get_library_version");
        return NameFrom(Encoding.UTF8.GetString(text, length));
    }

    internal static string NameFrom(string version)
    {
        var line = version.Trim('\0', ' ', '\n').Split('\n')[0].Trim();
        var match = NameAndNumber().Match(line);
        return match.Success ? $"{match.Groups[1].Value} {match.Groups[2].Value}" : line;
    }

    [GeneratedRegex(@"^(\w[\w ]*?)(?: v| Version\s*:\s*)(\d[^\s,]*)", RegexOptions.CultureInvariant)]
    private static partial Regex NameAndNumber();

    private sealed class MpiTransfer : Transfer
    {
        private readonly MpiTransport transport;
        private readonly int length, channel;
        private readonly nint[] requests;
        private MemoryHandle memory;
        private int done;

        internal MpiTransfer(
            MpiTransport transport, MemoryHandle memory, int length, int peer, int channel, bool isReceive)
        {
            (this.transport, this.memory, this.length) = (transport, memory, length);
            (Peer, this.channel, IsReceive) = (peer, channel, isReceive);
            requests = new nint[Math.Max(1, (int)(((long)length + transport.LargestPart - 1) / transport.LargestPart))];
            for (var part = 0; part < requests.Length; part++) Begin(part);
        }

        internal int Peer { get; }

        internal bool IsReceive { get; }

        internal bool IsDone()
        {
            for (; done < requests.Length; done++)
                if (!IsDone(done)) return false;
            memory.Dispose();
            return true;
        }

        private int LengthOf(int part) => Math.Min(transport.LargestPart, length - part * transport.LargestPart);

        private void Begin(int part)
        {
            var bytes = (byte*)memory.Pointer + (long)part * transport.LargestPart;
            fixed (nint* request = &requests[part])
            {
                if (IsReceive)
                    Check(MpiFunctions.Irecv(bytes, LengthOf(part), transport.library.Byte, Peer, channel,
                        transport.communicator, request), "MPI_Irecv");
                else
                    Check(MpiFunctions.Isend(bytes, LengthOf(part), transport.library.Byte, Peer, channel,
                        transport.communicator, request), "MPI_Isend");
            }
        }

        private bool IsDone(int part)
        {
            var status = stackalloc byte[StatusBytes];
            int isDone;
            fixed (nint* request = &requests[part])
            {
                Check(MpiFunctions.Test(request, out isDone, status), IsReceive
                    ? $"receiving {LengthOf(part):N0} bytes from rank {Peer} on channel {channel}"
                    : $"sending {LengthOf(part):N0} bytes to rank {Peer} on channel {channel}");
            }
            if (isDone == 0 || !IsReceive) return isDone != 0;
            Check(MpiFunctions.GetCount(status, transport.library.Byte, out var count), "MPI_Get_count");
            return count == LengthOf(part)
                ? true
                : throw new TransportException(
                    $"{count:N0} bytes came from rank {Peer} on channel {channel}, and {LengthOf(part):N0} were waited "
                    + "for");
        }
    }
}
