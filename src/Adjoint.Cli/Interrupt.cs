namespace Adjoint.Cli;

/// <summary>
/// Ctrl-C and a request to terminate, as a token: what is in progress is finished and kept. A second Ctrl-C ends at
/// once.
/// </summary>
internal sealed class Interrupt : IDisposable
{
    private readonly CancellationTokenSource source = new();
    private readonly IDisposable registration;

    internal Interrupt() => registration = Platform.OnStop(Stop);

    internal CancellationToken Token => source.Token;

    public void Dispose()
    {
        registration.Dispose();
        source.Dispose();
    }

    private bool Stop()
    {
        var isFirst = !source.IsCancellationRequested;
        // The process ends here: the prompt that follows gets a line of its own, and a cursor.
        if (!isFirst && !Console.IsErrorRedirected)
            Console.Error.Write(Terminal.Console(Console.Error).Profile.Capabilities.Ansi ? "\e[?25h\n" : "\n");
        source.Cancel();
        return isFirst;
    }
}
