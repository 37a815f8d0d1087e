using System.Globalization;
using System.Text.RegularExpressions;

namespace Adjoint.Cli;

/// <summary>What mpirun says of a rank that ended: Open MPI names the rank, MPICH host and process.</summary>
internal static partial class MpirunText
{
    /// <summary>Whom it names as killed by a signal; null where it names nobody.</summary>
    /// <param name="lines">What it said.</param>
    /// <param name="rankOf">The rank of a process on a host; null where there is none.</param>
    internal static (int? Rank, string Host, int Signal)? Killed(
        IReadOnlyList<string> lines, Func<string, int, int?> rankOf)
    {
        var text = string.Join('\n', lines);
        if (OpenMpi().Match(text) is { Success: true } match)
            return (Number(match.Groups[1]), match.Groups[2].Value, Number(match.Groups[3]));
        if (Mpich().Match(text) is not { Success: true } other) return null;
        var code = Number(other.Groups[3]);
        // The low bits of what wait() returns: a signal, not a code of the program.
        return code is > 0 and < 128 && text.Contains($"(signal {code})", StringComparison.Ordinal)
            ? (rankOf(other.Groups[2].Value, Number(other.Groups[1])), other.Groups[2].Value, code)
            : null;
    }

    /// <summary>The lines that say something, without frames and blank ones.</summary>
    internal static IReadOnlyList<string> Telling(IReadOnlyList<string> lines) =>
        [.. lines.Where(line => line.Any(char.IsLetterOrDigit)).Select(line => line.Trim(' ', '='))];

    private static int Number(Group group) => int.Parse(group.Value, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"noticed that process rank (\d+) with PID \d+ on node (\S+) exited on\s+signal (\d+)",
        RegexOptions.CultureInvariant)]
    private static partial Regex OpenMpi();

    [GeneratedRegex(@"PID (\d+) RUNNING AT (\S+)\s+=\s+EXIT CODE: (\d+)", RegexOptions.CultureInvariant)]
    private static partial Regex Mpich();
}
