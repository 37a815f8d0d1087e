using System.CommandLine;

namespace Adjoint.Cli;

/// <summary>Options of one subject, as the help lists them.</summary>
internal sealed record OptionGroup(string Title, IReadOnlyList<Option> Options);
