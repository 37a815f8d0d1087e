namespace Adjoint.Experiments;

/// <summary>What the names of measures in files mean: <c>trainLoss</c>, <c>accuracy</c>, <c>rmse</c>.</summary>
public static class MetricNames
{
    /// <summary>The name of the loss over the training samples.</summary>
    public const string TrainLoss = "trainLoss";

    /// <summary>The name of the loss over the validation samples.</summary>
    public const string ValidationLoss = "validationLoss";

    // Errors, losses and distances; every other measure is better when it is higher.
    private static readonly string[] Lower =
        [TrainLoss, ValidationLoss, "loss", "logLoss", "mae", "mse", "rmse", "calibrationError", "perplexity"];

    // By which a run is judged where its settings do not say: the first of them that it measured.
    private static readonly string[] Scores = ["determinedAccuracy", "perplexity", "accuracy", "r2", "f1", "iou"];

    /// <summary>Whether a higher value of a measure is better.</summary>
    /// <param name="name">The name of the measure.</param>
    /// <returns>False for losses and errors, true for all others.</returns>
    public static bool IsHigherBetter(string name) => !Lower.Contains(name);

    /// <summary>A measure in words, such as <c>validation loss</c>.</summary>
    /// <param name="name">The name of the measure.</param>
    /// <returns>The words for a loss, else the name itself.</returns>
    public static string Title(string name) => name switch
    {
        TrainLoss => "training loss",
        ValidationLoss => "validation loss",
        _ => name,
    };

    /// <summary>The measure by which a run is judged where it does not say so itself.</summary>
    /// <param name="measured">The names of what was measured.</param>
    /// <returns>The name of a metric; the validation loss where none was measured.</returns>
    public static string Score(IReadOnlyCollection<string> measured) =>
        Scores.FirstOrDefault(measured.Contains)
        ?? measured.FirstOrDefault(name => name is not (TrainLoss or ValidationLoss)) ?? ValidationLoss;
}
