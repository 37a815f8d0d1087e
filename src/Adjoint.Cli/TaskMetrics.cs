using Adjoint.Training;

namespace Adjoint.Cli;

/// <summary>The metrics that the tool knows for each task; those first are measured by default.</summary>
internal static class TaskMetrics
{
    private static readonly (string Name, Func<Metric> Create)[] Classes =
    [
        ("accuracy", () => new Accuracy()), ("f1", () => new F1()), ("logLoss", () => new LogLoss()),
        ("rocAuc", () => new RocAuc()), ("prAuc", () => new PrAuc()), ("precision", () => new Precision()),
        ("recall", () => new Recall()), ("calibrationError", () => new CalibrationError()),
    ];

    private static readonly (string Name, Func<Metric> Create)[] Labels =
    [
        ("f1", () => new F1 { MultiLabel = true }), ("accuracy", () => new Accuracy { MultiLabel = true }),
        ("rocAuc", () => new RocAuc { MultiLabel = true }), ("prAuc", () => new PrAuc { MultiLabel = true }),
        ("precision", () => new Precision { MultiLabel = true }), ("recall", () => new Recall { MultiLabel = true }),
    ];

    private static readonly (string Name, Func<Metric> Create)[] Texts =
        [("perplexity", () => new Perplexity()), ("accuracy", () => new Accuracy())];

    private static readonly (string Name, Func<Metric> Create)[] Languages =
        [("determinedAccuracy", () => new DeterminedAccuracy()), .. Texts];

    private static readonly (string Name, Func<Metric> Create)[] Values =
        [("r2", () => new R2()), ("mae", () => new Mae()), ("rmse", () => new Rmse())];

    /// <summary>How many are measured without being asked for.</summary>
    private const int Usual = 3;

    /// <summary>The names of a task's metrics, and of its loss.</summary>
    /// <param name="task">The name of the task.</param>
    /// <param name="isFormal">Whether the samples are strings of a formal language.</param>
    internal static IReadOnlyList<string> Names(string task, bool isFormal) =>
        [.. Of(task, isFormal).Select(metric => metric.Name), MonitoredMetric.Loss];

    /// <summary>Makes the usual metrics of a task, and one more where another is asked for.</summary>
    internal static IReadOnlyList<Metric> Create(string task, string score, bool isFormal) =>
        [.. Of(task, isFormal).Where((metric, i) => i < Usual || metric.Name == score)
            .Select(metric => metric.Create())];

    private static (string Name, Func<Metric> Create)[] Of(string task, bool isFormal) => task switch
    {
        "regression" => Values,
        "multi-label" => Labels,
        "next-token" => isFormal ? Languages : Texts,
        _ => Classes,
    };
}
