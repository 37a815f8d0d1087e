using Adjoint.Training;

namespace Adjoint.Tests.Training;

/// <summary>Measures that tests make up.</summary>
internal static class Measures
{
    /// <summary>The highest accuracy is the best.</summary>
    internal static MonitoredMetric Score { get; } = new("accuracy", IsHigherBetter: true);

    /// <summary>Metrics with an accuracy alone.</summary>
    internal static IReadOnlyDictionary<string, double> Accuracy(double value) =>
        new Dictionary<string, double> { ["accuracy"] = value };

    /// <summary>What a classifier was measured to be.</summary>
    internal static Evaluation Evaluation(double loss, double accuracy, int[,] confusion) =>
        new(loss, Accuracy(accuracy)) { Confusion = confusion };
}
