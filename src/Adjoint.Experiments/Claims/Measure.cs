using Adjoint.Training;

namespace Adjoint.Experiments;

/// <summary>What a figure shows of each epoch.</summary>
public enum Quantity
{
    /// <summary>The share of validation samples that are right, in percent.</summary>
    ValidationAccuracy,

    /// <summary>The mean loss per training sample, in nats, as the parameters change.</summary>
    TrainLoss,

    /// <summary>The mean loss per validation sample, in nats.</summary>
    ValidationLoss,
}

/// <summary>One number of a trial, such as its best validation accuracy.</summary>
/// <param name="Name">What files call it, such as <c>best-accuracy</c>.</param>
/// <param name="Title">What texts call it.</param>
/// <param name="Unit">The number's unit.</param>
/// <param name="Of">Takes the number from a trial's epochs, of which the one before training comes first.</param>
public sealed record Measure(string Name, string Title, string Unit, Func<IReadOnlyList<EpochResult>, double> Of)
{
    private const int Late = 10, Last = 5;
    private const double NearlyBest = 0.99;

    /// <summary>The least that the number can be: 0 for an accuracy, −∞ for a slope.</summary>
    public double Least { get; init; } = double.NegativeInfinity;

    /// <summary>The most that the number can be: 100 for an accuracy, ∞ for a slope.</summary>
    public double Most { get; init; } = double.PositiveInfinity;

    /// <summary>The highest validation accuracy.</summary>
    public static Measure Best { get; } = new("best-accuracy", "best validation accuracy", "%",
        epochs => 100 * epochs.Max(epoch => epoch.ValidationAccuracy))
    { Least = 0, Most = 100 };

    /// <summary>The validation accuracy of the last epoch.</summary>
    public static Measure Final { get; } = new("final-accuracy", "validation accuracy after the last epoch", "%",
        epochs => 100 * epochs[^1].ValidationAccuracy)
    { Least = 0, Most = 100 };

    /// <summary>The first epoch with the highest validation accuracy.</summary>
    public static Measure BestEpoch { get; } = new("best-epoch", "epoch of the best validation accuracy", "epochs",
        epochs => epochs.MaxBy(epoch => epoch.ValidationAccuracy)!.Epoch)
    { Least = 0 };

    /// <summary>
    /// How soon a trial converges: the epoch at which the accuracy first reaches 99 % of the trial's own best,
    /// interpolated linearly between epochs.
    /// </summary>
    public static Measure Convergence { get; } =
        new("convergence", "epochs until 99 % of the trial's own best accuracy", "epochs", epochs =>
        {
            var wanted = NearlyBest * epochs.Max(epoch => epoch.ValidationAccuracy);
            var at = epochs.ToList().FindIndex(epoch => epoch.ValidationAccuracy >= wanted);
            if (at <= 0) return at < 0 ? double.NaN : 0;
            var (before, after) = (epochs[at - 1].ValidationAccuracy, epochs[at].ValidationAccuracy);
            return at - 1 + (wanted - before) / (after - before);
        })
        { Least = 0 };

    /// <summary>The best validation accuracy minus the mean of the last five epochs.</summary>
    public static Measure Fall { get; } =
        new("fall", "best accuracy minus the mean of the last 5 epochs", "percentage points", epochs =>
            100 * (epochs.Max(epoch => epoch.ValidationAccuracy)
                - epochs.TakeLast(Last).Average(epoch => epoch.ValidationAccuracy)))
        { Least = 0, Most = 100 };

    /// <summary>The slope of the validation accuracy over the last ten epochs.</summary>
    public static Measure LateSlope { get; } =
        new("late-slope", "slope of the accuracy over the last 10 epochs", "percentage points per epoch",
            epochs => Slope(epochs, epoch => 100 * epoch.ValidationAccuracy));

    /// <summary>The slope of the training loss over the last ten epochs.</summary>
    public static Measure LateLossSlope { get; } =
        new("late-loss-slope", "slope of the training loss over the last 10 epochs", "nats per epoch",
            epochs => Slope(epochs, epoch => epoch.TrainLoss ?? double.NaN));

    /// <summary>The lowest validation loss.</summary>
    public static Measure Loss { get; } = new("best-loss", "lowest validation loss", "nats",
        epochs => epochs.Min(epoch => epoch.ValidationLoss))
    { Least = 0 };

    /// <summary>All measures that an experiment's file can name.</summary>
    public static IReadOnlyList<Measure> All { get; } =
        [Best, Final, BestEpoch, Convergence, Fall, LateSlope, LateLossSlope, Loss];

    /// <summary>
    /// An interval of values without what no value can be: Student's t knows nothing of 100 %. What is cut off held no
    /// value, so the interval holds the true one as often as before.
    /// </summary>
    internal (double Low, double High) Possible((double Low, double High) interval) => Cut(interval, Least, Most);

    /// <summary>An interval of differences of two values, without what none can be.</summary>
    internal (double Low, double High) PossibleDifference((double Low, double High) interval) =>
        Cut(interval, Least - Most, Most - Least);

    /// <summary>An interval of the distance from a bound, times 1 or −1, without what none can be.</summary>
    internal (double Low, double High) PossibleDistance((double Low, double High) interval, double bound, double sign)
    {
        var (one, other) = (sign * (Least - bound), sign * (Most - bound));
        return Cut(interval, Math.Min(one, other), Math.Max(one, other));
    }

    private static (double, double) Cut((double Low, double High) interval, double least, double most) =>
        (Math.Clamp(interval.Low, least, most), Math.Clamp(interval.High, least, most));

    private static double Slope(IReadOnlyList<EpochResult> epochs, Func<EpochResult, double> value)
    {
        EpochResult[] late = [.. epochs.Where(epoch => epoch.Epoch > 0).TakeLast(Late)];
        if (late.Length < 2) return double.NaN;
        return Trend.Slope([.. late.Select(epoch => (double)epoch.Epoch)], [.. late.Select(value)]);
    }
}
