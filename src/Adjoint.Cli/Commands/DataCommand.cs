using System.CommandLine;
using Adjoint.Data;

namespace Adjoint.Cli.Commands;

/// <summary><c>adjoint data</c>: which data sets there are, and whether their files are sound.</summary>
internal static class DataCommand
{
    internal static Command Create(TextWriter output, TextWriter error)
    {
        var dataDir = new Option<string?>("--data-dir") { Description = "Where the data sets lie; else ADJOINT_DATA, else the user's cache.", Recursive = true };
        var name = new Argument<string>("dataset") { Description = $"One of {string.Join(", ", TrainSettings.Datasets)}." };
        var list = new Command("list", "Say which data sets are there.");
        list.SetAction(parsed =>
        {
            foreach (var dataset in TrainSettings.Datasets) output.WriteLine($"{dataset,-14} {Where(parsed.GetValue(dataDir), dataset)}");
            return 0;
        });
        var verify = new Command("verify", "Read a data set whole and say what it holds.") { name };
        verify.SetAction(parsed =>
        {
            var dataset = parsed.GetValue(name)!;
            if (!TrainSettings.Datasets.Contains(dataset)) throw UsageException.OneOf("dataset", dataset, TrainSettings.Datasets);
            var folder = dataset == "synth" ? null : DataFolder.Locate(parsed.GetValue(dataDir), dataset);
            var splits = folder is null ? Synth.Create() : dataset == "cifar10" ? Cifar10.Load(folder) : Mnist.Load(folder, dataset);
            output.WriteLine($"{dataset}: sound; {splits.Train.Count:N0} training, {splits.Validation.Count:N0} validation, {splits.Test?.Count ?? 0:N0} test samples of {splits.Train.SampleShape}, {splits.Train.ClassNames.Count} classes");
            return 0;
        });
        var fetch = new Command("fetch", "Download a data set into the data folder; an interrupted download goes on where it ended.") { name };
        fetch.SetAction(async (parsed, cancellation) =>
        {
            var wanted = parsed.GetValue(name)!;
            if (wanted == "synth") throw new UsageException("dataset: synth is made on the spot; there is nothing to fetch");
            var dataset = RemoteDataset.All.SingleOrDefault(one => one.Name == wanted) ?? throw UsageException.OneOf("dataset", wanted, [.. RemoteDataset.All.Select(one => one.Name)]);
            using var client = new HttpClient();
            var view = new FetchView(error);
            var folder = await new DataFetcher(client).FetchAsync(dataset, DataFolder.Candidates(parsed.GetValue(dataDir))[0], view.Show, cancellation);
            output.WriteLine($"{wanted}: {folder}");
            return 0;
        });
        return new Command("data", "Data sets on this machine.") { list, verify, fetch, dataDir };
    }

    // One line per file, rewritten on a terminal.
    private sealed class FetchView(TextWriter error)
    {
        private long shown;

        internal void Show(FetchProgress progress)
        {
            var done = progress.Received == progress.Length;
            if (!done && (Console.IsErrorRedirected || Environment.TickCount64 - shown < 100)) return;
            shown = Environment.TickCount64;
            error.Write($"{(Console.IsErrorRedirected ? "" : "\r")}{progress.File}  {progress.Received / 1e6:0.0} of {progress.Length / 1e6:0.0} MB{(done ? "\n" : "")}");
        }
    }

    private static string Where(string? given, string dataset)
    {
        if (dataset == "synth") return "made on the spot";
        try
        {
            return DataFolder.Locate(given, dataset);
        }
        catch (DataFormatException)
        {
            return "not here";
        }
    }
}
