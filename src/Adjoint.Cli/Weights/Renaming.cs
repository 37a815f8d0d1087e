using System.CommandLine;
using Adjoint.Experiments;
using Adjoint.Nn;

namespace Adjoint.Cli;

/// <summary>The rules by which tensors are renamed, as the command line has them.</summary>
internal static class Renaming
{
    internal const string RulesHelp = "Rename tensors: OLD=NEW, several with commas. * stands for one part between "
        + "dots, ** for any number of them, on both sides: module.**=**.";

    /// <summary>The rules of a list with commas.</summary>
    internal static IEnumerable<string> Split(string list) => list.Split(',', StringSplitOptions.TrimEntries);

    /// <summary>What is wrong with a list of rules; null where nothing is.</summary>
    internal static string? Check(string list)
    {
        try
        {
            NameMap.Parse(Split(list));
            return null;
        }
        catch (AdjointException problem)
        {
            return problem.Message.Replace("NameMap: ", "", StringComparison.Ordinal);
        }
    }

    /// <summary>Refuses a rule that renames nothing: it is misspelled.</summary>
    /// <exception cref="AdjointException">A rule fits none of the names.</exception>
    internal static void RequireUse(string option, IEnumerable<string> rules, IReadOnlyList<string> names, string path)
    {
        foreach (var rule in rules)
            RequireFit(option, rule, rule[..rule.IndexOf('=', StringComparison.Ordinal)], names, path);
    }

    /// <summary>Refuses a pattern that fits nothing.</summary>
    /// <exception cref="AdjointException">It fits none of the names.</exception>
    internal static void RequireFit(
        string option, string given, string pattern, IReadOnlyList<string> names, string path)
    {
        if (names.Any(name => NameMap.Fits(pattern, name))) return;
        throw new AdjointException(
            $"{option} {given}: '{pattern}' fits no tensor of {path}{Suggestion.For(pattern, names)}; adjoint inspect "
            + "lists their names");
    }
}
