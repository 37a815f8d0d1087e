namespace Adjoint.Cli;

/// <summary>
/// Ctrl-C and a request to terminate, as a token: what is in progress is finished and kept. A second Ctrl-C ends at
/// once. The ranks that <see cref="Launcher"/> started are asked by it, through the standard input of the first.
/// </summary>
internal sealed class Interrupt : IDisposable
{
    /// <summary>The line by which the launcher asks.</summary>
    internal const string Request = "stop";

    private readonly CancellationTokenSource source = new();
    private readonly IDisposable registration;
    private readonly Action? beforeEnd;

    /// <param name="beforeEnd">Called on a second Ctrl-C, just before the process ends; null: nothing is.</param>
    internal Interrupt(Action? beforeEnd = null)
    {
        this.beforeEnd = beforeEnd;
        registration = Platform.OnStop(Stop);
        if (LaunchedRank.HasLauncher && World.Current.IsFirst)
            new Thread(Listen) { IsBackground = true, Name = "requests of the launcher" }.Start();
    }

    internal CancellationToken Token => source.Token;

    public void Dispose()
    {
        registration.Dispose();
        source.Dispose();
    }

    // A launcher that was killed asks by leaving: the line is closed, and nobody could end the run later. One that
    // leaves after it asked wants no more of it.
    private void Listen()
    {
        using var requests = new StreamReader(Console.OpenStandardInput());
        while (requests.ReadLine() is { } line)
            if (line == Request) Cancel();
        if (source.IsCancellationRequested) World.Current.Communicator.Abort(Tool.Interrupted);
        Cancel();
    }

    private void Cancel()
    {
        try
        {
            source.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The training has ended.
        }
    }

    private bool Stop()
    {
        if (!source.IsCancellationRequested)
        {
            Cancel();
            return true;
        }
        beforeEnd?.Invoke();
        // The process ends here: the prompt that follows gets a line of its own, and a cursor.
        if (!Console.IsErrorRedirected)
            Console.Error.Write(Terminal.Console(Console.Error).Profile.Capabilities.Ansi ? "\e[?25h\n" : "\n");
        return false;
    }
}
