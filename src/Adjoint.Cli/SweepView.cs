using System.Diagnostics;
using System.Globalization;
using Adjoint.Experiments;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Adjoint.Cli;

/// <summary>
/// What a person sees of a sweep on stderr: on a terminal a live table, elsewhere a line for each trial that ends.
/// </summary>
internal sealed class SweepView
{
    private const int Shown = 12;
    private readonly TextWriter error;
    private readonly ITrialProgram program;
    private readonly Dictionary<string, TrialProgress> trials;
    private readonly Dictionary<string, double> costs;
    private readonly List<string> order = [];
    private readonly bool isLive;
    private readonly long started = Stopwatch.GetTimestamp();
    private double costBefore;
    private readonly Lock gate = new();

    internal SweepView(TextWriter error, ITrialProgram program, IReadOnlyList<Trial> trials, string folder)
    {
        (this.error, this.program) = (error, program);
        this.trials = trials.ToDictionary(trial => trial.Key,
            trial => new TrialProgress(trial, TrialState.Waiting, null, null));
        costs = trials.ToDictionary(trial => trial.Key, trial => program.Cost(trial.Settings));
        costBefore = trials
            .Where(trial => File.Exists(Path.Combine(ExperimentRunner.FolderOf(folder, trial), "result.json")))
            .Sum(trial => costs[trial.Key]);
        // A table is drawn again in its place, which needs a terminal that moves its cursor; elsewhere it would be
        // printed without end.
        isLive = Terminal.IsSeen(error) && Terminal.Console(error).Profile.Capabilities.Ansi;
    }

    internal void Show(TrialProgress progress)
    {
        lock (gate)
        {
            var known = trials[progress.Trial.Key];
            // A trial that goes on from a checkpoint: what it had done before took none of this time.
            if (known.Last is null && progress is { State: TrialState.Running, Last: { Epoch: > 1 } first })
                costBefore += costs[progress.Trial.Key] * (first.Epoch - 1) / program.Epochs(progress.Trial.Settings);
            trials[progress.Trial.Key] = progress with { Last = progress.Last ?? known.Last };
            order.Remove(progress.Trial.Key);
            order.Add(progress.Trial.Key);
            if (isLive || progress.State is TrialState.Waiting or TrialState.Running) return;
            var done = trials.Values.Count(one => one.State is TrialState.Complete or TrialState.Diverged);
            var (trial, title) = (progress.Trial, Printable.Line(progress.Trial.Title));
            var epoch = progress.Last is { } last
                ? string.Create(CultureInfo.InvariantCulture,
                    $", epoch {last.Epoch}, accuracy {last.ValidationAccuracy:0.0000}")
                : "";
            var message = progress.Message is null ? "" : $": {Printable.Line(progress.Message)}";
            error.WriteLine($"[{done}/{trials.Count}] {title}, seed {trial.Seed} ({trial.Key}): "
                + $"{Word(progress.State)}{epoch}{message}; {Left()}");
        }
    }

    internal void Warn(string message)
    {
        lock (gate) error.WriteLine($"adjoint: {Printable.Line(message)}");
    }

    internal void Note(string message)
    {
        lock (gate) error.WriteLine(Printable.Line(message));
    }

    /// <summary>Shows the table while the work runs.</summary>
    internal T While<T>(Func<T> work)
    {
        if (!isLive) return work();
        return Terminal.Console(error).Live(Table()).Start(context =>
        {
            var task = Task.Run(work);
            // Not Wait, which wraps what the work throws.
            while (Task.WaitAny([task], 250) < 0) context.UpdateTarget(Table());
            context.UpdateTarget(Table());
            return task.GetAwaiter().GetResult();
        });
    }

    private IRenderable Table()
    {
        lock (gate)
        {
            // A narrow terminal has room for what changes.
            var isWide = Terminal.Width >= 60;
            string[] heads = isWide ? ["case", "seed", "state", "epoch", "accuracy"] : ["case", "epoch", "acc."];
            var table = new Table { Border = TableBorder.Simple };
            foreach (var head in heads) table.AddColumn(new TableColumn(head) { NoWrap = head != "case" });
            var running = trials.Values.Where(one => one.State == TrialState.Running).ToArray();
            var others = order.AsEnumerable().Reverse().Select(key => trials[key])
                .Where(one => one.State != TrialState.Running).Take(Shown - running.Length).Reverse();
            foreach (var one in others.Concat(running))
            {
                var (epochs, color) = (program.Epochs(one.Trial.Settings), Color(one.State));
                var title = Printable.Line(one.Trial.Title);
                var epoch = new Text(one.Last is { } last ? $"{last.Epoch}/{epochs}" : "");
                var share = one.Last?.ValidationAccuracy.ToString("0.0000", CultureInfo.InvariantCulture);
                IReadOnlyList<Text> cells = isWide
                    ? [new(title), new($"{one.Trial.Seed}"), new(Word(one.State), color), epoch, new(share ?? "")]
                    : [new($"{title}, seed {one.Trial.Seed}", color), epoch, new(share ?? "")];
                table.AddRow(cells);
            }
            var counts = string.Join(", ", trials.Values.GroupBy(one => one.State)
                .OrderByDescending(group => group.Key).Select(group => $"{group.Count()} {Word(group.Key)}"));
            table.Caption = new TableTitle($"{counts}; {Left()}");
            return table;
        }
    }

    // By the share of the work that is done, each trial weighed by what it costs.
    private string Left()
    {
        var done = trials.Values.Sum(one => costs[one.Trial.Key] * ShareDone(one)) - costBefore;
        var all = costs.Values.Sum() - costBefore;
        if (done <= 0) return "time left unknown";
        var seconds = Math.Max(0, Stopwatch.GetElapsedTime(started).TotalSeconds * (all - done) / done);
        var format = seconds < 3600 ? @"m\:ss" : seconds < 86400 ? @"h\:mm\:ss" : @"d\.hh\:mm\:ss";
        return TimeSpan.FromSeconds(Math.Min(seconds, 1e7)).ToString(format, CultureInfo.InvariantCulture) + " left";
    }

    private double ShareDone(TrialProgress one) =>
        one.State is TrialState.Complete or TrialState.Diverged ? 1
        : one.Last is { } last ? (double)last.Epoch / Math.Max(1, program.Epochs(one.Trial.Settings))
        : 0;

    internal static string Word(TrialState state) => state switch
    {
        TrialState.Waiting => "waiting",
        TrialState.Running => "running",
        TrialState.Interrupted => "interrupted",
        TrialState.Complete => "complete",
        TrialState.Diverged => "diverged",
        _ => "failed",
    };

    private static Style Color(TrialState state) => new(state switch
    {
        TrialState.Running => Spectre.Console.Color.Blue,
        TrialState.Failed or TrialState.Diverged => Spectre.Console.Color.Red,
        TrialState.Complete => Spectre.Console.Color.Green,
        _ => Spectre.Console.Color.Grey,
    });
}
