using System.CommandLine;
using Adjoint.Experiments;

namespace Adjoint.Cli;

/// <summary>The options of several settings, in their order.</summary>
internal sealed class SettingOptions(params IReadOnlyList<Setting> settings)
{
    private readonly (Setting Setting, Option Option)[] all =
        [.. settings.Select(setting => (setting, SettingOption.Of(setting)))];

    /// <summary>The option of a setting.</summary>
    internal Option this[Setting setting] => all.Single(one => one.Setting == setting).Option;

    /// <summary>Those under a heading of the help.</summary>
    internal IReadOnlyList<Option> In(string group) =>
        [.. all.Where(one => one.Setting.Group == group).Select(one => one.Option)];

    /// <summary>The headings of the help, in their order.</summary>
    internal IEnumerable<string> Groups => all.Select(one => one.Setting.Group).Distinct();

    /// <summary>The settings that are on the command line: names and values.</summary>
    internal IReadOnlyList<KeyValuePair<string, string>> Given(ParseResult parsed) =>
    [
        .. all.Where(one => one.Option.IsGiven(parsed))
            .Select(one => KeyValuePair.Create(one.Setting.Name, one.Option.Text(parsed))),
    ];
}
