using Adjoint.Experiments;
using Adjoint.Training;

namespace Adjoint.Cli;

/// <summary>The curves of a run that is under way, beside each other: the losses, and the score.</summary>
internal sealed class LiveCurves
{
    private const int MinColumns = 80, MinRows = 20, High = 10, Gap = 2;
    private readonly StepHistory steps = new();
    private readonly List<EpochResult> epochs = [];

    /// <summary>The metric beside the losses; null: the one by which runs are listed.</summary>
    internal string? Score { get; set; }

    internal void Add(StepInfo step) => steps.Add(step, out _);

    internal void Add(EpochResult epoch) => epochs.Add(epoch);

    /// <summary>Whether a terminal has room for them.</summary>
    internal static bool Fit(LiveLine live) => live.Room >= MinColumns - 3 && live.Rows >= MinRows - 1;

    /// <summary>Whether there is more than the network before training.</summary>
    internal bool HasEpoch => epochs.Count > 1;

    /// <summary>Draws them as they are now.</summary>
    internal IReadOnlyList<TextLine> Draw(LiveLine live)
    {
        var measured = epochs.SelectMany(epoch => epoch.Metrics.Keys).Distinct().ToArray();
        var name = Score is not null && measured.Contains(Score) ? Score : MetricNames.Score(measured);
        var training = steps.Points.Count > 0
            ? steps.Points.Select(point => (point.Position, point.Loss))
            : Points(epoch => epoch.TrainLoss ?? double.NaN);
        TextCurve[] losses =
            [new('T', Finite(training)), new('V', Finite(Points(epoch => epoch.ValidationLoss)))];
        const string title = "loss: T training, V validation";
        // A task without metrics has its losses only.
        if (measured.Length == 0) return Plot(live.Room).Draw(title, losses);
        var wide = (live.Room - Gap) / 2;
        var score = new TextCurve('A',
            Finite(Points(epoch => epoch.Metrics.GetValueOrDefault(name, double.NaN))));
        return
        [
            .. Plot(wide).Draw(title, losses).Zip(Plot(wide).Draw($"validation {name}", [score]), (left, right) =>
                new TextLine(left.Text + new string(' ', wide - left.Length + Gap) + right.Text,
                    wide + Gap + right.Length)),
        ];

        CurvePlot Plot(int width) => new(width, High)
        {
            HasColors = live.HasColors,
            IsUnicode = live.IsUnicode,
            LastEpoch = Math.Max(1, Math.Max(steps.Points.Count > 0 ? steps.Points[^1].Position : 0,
                epochs.Count > 0 ? epochs[^1].Epoch : 0)),
        };
    }

    private IEnumerable<(double, double)> Points(Func<EpochResult, double> value) =>
        epochs.Select(epoch => ((double)epoch.Epoch, value(epoch)));

    private static (double, double)[] Finite(IEnumerable<(double Epoch, double Value)> points) =>
        [.. points.Where(point => double.IsFinite(point.Value))];
}
