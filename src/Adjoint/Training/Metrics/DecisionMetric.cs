namespace Adjoint.Training;

/// <summary>
/// A metric of decisions: the class of the largest output (of equal ones the first), or for each label whether its
/// probability is above <see cref="Threshold"/>. Soft targets stand for the class of the largest probability, and truth
/// values between 0 and 1 for "true" above ½.
/// </summary>
public abstract class DecisionMetric : ClassificationMetric
{
    private protected DecisionMetric() { }

    /// <summary>
    /// The probability above which a label, or class 1 of two, counts as predicted, in (0, 1); ½ by default.
    /// </summary>
    public double Threshold { get; init; } = 0.5;

    private protected override void Begin(int classes)
    {
        if (!(Threshold > 0 && Threshold < 1))
            throw Error($"Threshold must be in (0, 1): found {Threshold}; 0.5 is the usual one");
        if (Threshold != 0.5 && classes > 2 && !MultiLabel)
            throw Error($"Threshold decides for labels, or for one class of two: found {Threshold} with {classes} "
                + "classes; leave it at 0.5");
    }

    /// <summary>The class that is decided for.</summary>
    private protected int Decide(ReadOnlySpan<double> outputs) =>
        outputs.Length != 2 || Threshold == 0.5 ? Scores.Largest(outputs)
        : IsAbove(FromLogits ? outputs[1] - outputs[0] : outputs[1]) ? 1 : 0;

    /// <summary>Whether a label is decided for.</summary>
    private protected bool IsAbove(double output) =>
        output > (FromLogits ? Math.Log(Threshold / (1 - Threshold)) : Threshold);
}
