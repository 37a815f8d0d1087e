using System.Text;

namespace Adjoint.Cli;

/// <summary>
/// Standard output or error of a rank that the tool started itself: each line has a mark, by which the launcher tells
/// it from what mpirun says (that of MPICH on standard output, too). The marks are control characters, which no message
/// has (<see cref="Experiments.Printable"/>).
/// </summary>
internal sealed class RankWriter(Stream stream) : TextWriter
{
    /// <summary>Before a line for people.</summary>
    internal const char Message = '\u001e';

    /// <summary>Before a <see cref="RankStatus"/>.</summary>
    internal const char Status = '\u001f';

    private readonly Lock gate = new();
    private readonly StringBuilder line = new();

    public override Encoding Encoding { get; } = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);

    /// <summary>Tells the launcher; nothing where there is none.</summary>
    internal static void Tell(RankStatus status)
    {
        if (LaunchedRank.HasLauncher) Console.Error.WriteLine($"{Status}{status}");
    }

    public override void Write(char value)
    {
        lock (gate)
        {
            if (value != '\n')
            {
                line.Append(value);
                return;
            }
            Send($"{Message}{line}\n");
            line.Clear();
        }
    }

    public override void Write(string? value)
    {
        lock (gate)
            foreach (var letter in value ?? "") Write(letter);
    }

    public override void WriteLine(string? value)
    {
        lock (gate)
        {
            // A status may come in the midst of a line that another thread has begun.
            if (value is [Status, ..]) Send($"{value}\n");
            else Write($"{value}\n");
        }
    }

    // All of it in one write: mpirun joins the lines of several ranks as they come, and a TextWriter of the console
    // cuts long ones into pieces.
    private void Send(string text)
    {
        stream.Write(Encoding.GetBytes(text));
        stream.Flush();
    }
}
