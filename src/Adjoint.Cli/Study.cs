using System.Globalization;
using Adjoint.Experiments;
using Adjoint.IO;

namespace Adjoint.Cli;

/// <summary>Experiments in a folder: runs what is missing, shows it, writes the report.</summary>
internal sealed class Study(string title, IReadOnlyList<Experiment> experiments, ITrialProgram program, string folder,
    string? mark = null)
{
    internal IReadOnlyList<Trial> Trials { get; } = ExperimentRunner.TrialsOf(program, experiments);

    /// <summary>Runs and reports. The exit code: 130 after Ctrl-C, 1 when a trial failed.</summary>
    internal int Run(Func<SweepView, ISweepEngine> engine, bool quiet, TextWriter output, TextWriter error)
    {
        // Of several ranks the first speaks.
        quiet |= !World.Current.IsFirst;
        var view = new SweepView(quiet ? TextWriter.Null : error, program, Trials, folder);
        using var interrupt = new Interrupt();
        var summary = view.While(() => engine(view).Run(Trials, interrupt.Token));
        if (summary.GoesOn)
        {
            foreach (var failure in summary.Failures) error.WriteLine($"adjoint: {Printable.Line(failure)}");
            if (!quiet) error.WriteLine($"{summary.Complete} of {summary.Total} trials are complete");
            return summary.Failures.Count > 0 ? Tool.Failure
                : interrupt.Token.IsCancellationRequested ? Tool.Interrupted : 0;
        }
        using var held = Lock();
        if (summary.Time.JobSeconds > 0)
        {
            var before = SweepTime.Load(folder);
            (before is null ? summary.Time : summary.Time.Plus(before)).Save(folder);
        }
        foreach (var failure in summary.Failures) error.WriteLine($"adjoint: {Printable.Line(failure)}");
        if (summary.Failures.Count > 0 || interrupt.Token.IsCancellationRequested)
        {
            error.WriteLine(
                $"{summary.Complete} of {summary.Total} trials are complete; the same command goes on from here");
            return summary.Failures.Count > 0 ? Tool.Failure : Tool.Interrupted;
        }
        WriteReport(error);
        if (!quiet && mark is not null) error.WriteLine(mark);
        if (!quiet)
            error.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{summary.Total} trials in {summary.Time.Seconds:0} s{NotTraining(summary.Time)}"));
        output.WriteLine(Path.Combine(folder, "report.html"));
        return 0;
    }

    /// <summary>Writes the report of what is complete and says what is not.</summary>
    /// <param name="howToRun">The command that would run it.</param>
    /// <param name="output">Gets the report's path.</param>
    /// <param name="error">Gets what is missing.</param>
    /// <exception cref="AdjointException">The folder is not there, or another process works in it.</exception>
    internal int Report(string howToRun, TextWriter output, TextWriter error)
    {
        if (!Directory.Exists(folder)) throw new AdjointException($"{folder}: no such folder; {howToRun} makes it");
        using var held = FolderLock.Take(folder);
        if (WriteReport(error) is > 0 and var missing)
            error.WriteLine($"{missing} of {Trials.Count} trials are not complete and left out");
        output.WriteLine(Path.Combine(folder, "report.html"));
        return 0;
    }

    // Others that look on at the same jobs end at the same moment.
    private FolderLock Lock()
    {
        for (var tries = 0; tries < 100; tries++)
        {
            if (FolderLock.TryTake(folder) is { } held) return held;
            Thread.Sleep(100);
        }
        return FolderLock.Take(folder);
    }

    // The number of trials that are not complete.
    private int WriteReport(TextWriter error)
    {
        void Warn(string problem) => error.WriteLine($"adjoint: {Printable.Line(problem)}");
        var trials = Trials.Select(trial => (Trial: trial, Result: ExperimentRunner.Load(folder, trial, Warn)))
            .Where(one => one.Result is not null).Select(one => (one.Trial, Result: one.Result!)).ToArray();
        var missing = Trials.Count - trials.Length;
        var training = trials.Sum(one => one.Result.Seconds);
        var time = SweepTime.Load(folder);
        var wall = time is null ? "" : string.Create(CultureInfo.InvariantCulture,
            $", in {time.Seconds / 60:0.0} minutes{NotTraining(time)}");
        var left = missing > 0 ? $" {missing} trials are not complete and left out." : "";
        var took = string.Create(CultureInfo.InvariantCulture,
            $"{trials.Length} trials; {training / 60:0.0} minutes of training, added up over trials{wall}.{left}");
        var outcomes = experiments.Select(one =>
            ExperimentOutcome.Of(one, ExperimentRunner.Collect(program, folder, one)));
        var report = new StudyReport(title, [.. outcomes], trials) { Note = took, Time = time, Mark = mark };
        StudyFiles.Write(report, folder);
        return missing;
    }

    /// <summary>One line for each trial.</summary>
    internal void Status(TextWriter output)
    {
        foreach (var trial in Trials)
        {
            var progress = ExperimentRunner.Look(folder, trial);
            var epoch = progress.Last is { } last
                ? string.Create(CultureInfo.InvariantCulture,
                    $"  epoch {last.Epoch}  accuracy {last.ValidationAccuracy:0.0000}")
                : "";
            var message = progress.Message is null ? "" : $"  {Printable.Line(progress.Message)}";
            output.WriteLine(
                $"{trial.Key}  {SweepView.Word(progress.State),-11}{epoch}  {Printable.Line(trial.Title)}{message}");
        }
    }

    private static string NotTraining(SweepTime time) => double.IsNaN(time.Overhead) ? ""
        : string.Create(CultureInfo.InvariantCulture, $"; {time.Overhead:P1} of the jobs' time was not spent training");
}
