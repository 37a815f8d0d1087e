using System.Text;

namespace Adjoint.Cli;

/// <summary>
/// Standard output or error of a rank that the tool started itself: each line has a mark, by which the launcher tells
/// it from what mpirun says (that of MPICH on standard output, too). The marks are control characters, which no message
/// has (<see cref="Experiments.Printable"/>).
/// </summary>
internal sealed class RankWriter(TextWriter inner) : TextWriter
{
    /// <summary>Before a line for people.</summary>
    internal const char Message = '\u001e';

    /// <summary>Before a <see cref="RankStatus"/>.</summary>
    internal const char Status = '\u001f';

    private readonly Lock gate = new();
    private readonly StringBuilder line = new();

    public override Encoding Encoding => inner.Encoding;

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
            // At once, so that lines of several ranks do not mix.
            var isMarked = line.Length > 0 && line[0] == Status;
            inner.Write($"{(isMarked ? "" : Message)}{line}\n");
            line.Clear();
        }
    }

    public override void Write(string? value)
    {
        lock (gate)
            foreach (var letter in value ?? "") Write(letter);
    }

    public override void WriteLine(string? value) => Write($"{value}\n");

    public override void Flush() => inner.Flush();
}
