namespace Adjoint.Optim;

/// <summary>
/// The learning rate over time, as a factor of the base rate for each step. To write one, derive and override
/// <see cref="Factor"/>; see <c>samples/own-schedule.cs</c>.
/// </summary>
public abstract class Schedule
{
    /// <summary>
    /// The factor of a step: its learning rate is factor · base, with each group's own base. It must depend on the step
    /// alone, so that a resumed run continues with the same rates.
    /// </summary>
    /// <param name="step">The step, counted from 0 over all epochs.</param>
    /// <returns>The factor, 0 or more and finite.</returns>
    public abstract double Factor(int step);

    /// <summary>A constant learning rate: the factor is 1.</summary>
    /// <returns>The schedule, for any number of steps.</returns>
    public static Schedule Constant() => new Rule(_ => 1);

    /// <summary>Step decay: the factor is γ^⌊step / every⌋ (PyTorch's <c>StepLR</c>).</summary>
    /// <param name="stepSize">The number of steps between two reductions, 1 or more.</param>
    /// <param name="gamma">The factor γ of each reduction.</param>
    /// <returns>The schedule, for any number of steps.</returns>
    /// <exception cref="AdjointException">The number of steps is not positive.</exception>
    public static Schedule StepDecay(int stepSize, double gamma = 0.1)
    {
        Check("StepDecay", stepSize);
        return new Rule(step => Math.Pow(gamma, step / stepSize));
    }

    /// <summary>
    /// Cosine annealing: floor + (1 − floor)·½(1 + cos(π·step/total)), then floor (Loshchilov and Hutter 2017, without
    /// restarts).
    /// </summary>
    /// <param name="totalSteps">The number of steps until the floor is reached, 1 or more.</param>
    /// <param name="minimum">The factor at the end.</param>
    /// <returns>The schedule, constant after the end.</returns>
    /// <exception cref="AdjointException">The number of steps is not positive.</exception>
    public static Schedule Cosine(long totalSteps, double minimum = 0)
    {
        Check("Cosine", totalSteps);
        return new Rule(
            step => minimum + (1 - minimum) * 0.5 * (1 + Math.Cos(Math.PI * Math.Min(1, (double)step / totalSteps))));
    }

    /// <summary>
    /// One cycle: from 1/startDivisor up to 1 by half a cosine over the first share of the steps, then down to
    /// 1/(startDivisor·endDivisor) (Smith and Topin 2018; PyTorch's <c>OneCycleLR</c>).
    /// </summary>
    /// <param name="totalSteps">The number of steps of the cycle, 1 or more.</param>
    /// <param name="riseFraction">The fraction of the steps that rise, between 0 and 1.</param>
    /// <param name="startDivisor">The highest rate divided by the first.</param>
    /// <param name="endDivisor">The first rate divided by the last.</param>
    /// <returns>The schedule, constant after the end.</returns>
    /// <exception cref="AdjointException">
    /// The number of steps or a divisor is not positive, or the share not between 0 and 1.
    /// </exception>
    public static Schedule OneCycle(long totalSteps, double riseFraction = 0.3, double startDivisor = 25,
        double endDivisor = 1e4)
    {
        Check("OneCycle", totalSteps, riseFraction);
        if (!(startDivisor > 0 && endDivisor > 0))
            throw new AdjointException(
                $"OneCycle: the divisors must be positive: found {startDivisor} and {endDivisor}");
        var (peak, last) = (riseFraction * totalSteps - 1, totalSteps - 1);
        return new Rule(step =>
            // A run too short to rise begins at its top.
            step < peak ? Between(1 / startDivisor, 1, step / peak)
            : step >= last ? 1 / (startDivisor * endDivisor)
            : Between(1, 1 / (startDivisor * endDivisor), (step - Math.Max(0, peak)) / (last - Math.Max(0, peak))));
    }

    /// <summary>
    /// One triangle (Smith 2017): linearly from <paramref name="start"/> up to 1 over the first share of the steps,
    /// then down to <paramref name="end"/>.
    /// </summary>
    /// <param name="totalSteps">The number of steps, 1 or more.</param>
    /// <param name="riseFraction">The fraction of the steps that rise, between 0 and 1.</param>
    /// <param name="start">The factor at the first step.</param>
    /// <param name="end">The factor at the end.</param>
    /// <returns>The schedule, constant after the end.</returns>
    /// <exception cref="AdjointException">
    /// The number of steps is not positive, or the share not between 0 and 1.
    /// </exception>
    public static Schedule Triangular(long totalSteps, double riseFraction = 0.23, double start = 0.2,
        double end = 0.07)
    {
        Check("Triangular", totalSteps, riseFraction);
        return new Rule(step => Math.Min(1, (double)step / totalSteps) is var at && at < riseFraction
            ? start + (1 - start) * at / riseFraction
            : 1 + (end - 1) * (at - riseFraction) / (1 - riseFraction));
    }

    /// <summary>
    /// Linear warm-up: (step + 1) / steps for the first steps, then the next schedule, which counts from there.
    /// </summary>
    /// <param name="steps">The number of steps of the warm-up, 0 or more.</param>
    /// <param name="next">The schedule that follows.</param>
    /// <returns>The joined schedule.</returns>
    /// <exception cref="AdjointException">The number of steps is negative.</exception>
    public static Schedule WarmUp(int steps, Schedule next) => steps >= 0
        ? new Rule(step => step < steps ? (step + 1.0) / steps : next.Factor(step - steps))
        : throw new AdjointException($"WarmUp: the number of steps must not be negative: found {steps}");

    private static void Check(string rule, long steps, double riseFraction = 0.5)
    {
        if (steps < 1 || riseFraction is not (> 0 and < 1))
            throw new AdjointException(
                $"{rule}: steps must be positive and the rising fraction between 0 and 1: found {steps} and "
                + $"{riseFraction}");
    }

    private static double Between(double from, double to, double share) =>
        to + (from - to) * 0.5 * (1 + Math.Cos(Math.PI * share));

    private sealed class Rule(Func<int, double> factor) : Schedule
    {
        public override double Factor(int step) => factor(step);
    }
}

/// <summary>
/// Multiplies the learning rate by a factor when a measure has not improved for a number of epochs (PyTorch's
/// <c>ReduceLROnPlateau</c>, mode min).
/// </summary>
/// <param name="optimizer">The optimizer whose rate is reduced.</param>
/// <param name="factor">The factor of a reduction, between 0 and 1.</param>
/// <param name="patience">The number of epochs without improvement that are tolerated.</param>
/// <param name="threshold">The relative improvement that counts as one.</param>
public sealed class ReduceOnPlateau(Optimizer optimizer, double factor = 0.1, int patience = 10,
    double threshold = 1e-4)
{
    private double best = double.PositiveInfinity;
    private int stale;

    /// <summary>Records the measure of an epoch, such as the validation loss; smaller is better.</summary>
    /// <param name="measure">The measure; a NaN is no improvement.</param>
    /// <returns>Whether the learning rate was reduced.</returns>
    public bool Observe(double measure)
    {
        if (measure < best * (1 - threshold))
        {
            (best, stale) = (measure, 0);
            return false;
        }
        if (++stale <= patience) return false;
        stale = 0;
        foreach (var group in optimizer.Groups) group.LearningRate *= factor;
        return true;
    }
}
