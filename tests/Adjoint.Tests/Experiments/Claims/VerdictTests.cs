using Adjoint.Experiments;
using Adjoint.Tests.Training;
using Adjoint.Training;

namespace Adjoint.Tests.Experiments;

/// <summary>Rules against numbers whose verdict is plain.</summary>
public class VerdictTests
{
    [Fact]
    public void A_clear_difference_decides_and_a_slight_one_does_not()
    {
        var runs = Runs(("a", [0.90, 0.91, 0.92, 0.90]), ("b", [0.80, 0.80, 0.83, 0.81]),
            ("c", [0.90, 0.92, 0.91, 0.90]));
        Assert.Equal(Verdict.Holds, Judge(runs, new Higher(Measure.Best, "a", "b")));
        Assert.Equal(Verdict.DoesNotHold, Judge(runs, new Higher(Measure.Best, "b", "a")));
        Assert.Equal(Verdict.Holds, Judge(runs, new Lower(Measure.Best, "b", "a")));
        Assert.Equal(Verdict.Undecided, Judge(runs, new Higher(Measure.Best, "a", "c")));
        Assert.Equal(Verdict.Holds, Judge(runs, new Differ(Measure.Best, "a", "b")));
        Assert.Equal(Verdict.Undecided, Judge(runs, new Differ(Measure.Best, "a", "c")));
        Assert.Equal(Verdict.Undecided, Judge(Runs(("a", [0.9]), ("b", [0.8])), new Higher(Measure.Best, "a", "b")));
    }

    [Fact]
    public void Pairs_are_by_seed()
    {
        // Seeds spread far more than the pairs differ: Welch sees nothing, pairs do.
        var runs = Runs(("a", [0.60, 0.70, 0.80, 0.90]), ("b", [0.59, 0.69, 0.788, 0.89]));
        var evidence = Finding.Of([new("a beats b", new Higher(Measure.Best, "a", "b"))], runs)[0].Evidence[0];
        Assert.True(evidence.P < 0.001, $"{evidence}");
        Assert.Equal((4, 1.05), (evidence.Seeds, Math.Round(evidence.Estimate, 6)));
        // 1.05 / √((166.67 + 166.01) / 4) = 0.115.
        Assert.Matches(@"^paired t\(3\) = [0-9.]+; Welch's t\(6\.00\) = 0\.12, p = ", evidence.Test);
    }

    [Fact]
    public void Tests_of_an_experiment_are_corrected_together()
    {
        var runs = Runs(("a", [0.90, 0.91, 0.92]), ("b", [0.88, 0.90, 0.90]), ("c", [0.5, 0.6, 0.55]));
        var claims = new Claim[] { new("1", new Higher(Measure.Best, "a", "b")), new("2", new Top(Measure.Best, "a")),
            new("3", new Near(Measure.Best, "a", 91, 1)) };
        var evidence = Finding.Of(claims, runs).SelectMany(finding => finding.Evidence).ToArray();
        Assert.Equal(4, evidence.Length);
        Assert.Equal(Holm.Adjust([.. evidence.Select(one => one.P)]), evidence.Select(one => one.AdjustedP));
        Assert.All(evidence[..3], one => Assert.True(one.AdjustedP > one.P));
    }

    [Fact]
    public void Reported_numbers_are_met_or_not()
    {
        var runs = Runs(("a", [0.90, 0.91, 0.92]), ("one", [0.9]));
        Assert.Equal(Verdict.Holds, Judge(runs, new Near(Measure.Best, "a", 91.5, 1)));
        // One more run could be 95, for 91 ± 1 over three; that proves nothing.
        Assert.Equal(Verdict.Undecided, Judge(runs, new Near(Measure.Best, "a", 95, 0)));
        Assert.Equal(Verdict.DoesNotHold, Judge(runs, new Near(Measure.Best, "a", 99, 1)));
        Assert.Equal(Verdict.Undecided, Judge(runs, new Near(Measure.Best, "one", 90, 1)));
    }

    [Fact]
    public void Alike_needs_more_than_a_difference_not_found()
    {
        Assert.Equal(Verdict.Holds,
            Judge(Runs(("a", [0.90, 0.902, 0.901]), ("b", [0.901, 0.901, 0.902])), new Alike(Measure.Best, 1)));
        Assert.Equal(Verdict.DoesNotHold,
            Judge(Runs(("a", [0.90, 0.902, 0.901]), ("b", [0.95, 0.951, 0.952])), new Alike(Measure.Best, 1)));
        Assert.Equal(Verdict.Undecided,
            Judge(Runs(("a", [0.80, 0.902, 0.85]), ("b", [0.89, 0.85, 0.80])), new Alike(Measure.Best, 1)));
    }

    [Fact]
    public void Measures_of_a_curve()
    {
        EpochResult[] curve =
            [.. ((double[])[0.1, 0.5, 0.7, 0.8, 0.6, 0.6, 0.6, 0.6, 0.6])
                .Select((accuracy, epoch) => new EpochResult(epoch, epoch == 0 ? null : 1.0 / epoch, 2 - accuracy,
                    Measures.Accuracy(accuracy), 1))];
        Assert.Equal(80, Measure.Best.Of(curve), 1e-9);
        Assert.Equal(3, Measure.BestEpoch.Of(curve));
        Assert.Equal(60, Measure.Final.Of(curve), 1e-9);
        Assert.Equal(20, Measure.Fall.Of(curve), 1e-9);
        // 99 % of 0.8 is 0.792: 0.92 of the way from epoch 2 to 3.
        Assert.Equal(2.92, Measure.Convergence.Of(curve), 1e-9);
        Assert.True(Measure.LateLossSlope.Of(curve) < 0);
        Assert.Equal(1.2, Measure.Loss.Of(curve), 1e-9);
    }

    [Fact]
    public void A_falling_measure_over_a_factor()
    {
        var factor =
            new Factor(
            "batch-size",
            [.. ((string[])["25", "50", "100"])
                .Select(size => new Level(size, new Dictionary<string, string> { ["batch-size"] = size }))]);
        var runs = new CaseRuns(new Experiment("x", "x", new Dictionary<string, string>(), [factor], Measure.Best)
            .Cases());
        foreach (var (label, values) in new[] { ("25", (double[])[0.60, 0.62, 0.61]), ("50", [0.58, 0.60, 0.60]),
            ("100", [0.55, 0.58, 0.56]) })
            for (var seed = 0; seed < 3; seed++) runs.Add(label, (ulong)seed, Epochs(values[seed]));
        var finding = Finding.Of([new("smaller is better", new Falling(Measure.Best, "batch-size"))], runs)[0];
        Assert.Equal(Verdict.Holds, finding.Verdict);
        // Slopes of three points over 0, 1, 2 doublings are (last − first) / 2: −2.5, −2 and −2.5.
        Assert.Equal(7 / 3.0, finding.Evidence[0].Estimate, 1e-9);
        Assert.Equal(Verdict.Undecided, Judge(Runs(("a", [0.9])), new Falling(Measure.Best, "batch-size")));
    }

    [Theory]
    [InlineData(0, "0")]
    [InlineData(1234.2, "1234")]
    [InlineData(-12.345, "−12.3")]
    [InlineData(2, "2.00")]
    [InlineData(0.0123, "0.01")]
    [InlineData(-0.0032, "−0.0032")]
    [InlineData(0.00012, "1.2·10⁻⁴")]
    [InlineData(-3.2e-11, "−3.2·10⁻¹¹")]
    public void Numbers_are_written_for_a_reader(double value, string text) =>
        Assert.Equal(new("lag of a", $"{text}\u00A0ms"), new Beyond(new("lag", "lag", "ms", _ => value), "a", 1)
            .Weigh(Runs(("a", [0.9])))[0].Compared);

    private static Verdict Judge(CaseRuns runs, Rule rule) => Finding.Of([new("claim", rule)], runs)[0].Verdict;

    private static CaseRuns Runs(params (string Label, double[] Accuracies)[] cases)
    {
        var runs = new CaseRuns([.. cases.Select(one => new Case(one.Label, new Dictionary<string, string>(), null))]);
        foreach (var (label, accuracies) in cases)
            for (var seed = 0; seed < accuracies.Length; seed++) runs.Add(label, (ulong)seed, Epochs(accuracies[seed]));
        return runs;
    }

    private static EpochResult[] Epochs(double accuracy) =>
        [new(0, null, 2, Measures.Accuracy(0.1), 1), new(1, 1, 1, Measures.Accuracy(accuracy), 1)];
}
