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

    private static readonly (string Name, Func<Metric> Create)[] Values =
        [("r2", () => new R2()), ("mae", () => new Mae()), ("rmse", () => new Rmse())];

    /// <summary>How many are measured without being asked for.</summary>
    private const int Usual = 3;

    /// <summary>The names of a task's metrics, and of its loss.</summary>
    internal static IReadOnlyList<string> Names(string task) =>
        [.. Of(task).Select(metric => metric.Name), MonitoredMetric.Loss];

    /// <summary>Makes the usual metrics of a task, and one more where another is asked for.</summary>
    internal static IReadOnlyList<Metric> Create(string task, string score) =>
        [.. Of(task).Where((metric, i) => i < Usual || metric.Name == score).Select(metric => metric.Create())];

    private static (string Name, Func<Metric> Create)[] Of(string task) => task switch
    {
        "regression" => Values,
        "multi-label" => Labels,
        _ => Classes,
    };
}
