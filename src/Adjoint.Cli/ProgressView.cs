using System.Diagnostics;
using System.Globalization;
using Adjoint.Training;

namespace Adjoint.Cli;

/// <summary>
/// What a person sees on stderr while a network learns: a live line on a terminal, plain lines elsewhere.
/// </summary>
internal sealed class ProgressView(TextWriter error, LiveLine? live, int epochs, bool hasCurves = false) : Callback
{
    private const int MaxBar = 24, MinBar = 5;
    private static readonly TimeSpan Redraw = TimeSpan.FromSeconds(0.5);
    private readonly long started = Stopwatch.GetTimestamp();
    private readonly LiveCurves? curves = hasCurves && live is not null ? new() : null;
    private IReadOnlyList<TextLine> drawn = [];
    private (int Room, long Time) drawnFor;
    private MonitoredMetric score = new("accuracy", IsHigherBetter: true);
    private StepInfo? last;
    private long lastShown;
    private long samples;

    internal ProgressView(TextWriter error, int epochs, bool hasCurves) :
        this(error, LiveLine.On(error), epochs, hasCurves)
    { }

    public override void BeforeFit(Trainer trainer)
    {
        score = trainer.Score;
        if (curves is not null) curves.Score = score.Name;
    }

    /// <summary>A run that goes on has curves already.</summary>
    public override void Load(Trainer trainer, TrainingState state)
    {
        foreach (var epoch in trainer.Results) curves?.Add(epoch);
    }

    public override void AfterBatch(Trainer trainer, StepInfo step)
    {
        samples += step.Samples;
        curves?.Add(step);
        if (live is null || Stopwatch.GetElapsedTime(lastShown).TotalMilliseconds < 100) return;
        lastShown = Stopwatch.GetTimestamp();
        Show(step, Stopwatch.GetElapsedTime(started).TotalSeconds);
    }

    public override void AfterEpoch(Trainer trainer, EpochResult epoch)
    {
        Close();
        // As long as there is room for; elsewhere than on a terminal always whole.
        var brief = score.Name switch
        {
            "accuracy" => "acc",
            "determinedAccuracy" => "det. acc",
            var name => name,
        };
        string[] lines = [Line(epoch, "train loss", "validation loss", score.Name), Line(epoch, "train", "val", brief),
            Line(epoch, brief)];
        error.WriteLine(live is null ? lines[0] : lines.FirstOrDefault(line => line.Length <= live.Room, lines[^1]));
        curves?.Add(epoch);
        drawnFor = default;
        // The curves stay while the next epoch begins.
        if (last is { } step && drawn.Count > 0) Show(step, Stopwatch.GetElapsedTime(started).TotalSeconds);
    }

    /// <summary>Takes the live line away, so that something else can be written.</summary>
    internal void Close() => live?.Clear();

    /// <summary>Takes the live line away for good; where there were curves, they stay as they are now.</summary>
    internal void Finish()
    {
        Close();
        last = null;
        if (live is null || curves is not { HasEpoch: true } || !LiveCurves.Fit(live)) return;
        foreach (var line in curves.Draw(live)) error.WriteLine(line.Text);
    }

    // Drawn anew now and then, and where the terminal has another size; none where it has no room.
    private IReadOnlyList<TextLine> Curves()
    {
        if (curves is null || !LiveCurves.Fit(live!)) return drawn = [];
        if (drawn.Count > 0 && drawnFor.Room == live!.Room && Stopwatch.GetElapsedTime(drawnFor.Time) < Redraw)
            return drawn;
        drawnFor = (live!.Room, Stopwatch.GetTimestamp());
        return drawn = curves.Draw(live);
    }

    // Shows as much as there is room for: the speed goes first, then the time left, then the loss, and the bar becomes
    // short.
    internal void Show(StepInfo step, double elapsed)
    {
        last = step;
        var done = (step.Epoch - 1 + (double)step.Step / step.Steps) / epochs;
        string[] parts =
        [
            $"epoch {step.Epoch.ToString(CultureInfo.InvariantCulture).PadLeft(Digits(epochs))}/{epochs}",
            string.Create(CultureInfo.InvariantCulture, $"loss {step.Loss:0.0000}"),
            $"{Time(elapsed / done * (1 - done))} left",
            string.Create(CultureInfo.InvariantCulture, $"{samples / elapsed:N0} samples/s"),
        ];
        var count = parts.Length;
        int Bar() => live!.Room - parts.Take(count).Sum(part => part.Length + 1) - (count - 1);
        while (count > 1 && Bar() < MinBar) count--;
        var bar = Math.Clamp(Bar(), 0, MaxBar);
        var filled = (int)((double)bar * step.Step / step.Steps);
        // Without colors the two parts of the bar are told apart by their signs.
        var signs = live!.HasColors ? $"\e[34m{new string('━', filled)}\e[90m{new string('━', bar - filled)}\e[0m"
            : new string('#', filled) + new string('-', bar - filled);
        var (head, rest) = (parts[0], string.Concat(parts.Take(count).Skip(1).Select(part => "  " + part)));
        if (head.Length > live.Room) live.Clear();
        else if (bar < MinBar) live.Show(head, head.Length, Curves());
        else live.Show($"{head} {signs}{rest}", head.Length + 1 + bar + rest.Length, Curves());
    }

    private string Line(EpochResult epoch, string name) => string.Create(CultureInfo.InvariantCulture,
        $"epoch {epoch.Epoch,3}/{epochs}  {name} {Score(epoch)}");

    private string Line(EpochResult epoch, string train, string validation, string name)
    {
        var loss = epoch.TrainLoss is { } own ? string.Create(CultureInfo.InvariantCulture, $"{train} {own:0.0000}")
            : "before training";
        return string.Create(CultureInfo.InvariantCulture,
            $"epoch {epoch.Epoch,3}/{epochs}  {loss.PadRight(train.Length + 7)}  {validation} "
            + $"{epoch.ValidationLoss:0.0000}  {name} {Score(epoch)}  {epoch.Seconds:0.00} s");
    }

    // A mean error in the unit of the target may be of any size.
    private string Score(EpochResult epoch) => score.Of(epoch) is var value && Math.Abs(value) >= 1000
        ? value.ToString("G6", CultureInfo.InvariantCulture)
        : value.ToString("0.0000", CultureInfo.InvariantCulture);

    private static int Digits(int number) => number.ToString(CultureInfo.InvariantCulture).Length;

    private static string Time(double seconds) => TimeSpan.FromSeconds(Math.Min(seconds, 1e6))
        .ToString(seconds < 3600 ? @"m\:ss" : @"h\:mm\:ss", CultureInfo.InvariantCulture);
}
