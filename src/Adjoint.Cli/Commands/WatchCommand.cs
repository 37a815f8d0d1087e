using System.CommandLine;
using Adjoint.Experiments;
using Adjoint.Explorer;

namespace Adjoint.Cli.Commands;

/// <summary><c>adjoint watch</c>: the curves of runs in the browser, while they train.</summary>
internal static class WatchCommand
{
    // How long a page may be silent: browsers let those in the background ask once a minute.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90), Look = TimeSpan.FromMilliseconds(500);

    internal static Command Create(TextWriter output, TextWriter error)
    {
        var folder = new Argument<string>("run")
        {
            Description = "Folder of a run, or of runs, which are laid over each other; runs/ if it is left out.",
            DefaultValueFactory = _ => "runs",
        };
        var port = SettingOption.Of(PageSettings.Port);
        var open = SettingOption.Of(PageSettings.Open);
        var command = new GuidedCommand("watch", "Show the curves of a run in the browser, while it trains.",
        [
            ("adjoint watch runs/first --open", "A run; ends when the run does."),
            ("adjoint watch", "All under runs/, also those that begin later; until Ctrl-C."),
        ],
        new OptionGroup("Page", [port, open])) { folder };
        command.SetAction(parsed =>
        {
            var path = parsed.GetValue(folder)!;
            if (!Directory.Exists(path))
                throw new AdjointException(
                    $"{path}: no such folder; adjoint runs lists the runs, and adjoint train begins one");
            var runs = new WatchedRuns(path);
            var first = runs.Look();
            using var page = ExplorerPage.Serve(new WatchSite(runs), parsed.GetValue(port));
            using var interrupt = new Interrupt();
            output.WriteLine(page.Address);
            output.Flush();
            error.WriteLine(first is [{ Record: { State: var state } }] && state != RunState.Running
                ? $"{Printable.Line(path)}: {ListedRun.Word(state)}; Ctrl+C stops." : "Ctrl+C stops.");
            if (parsed.GetValue(open)) Browser.Open(page.Address.ToString(), error);
            while (!interrupt.Token.WaitHandle.WaitOne(Look))
            {
                if (runs.Look() is not [{ Record: { } run }] || !runs.HasEnded || !IsShown(runs)) continue;
                error.WriteLine($"{Printable.Line(path)}: {ListedRun.Word(run.State)}; the page keeps its curves.");
                break;
            }
            return 0;
        });
        return command;
    }

    // Who has the page open gets the end of the curves.
    private static bool IsShown(WatchedRuns runs) =>
        runs.Asked is not { } asked || runs.IsDelivered || DateTime.UtcNow - asked > Patience;
}
