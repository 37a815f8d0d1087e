namespace Adjoint.Optim;

/// <summary>The learning rate over time: a factor of the base rate for a step, counted from 0.</summary>
public abstract class Schedule
{
    /// <summary>The rate is factor · base.</summary>
    public abstract double Factor(int step);

    /// <summary>Always 1.</summary>
    public static Schedule Constant() => new Rule(_ => 1);

    /// <summary>γ^⌊step / every⌋.</summary>
    public static Schedule StepDecay(int every, double gamma = 0.1) => new Rule(step => Math.Pow(gamma, step / every));

    /// <summary>floor + (1 − floor)·½(1 + cos(π·step/total)), then floor (Loshchilov and Hutter 2017, without restarts).</summary>
    public static Schedule Cosine(int total, double floor = 0) => new Rule(step => floor + (1 - floor) * 0.5 * (1 + Math.Cos(Math.PI * Math.Min(1, (double)step / total))));

    /// <summary>From 1/startDivisor up to 1 by half a cosine over the first share of the steps, then down to 1/(startDivisor·endDivisor) (Smith and Topin 2018; PyTorch's OneCycleLR).</summary>
    public static Schedule OneCycle(int total, double share = 0.3, double startDivisor = 25, double endDivisor = 1e4) => new Rule(step =>
    {
        var peak = share * total - 1;
        return step <= peak
            ? Between(1 / startDivisor, 1, step / peak)
            : Between(1, 1 / (startDivisor * endDivisor), Math.Min(1, (step - peak) / (total - 1 - peak)));
    });

    /// <summary>In straight lines: from <paramref name="start"/> up to 1 over the first share of the steps, then down to <paramref name="end"/> (Smith 2017; one triangle).</summary>
    public static Schedule Triangular(int total, double share = 0.23, double start = 0.2, double end = 0.07) => new Rule(step =>
    {
        var (at, peak) = (Math.Min(1, (double)step / total), share);
        return at < peak ? start + (1 - start) * at / peak : 1 + (end - 1) * (at - peak) / (1 - peak);
    });

    /// <summary>(step + 1) / steps for the first steps, then as the next schedule, counted from there.</summary>
    public static Schedule WarmUp(int steps, Schedule next) => new Rule(step => step < steps ? (step + 1.0) / steps : next.Factor(step - steps));

    private static double Between(double from, double to, double share) => to + (from - to) * 0.5 * (1 + Math.Cos(Math.PI * share));

    private sealed class Rule(Func<int, double> factor) : Schedule
    {
        public override double Factor(int step) => factor(step);
    }
}

/// <summary>Multiplies the learning rate by a factor when a measure has not improved for a number of epochs (PyTorch's ReduceLROnPlateau, mode min).</summary>
public sealed class ReduceOnPlateau(Optimizer optimizer, double factor = 0.1, int patience = 10, double threshold = 1e-4)
{
    private double best = double.PositiveInfinity;
    private int stale;

    /// <summary>Tells the measure of an epoch; smaller is better. Returns whether the rate was reduced.</summary>
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
