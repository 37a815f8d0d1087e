using System.Runtime.InteropServices;

namespace Adjoint.Cli;

/// <summary>Ctrl-C and a request to terminate, as a token: what is in progress is finished and kept. A second Ctrl-C ends at once.</summary>
internal sealed class Interrupt : IDisposable
{
    private readonly CancellationTokenSource source = new();
    private readonly PosixSignalRegistration interrupt, terminate;

    internal Interrupt()
    {
        interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
    }

    internal CancellationToken Token => source.Token;

    public void Dispose()
    {
        interrupt.Dispose();
        terminate.Dispose();
        source.Dispose();
    }

    private void Stop(PosixSignalContext context)
    {
        context.Cancel = !source.IsCancellationRequested;
        // The process ends here: the prompt that follows gets a line of its own, and a cursor.
        if (!context.Cancel && !Console.IsErrorRedirected)
            Console.Error.Write(Terminal.Console(Console.Error).Profile.Capabilities.Ansi ? "\e[?25h\n" : "\n");
        source.Cancel();
    }
}
