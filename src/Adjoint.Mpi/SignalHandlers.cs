using System.Runtime.InteropServices;

namespace Adjoint.Mpi;

/// <summary>
/// Keeps the handlers of all signals. MPI libraries, and those that they use, install their own when they are loaded
/// and initialized, which print a backtrace and end the process; .NET's handler of a fault makes it an exception.
/// </summary>
internal sealed unsafe partial class SignalHandlers : IDisposable
{
    private const int Last = 31;

    // A struct sigaction has 152 bytes with glibc on 64 bits, and less elsewhere.
    private const int Bytes = 512;

    private readonly byte[][] handlers = new byte[Last + 1][];

    /// <summary>Remembers the handlers as they are.</summary>
    internal SignalHandlers()
    {
        for (var signal = 1; signal <= Last; signal++)
        {
            handlers[signal] = new byte[Bytes];
            fixed (byte* handler = handlers[signal]) SigAction(signal, null, handler);
        }
    }

    /// <summary>Sets them again. Those of SIGKILL and SIGSTOP cannot be set, and need not.</summary>
    public void Dispose()
    {
        for (var signal = 1; signal <= Last; signal++)
            fixed (byte* handler = handlers[signal]) SigAction(signal, handler, null);
    }

    [LibraryImport("libc", EntryPoint = "sigaction")]
    private static partial int SigAction(int signal, byte* set, byte* get);
}
