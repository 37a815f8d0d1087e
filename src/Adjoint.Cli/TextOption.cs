using System.CommandLine;

namespace Adjoint.Cli;

/// <summary>Options with a text as value.</summary>
internal static class TextOption
{
    /// <summary>Where the data sets lie, the same for every command.</summary>
    internal static Option<string?> DataDir() =>
        Optional("--data-dir", "Where the data sets lie; else ADJOINT_DATA, else the user's cache.", "folder");

    /// <summary>An option whose value is a text, or the fallback where it is not given.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="fallback">The value where it is not given.</param>
    /// <param name="description">In a sentence.</param>
    /// <param name="value">What the help calls the value.</param>
    internal static Option<string> Of(string name, string fallback, string description, string value = "name") =>
        new(name) { Description = description, DefaultValueFactory = _ => fallback, HelpName = value };

    /// <summary>An option whose value is a text, or null where it is not given.</summary>
    internal static Option<string?> Optional(string name, string description, string value = "name") =>
        new(name) { Description = description, HelpName = value };
}
