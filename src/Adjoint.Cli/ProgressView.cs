using System.Diagnostics;
using System.Globalization;
using Adjoint.Training;
using Spectre.Console;

namespace Adjoint.Cli;

/// <summary>What a person sees while a network learns: a live line on a terminal, plain lines elsewhere. On stderr.</summary>
internal sealed class ProgressView : Callback
{
    private readonly IAnsiConsole? console;
    private readonly TextWriter error;
    private readonly int epochs;
    private readonly long started = Stopwatch.GetTimestamp();
    private long lastShown;
    private long samples;
    private bool lineIsOpen;

    internal ProgressView(TextWriter error, int epochs)
    {
        (this.error, this.epochs) = (error, epochs);
        if (!Console.IsErrorRedirected && ReferenceEquals(error, Console.Error))
            console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(error) });
    }

    public override void OnStep(Trainer trainer, StepInfo step)
    {
        samples += step.Samples;
        if (console is null || Stopwatch.GetElapsedTime(lastShown).TotalMilliseconds < 100) return;
        lastShown = Stopwatch.GetTimestamp();
        var elapsed = Stopwatch.GetElapsedTime(started).TotalSeconds;
        var done = (step.Epoch - 1 + (double)step.Step / step.Steps) / epochs;
        var filled = (int)(24.0 * step.Step / step.Steps);
        error.Write('\r');
        console.Markup(string.Create(CultureInfo.InvariantCulture,
            $"epoch {step.Epoch,3}/{epochs} [blue]{new string('━', filled)}[/][grey]{new string('━', 24 - filled)}[/] loss {step.Loss:0.0000}  {samples / elapsed:N0} samples/s  {Time(elapsed / done * (1 - done))} left  "));
        lineIsOpen = true;
    }

    public override void OnEpoch(Trainer trainer, EpochResult epoch)
    {
        if (lineIsOpen) error.Write("\r\e[2K");
        lineIsOpen = false;
        error.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"epoch {epoch.Epoch,3}/{epochs}  {(epoch.TrainLoss is { } loss ? $"train loss {loss:0.0000}" : "before training  ")}  validation loss {epoch.ValidationLoss:0.0000}  accuracy {epoch.ValidationAccuracy:0.0000}  {epoch.Seconds:0.00} s"));
    }

    private static string Time(double seconds) => TimeSpan.FromSeconds(Math.Min(seconds, 1e6)).ToString(seconds < 3600 ? @"m\:ss" : @"h\:mm\:ss", CultureInfo.InvariantCulture);
}
