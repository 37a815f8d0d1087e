namespace Adjoint.Tests.Training;

/// <summary>
/// Metrics by their definitions: every pair, every threshold, every class anew. Classes and one logit per sample become
/// probabilities of classes; labels stay apart.
/// </summary>
internal static class MetricReference
{
    internal static double[] Softmax(double[] x) => [.. x.Select(a => 1 / x.Sum(b => Math.Exp(b - a)))];

    internal static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));

    /// <summary>The probabilities of a sample; equal up to rounding are equal.</summary>
    internal static double[] Probabilities(MetricSamples s, int i)
    {
        double[] p = s.Kind switch
        {
            MetricKind.Labels => [.. s.Outputs[i].Select(Sigmoid)],
            MetricKind.Binary => Softmax([0, s.Outputs[i][0]]),
            _ => Softmax(s.Outputs[i]),
        };
        return [.. p.Select(one => Math.Round(one, 13))];
    }

    internal static int Largest(double[] x) => Array.IndexOf(x, x.Max());

    /// <summary>Every decision about a class or label: whether it is predicted, whether true, and the weight.</summary>
    internal static (int Class, double P, bool IsPredicted, bool IsTrue, double Weight)[] Decisions(MetricSamples s) =>
        [.. from i in Enumerable.Range(0, s.Count)
            where s.Weight(i) > 0
            let p = Probabilities(s, i)
            from k in Enumerable.Range(0, p.Length)
            let isLabels = s.Kind == MetricKind.Labels
            let label = isLabels ? 0 : s.Kind == MetricKind.Soft ? Largest(s.Targets[i]) : (int)s.Targets[i][0]
            where !isLabels || s.Targets[i][k] != -100
            where isLabels || label != -100
            select (k, p[k], isLabels ? p[k] > 0.5 : Largest(p) == k, isLabels ? s.Targets[i][k] > 0.5 : label == k,
                s.Weight(i))];

    /// <summary>A ratio of counts, averaged.</summary>
    internal static double Ratio(MetricSamples s, string average, Func<double, double, double, double> ratio)
    {
        var all = Decisions(s);
        double Count(int? k, bool predicted, bool isTrue) => all.Where(d => (k is null || d.Class == k)
            && d.IsPredicted == predicted && d.IsTrue == isTrue).Sum(d => d.Weight);
        double Of(int? k)
        {
            var value = ratio(Count(k, true, true), Count(k, true, false), Count(k, false, true));
            return double.IsNaN(value) ? 0 : value;
        }

        var classes = all.Select(d => d.Class).Distinct().Where(k => s.Kind == MetricKind.Labels
            || all.Any(d => d.Class == k && (d.IsPredicted || d.IsTrue))).ToArray();
        double Support(int k) => Count(k, true, true) + Count(k, false, true);
        return average switch
        {
            "binary" => Of(1),
            "macro" => classes.Average(k => Of(k)),
            "micro" => Of(null),
            _ => classes.Sum(k => Support(k) * Of(k)) / classes.Sum(Support),
        };
    }

    /// <summary>An area of scores against truth, averaged over classes.</summary>
    internal static double Area(
        MetricSamples s, string average, Func<(double P, bool IsTrue, double Weight)[], double> area)
    {
        var all = Decisions(s);
        double Of(int? k) =>
            area([.. all.Where(d => k is null || d.Class == k).Select(d => (d.P, d.IsTrue, d.Weight))]);
        var classes = all.Select(d => d.Class).Distinct().ToArray();
        double Support(int k) => all.Where(d => d.Class == k && d.IsTrue).Sum(d => d.Weight);
        return average switch
        {
            "binary" => Of(1),
            "macro" => classes.Average(k => Of(k)),
            "micro" => Of(null),
            _ => classes.Where(k => Support(k) > 0).Sum(k => Support(k) * Of(k)) / classes.Sum(Support),
        };
    }

    /// <summary>Every pair of a positive and a negative.</summary>
    internal static double Roc((double P, bool IsTrue, double Weight)[] all)
    {
        var pairs = from positive in all
                    where positive.IsTrue
                    from negative in all
                    where !negative.IsTrue
                    let won = positive.P > negative.P ? 1 : positive.P == negative.P ? 0.5 : 0
                    select (Weight: positive.Weight * negative.Weight, Won: won);
        return pairs.Sum(pair => pair.Weight * pair.Won) / pairs.Sum(pair => pair.Weight);
    }

    /// <summary>Precision and recall counted anew at every threshold.</summary>
    internal static double AveragePrecision((double P, bool IsTrue, double Weight)[] all)
    {
        var positives = all.Where(one => one.IsTrue).Sum(one => one.Weight);
        var (sum, before) = (0.0, 0.0);
        foreach (var threshold in all.Select(one => one.P).Distinct().OrderDescending())
        {
            var above = all.Where(one => one.P >= threshold).ToArray();
            var right = above.Where(one => one.IsTrue).Sum(one => one.Weight);
            sum += (right / positives - before) * (right / above.Sum(one => one.Weight));
            before = right / positives;
        }
        return sum;
    }

    internal static double Accuracy(MetricSamples s, int top = 1)
    {
        double right = 0, total = 0;
        for (var i = 0; i < s.Count; i++)
        {
            var p = Probabilities(s, i);
            var isLabels = s.Kind == MetricKind.Labels;
            if (isLabels ? s.Targets[i].All(t => t == -100) : s.Targets[i][0] == -100) continue;
            var label = s.Kind == MetricKind.Soft ? Largest(s.Targets[i]) : (int)s.Targets[i][0];
            // Stable: of equal ones the first.
            var isRight = isLabels ? p.Zip(s.Targets[i]).All(one => one.Second == -100 || one.First > 0.5 ==
                one.Second > 0.5) : Enumerable.Range(0, p.Length).OrderByDescending(k => p[k]).Take(top)
                    .Contains(label);
            if (isRight) right += s.Weight(i);
            total += s.Weight(i);
        }
        return right / total;
    }

    internal static double LogLoss(MetricSamples s)
    {
        double sum = 0, total = 0;
        for (var i = 0; i < s.Count; i++)
        {
            var x = s.Outputs[i];
            double[] p = s.Kind == MetricKind.Labels ? [.. x.Select(Sigmoid)]
                : Softmax(s.Kind == MetricKind.Binary ? [0, x[0]] : x);
            for (var k = 0; k < p.Length; k++)
            {
                var t = s.Kind is MetricKind.Labels or MetricKind.Soft ? s.Targets[i][k] : s.Targets[i][0];
                if (t == -100) continue;
                if (s.Kind is MetricKind.Classes or MetricKind.Binary) t = t == k ? 1 : 0;
                sum -= s.Weight(i) * (t * Math.Log(p[k])
                    + (s.Kind == MetricKind.Labels ? (1 - t) * Math.Log(1 - p[k]) : 0));
                if (s.Kind == MetricKind.Labels || k == 0) total += s.Weight(i);
            }
        }
        return sum / total;
    }

    /// <summary>Guo et al. (2017), equation 3, bin by bin.</summary>
    internal static double CalibrationError(MetricSamples s, int bins)
    {
        var sure = (from i in Enumerable.Range(0, s.Count)
                    let p = Probabilities(s, i)
                    let isLabels = s.Kind == MetricKind.Labels
                    from k in Enumerable.Range(0, isLabels ? p.Length : 1)
                    let t = s.Targets[i][s.Kind == MetricKind.Labels ? k : 0]
                    where t != -100
                    select isLabels
                        ? (P: Math.Max(p[k], 1 - p[k]), IsRight: p[k] > 0.5 == t > 0.5, Weight: s.Weight(i))
                        : (P: p.Max(), IsRight: Largest(p) == (int)t, Weight: s.Weight(i))).ToArray();
        return Enumerable.Range(0, bins).Sum(bin =>
        {
            var own = sure.Where(one => one.P > (double)bin / bins && one.P <= (bin + 1.0) / bins).ToArray();
            return Math.Abs(own.Sum(one => one.IsRight ? one.Weight : 0) - own.Sum(one => one.Weight * one.P));
        }) / sure.Sum(one => one.Weight);
    }

    /// <summary>A result for each value of a sample, averaged: from targets, predictions and weights.</summary>
    internal static double PerValue(MetricSamples s, Func<(double Y, double X, double Weight)[], double> result) =>
        Enumerable.Range(0, s.Outputs[0].Length).Average(k => result([.. Enumerable.Range(0, s.Count)
            .Select(i => (s.Targets[i][k], s.Outputs[i][k], s.Weight(i)))]));

    internal static double R2((double Y, double X, double Weight)[] all)
    {
        var mean = all.Sum(one => one.Weight * one.Y) / all.Sum(one => one.Weight);
        return 1 - all.Sum(one => one.Weight * Math.Pow(one.Y - one.X, 2))
            / all.Sum(one => one.Weight * Math.Pow(one.Y - mean, 2));
    }
}
