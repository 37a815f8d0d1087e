using Adjoint.Experiments;

namespace Adjoint.Cli;

/// <summary>Opens pages in the user's browser.</summary>
internal static class Browser
{
    /// <summary>Opens an address or a file; where that cannot be done, says so in one line.</summary>
    internal static void Open(string target, TextWriter error)
    {
        if (!Platform.TryOpen(target))
            error.WriteLine($"--open: no browser could be started here; open {Printable.Line(target)} yourself");
    }
}
