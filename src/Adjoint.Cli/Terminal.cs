using Spectre.Console;

namespace Adjoint.Cli;

/// <summary>What the terminal can do.</summary>
internal static class Terminal
{
    /// <summary>The columns of a terminal that does not tell.</summary>
    internal const int UsualWidth = 80;

    /// <summary>Its columns now; 80 where it does not tell.</summary>
    internal static int Width => Platform.ConsoleWidth ?? UsualWidth;

    /// <summary>Its rows now; 1 where it does not tell.</summary>
    internal static int Height => Platform.ConsoleHeight ?? 1;

    /// <summary>Whether a writer is standard error, and a person sees it.</summary>
    internal static bool IsSeen(TextWriter error) =>
        !System.Console.IsErrorRedirected && ReferenceEquals(error, System.Console.Error);

    /// <summary>Whether a writer is standard output, and a person sees it.</summary>
    internal static bool IsSeenOutput(TextWriter output) =>
        !System.Console.IsOutputRedirected && ReferenceEquals(output, System.Console.Out);

    /// <summary>Whether colors are wanted of a writer that a person sees.</summary>
    internal static bool HasColors(TextWriter seen) =>
        Console(seen).Profile.Capabilities is { Ansi: true, ColorSystem: not ColorSystem.NoColors };

    /// <summary>Whether a writer that a person sees shows Unicode, such as Braille dots.</summary>
    internal static bool IsUnicode(TextWriter seen) => Console(seen).Profile.Capabilities.Unicode;

    /// <summary>
    /// The console of a writer that a person sees: it knows whether codes move the cursor, and whether colors are
    /// wanted.
    /// </summary>
    internal static IAnsiConsole Console(TextWriter error) =>
        AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(error) });
}
