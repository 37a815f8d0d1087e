using System.Globalization;
using Adjoint.Experiments;

namespace Adjoint.Cli;

/// <summary>A property of runs by which they are listed, sorted and filtered.</summary>
/// <param name="Name">Its name, in the heading, in <c>--sort</c> and in <c>--filter</c>.</param>
/// <param name="Value">A number, a text, or null where the run has none.</param>
/// <param name="Text">How the value is shown; null where the run has none.</param>
internal sealed record RunColumn(string Name, Func<ListedRun, object?> Value, Func<ListedRun, string?> Text)
{
    /// <summary>Whether it is shown at the right of its column, as numbers are.</summary>
    internal bool IsNumber { get; init; }

    /// <summary>By what runs are sorted: the value, or for measures one that is smaller the better it is.</summary>
    internal Func<ListedRun, object?> Key { get; init; } = Value;

    internal static readonly RunColumn Run = Of("run", run => run.Name);

    internal static readonly RunColumn When = new("when",
        run => run.Record?.Began is { } began ? Time(began, "yyyy-MM-dd HH:mm:ss") : null,
        run => run.Record?.Began is { } began ? Time(began, "yyyy-MM-dd HH:mm") : null);

    internal static readonly RunColumn Data = Of("data", run => run["dataset"] is { } named && run["data"] is null
        ? named : Path.GetFileName(Path.TrimEndingDirectorySeparator(run["data"] ?? "")));

    internal static readonly RunColumn Model = Of("model", run => run["model"]);

    internal static readonly RunColumn Task = Of("task", run => run["task"]
        ?? (run.Record is { Score: "accuracy" } ? "classification" : null));

    internal static readonly RunColumn Epochs = new("epochs", run => (double?)run.Record?.Metrics.LastEpoch,
        run => run.Record is not { } one ? null
            : $"{one.Metrics.LastEpoch ?? 0}{(one.EpochsAsked is { } asked ? $"/{asked}" : "")}")
    { IsNumber = true };

    internal static readonly RunColumn State = Of("state", run => run.State);

    internal static readonly RunColumn Best = new("best", run => run.Record?.Best?.Value,
        run => run.Record?.Best is { } best ? Digits(best.Value) : null)
    {
        IsNumber = true,
        Key = run => run.Record is { Best: { } best } record ? Badness(record.Score, best.Value) : null,
    };

    internal static readonly RunColumn Metric = Of("metric", run => run.Record is { Best: not null } one
        ? MetricNames.Title(one.Score) : null);

    internal static readonly RunColumn Duration = new("time", run => run.Record?.Metrics.Seconds,
        run => run.Record is { } one ? TimeText(one.Metrics.Seconds) : null)
    { IsNumber = true };

    /// <summary>All, in the order of the list.</summary>
    internal static IReadOnlyList<RunColumn> All { get; } =
        [Run, When, Data, Model, Task, Epochs, State, Best, Metric, Duration];

    /// <summary>
    /// A column, a metric (its best value) or a setting by its name; null where no run has one of that name.
    /// </summary>
    internal static RunColumn? Find(string name, IReadOnlyList<ListedRun> runs) =>
        All.FirstOrDefault(column => column.Name == name)
        ?? (runs.Any(run => run.Record?.Metrics.Names.Contains(name) == true)
            ? new(name, run => run.Record?.Metrics.Best(name)?.Value, _ => null)
            {
                Key = run => run.Record?.Metrics.Best(name) is { } best ? Badness(name, best.Value) : null,
            }
            : runs.Any(run => run[name] is not null) ? Of(name, run => run[name]) : null);

    /// <summary>The names that <see cref="Find"/> knows.</summary>
    internal static IEnumerable<string> Names(IReadOnlyList<ListedRun> runs) =>
        All.Select(column => column.Name).Concat(runs.Where(run => run.Record is not null)
            .SelectMany(run => run.Record!.Metrics.Names.Concat(run.Record.Settings.Select(one => one.Name))))
            .Distinct();

    /// <summary>The error of a name that no run knows.</summary>
    internal static UsageException Unknown(string option, string name, IReadOnlyList<ListedRun> runs) =>
        new($"{option}: '{name}' is none of {string.Join(", ", All.Select(column => column.Name))}, and no run has a "
            + $"metric or a setting of that name{Suggestion.For(name, Names(runs))}");

    /// <summary>A measure in few digits.</summary>
    internal static string Digits(double value) => Math.Abs(value) switch
    {
        0 => "0",
        >= 1e7 or < 1e-4 => value.ToString("0.00e+0", CultureInfo.InvariantCulture),
        >= 1000 => value.ToString("0.0", CultureInfo.InvariantCulture),
        >= 10 => value.ToString("0.00", CultureInfo.InvariantCulture),
        _ => value.ToString("0.0000", CultureInfo.InvariantCulture),
    };

    /// <summary>A duration: <c>0.8 s</c>, <c>12 s</c>, <c>3:04</c>, <c>1:02:03</c>.</summary>
    internal static string TimeText(double seconds) => seconds switch
    {
        < 10 => seconds.ToString("0.0 's'", CultureInfo.InvariantCulture),
        < 60 => seconds.ToString("0 's'", CultureInfo.InvariantCulture),
        < 3600 => TimeSpan.FromSeconds(seconds).ToString(@"m\:ss", CultureInfo.InvariantCulture),
        _ => string.Create(CultureInfo.InvariantCulture,
            $"{Math.Floor(seconds / 3600):0}:{TimeSpan.FromSeconds(seconds % 3600):mm\\:ss}"),
    };

    private static object? Badness(string metric, double value) => MetricNames.IsHigherBetter(metric) ? -value : value;

    private static RunColumn Of(string name, Func<ListedRun, string?> value) => new(name, value, value);

    private static string Time(DateTime time, string format) => time.ToString(format, CultureInfo.InvariantCulture);
}
