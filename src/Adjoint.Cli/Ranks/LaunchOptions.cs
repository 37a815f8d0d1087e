using System.CommandLine;
using System.CommandLine.Parsing;

namespace Adjoint.Cli;

/// <summary>The options of <c>adjoint train</c> that say how it starts its ranks.</summary>
internal sealed class LaunchOptions
{
    private readonly Option<int> ranks = SettingOption.Of(RunSettings.Ranks);
    private readonly Option<int> restarts = SettingOption.Of(RunSettings.Restarts);
    private readonly Option<string> mpirun = SettingOption.Of(RunSettings.Mpirun);
    private readonly Option<string> instructions = SettingOption.Of(RunSettings.Instructions);

    /// <summary>How long a rank may be silent: for ranks that mpirun started without the launcher, too.</summary>
    internal Option<double> Timeout { get; } = SettingOption.Of(RunSettings.Timeout);

    /// <summary>All of them, for the launcher alone.</summary>
    internal IReadOnlyList<Option> All => [ranks, restarts, mpirun, instructions];

    /// <summary>Whether ranks are to be started.</summary>
    /// <exception cref="UsageException">They are there already, or nobody asks for any.</exception>
    internal bool IsLaunch(ParseResult parsed)
    {
        var isLaunch = ranks.IsGiven(parsed);
        if (isLaunch && (World.Current.Size > 1 || LaunchedRank.HasLauncher))
            throw new UsageException(
                $"--ranks: mpirun has started {World.Current.Size} already; leave one of both out");
        if (!isLaunch && All.FirstOrDefault(option => option.IsGiven(parsed)) is { } idle)
            throw new UsageException($"{idle.Name}: does nothing without --ranks, which starts them");
        return isLaunch;
    }

    /// <summary>What they say.</summary>
    internal LaunchSettings Read(ParseResult parsed) => new()
    {
        Ranks = parsed.GetValue(ranks),
        Restarts = parsed.GetValue(restarts),
        Mpirun = parsed.GetValue(mpirun),
        Instructions = parsed.GetValue(instructions),
        Timeout = TimeSpan.FromSeconds(parsed.GetValue(Timeout)),
        IsDebug = parsed.GetValue<bool>("--debug"),
    };

    /// <summary>The command line for each rank: the options that are given, without these.</summary>
    internal IReadOnlyList<string> Arguments(ParseResult parsed, Func<Option, bool> isWanted) =>
    [
        .. parsed.RootCommandResult.Children.Concat(parsed.CommandResult.Children).OfType<OptionResult>()
            .Where(one => !one.Implicit && !All.Contains(one.Option) && isWanted(one.Option))
            .Select(one => one.Tokens is [var token, ..] ? $"{one.Option.Name}={token.Value}" : one.Option.Name),
    ];
}
