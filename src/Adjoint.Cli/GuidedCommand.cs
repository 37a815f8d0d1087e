using System.CommandLine;

namespace Adjoint.Cli;

/// <summary>A command whose help has examples, and its options by subject.</summary>
internal sealed class GuidedCommand : Command
{
    internal GuidedCommand(string name, string description, IReadOnlyList<(string Line, string What)> examples,
        params IReadOnlyList<OptionGroup> groups) : base(name, description)
    {
        (Examples, Groups) = (examples, groups);
        foreach (var option in groups.SelectMany(group => group.Options)) Options.Add(option);
    }

    /// <summary>Command lines that can be typed as they stand, and what they do.</summary>
    internal IReadOnlyList<(string Line, string What)> Examples { get; }

    /// <summary>The options of this command.</summary>
    internal IReadOnlyList<OptionGroup> Groups { get; }
}
