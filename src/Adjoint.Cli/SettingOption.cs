using System.CommandLine;
using System.CommandLine.Parsing;
using System.Diagnostics;
using Adjoint.Experiments;

namespace Adjoint.Cli;

/// <summary>An option of the command line that follows from a setting: every option of the tool is one.</summary>
internal interface ISettingOption
{
    /// <summary>What it follows from.</summary>
    Setting Setting { get; }
}

/// <summary>Options from settings.</summary>
internal static class SettingOption
{
    /// <summary>The option of a setting: its value is checked where it is read.</summary>
    internal static Option<T> Of<T>(Setting<T> setting) => new SettingOption<T>(setting);

    /// <summary>The option of a setting that may be given several times; each value is checked.</summary>
    internal static Option<string[]> Repeated(TextSetting setting) => new RepeatedOption(setting);

    /// <summary>The option of a setting of any type.</summary>
    internal static Option Of(Setting setting) => setting switch
    {
        Setting<string> text => Of(text),
        Setting<bool> flag => Of(flag),
        Setting<int> number => Of(number),
        Setting<ulong> number => Of(number),
        Setting<double> number => Of(number),
        _ => throw new UnreachableException($"no option for a {setting.GetType()}"),
    };

    /// <summary>Whether an option is on the command line, whatever its value.</summary>
    internal static bool IsGiven(this Option option, ParseResult parsed) =>
        parsed.GetResult(option) is { Implicit: false };

    /// <summary>The text of an option on the command line, or what it means alone.</summary>
    internal static string Text(this Option option, ParseResult parsed) =>
        parsed.GetResult(option)!.Tokens is [var token, ..] ? token.Value : ((ISettingOption)option).Setting.Bare!;
}

/// <inheritdoc cref="ISettingOption"/>
internal sealed class SettingOption<T> : Option<T>, ISettingOption
{
    private static readonly SettingValues None = new SettingTable().Read([]);
    private readonly Setting<T> setting;

    internal SettingOption(Setting<T> setting) : base($"--{setting.Name}")
    {
        this.setting = setting;
        Description = setting.Description;
        HelpName = setting.Kind == SettingKind.Flag ? null : setting.ValueName;
        if (setting.Bare is not null) Arity = ArgumentArity.ZeroOrOne;
        CustomParser = Read;
        if (setting.Default is { } fallback) DefaultValueFactory = _ => fallback.In(None);
        CompletionSources.Add([.. setting.Choices]);
    }

    public Setting Setting => setting;

    private T Read(ArgumentResult result)
    {
        var text = result.Tokens is [var token, ..] ? token.Value : setting.Bare!;
        if (!setting.TryRead(text, out var value, out var problem)) result.AddError($"{Name}: {problem}");
        return value;
    }
}

/// <summary>An option that may be given several times, with one value each.</summary>
internal sealed class RepeatedOption : Option<string[]>, ISettingOption
{
    private readonly TextSetting setting;

    internal RepeatedOption(TextSetting setting) : base($"--{setting.Name}")
    {
        this.setting = setting;
        Description = setting.Description;
        HelpName = setting.ValueName;
        Arity = ArgumentArity.OneOrMore;
        CustomParser = Read;
    }

    public Setting Setting => setting;

    private string[] Read(ArgumentResult result)
    {
        string[] texts = [.. result.Tokens.Select(token => token.Value)];
        foreach (var text in texts)
            if (!setting.TryRead(text, out _, out var problem)) result.AddError($"{Name}: {problem}");
        return texts;
    }
}
