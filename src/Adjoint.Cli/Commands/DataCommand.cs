using System.CommandLine;
using System.Globalization;
using Adjoint.Data;
using Adjoint.Experiments;

namespace Adjoint.Cli.Commands;

/// <summary><c>adjoint data</c>: which data sets there are, and whether their files are sound.</summary>
internal static class DataCommand
{
    internal static Command Create(TextWriter output, TextWriter error)
    {
        var datasets = OwnData.BuiltIn;
        var dataDir = SettingOption.Of(TrainSettings.DataDir);
        dataDir.Recursive = true;
        var name = new Argument<string>("dataset") { Description = $"One of {string.Join(", ", datasets)}." };
        name.CompletionSources.Add([.. datasets]);
        var list = new Command("list", "Show which data sets are on this machine.");
        list.SetAction(parsed =>
        {
            foreach (var dataset in datasets)
                output.WriteLine($"{dataset,-14} {Printable.Line(Where(parsed.GetValue(dataDir), dataset))}");
            return 0;
        });
        var verify = new Command("verify", "Read a data set completely and show what it holds.") { name };
        verify.SetAction(parsed =>
        {
            var dataset = parsed.GetValue(name)!;
            if (!datasets.Contains(dataset)) throw UsageException.OneOf("dataset", dataset, datasets);
            var splits = TrainSettings.Table.Read([new(TrainSettings.Dataset.Name, dataset)])
                .With(TrainSettings.DataDir, parsed.GetValue(dataDir)!).LoadData();
            var (train, validation, test) = (splits.Train, splits.Validation.Count, splits.Test?.Count ?? 0);
            var what = train.Preprocessing is TextPreprocessing text ? $"{text.Size} tokens"
                : $"{train.ClassNames.Count} classes";
            output.WriteLine(
                $"{dataset}: sound; {train.Count:N0} training, {validation:N0} validation, {test:N0} test samples "
                + $"of {train.SampleShape}, {what}");
            return 0;
        });
        var fetch = new Command("fetch",
            "Download a data set into the data folder; an interrupted download resumes where it stopped.") { name };
        fetch.SetAction(async (parsed, _) =>
        {
            var wanted = parsed.GetValue(name)!;
            if (IsMade(wanted))
                throw new UsageException($"dataset: {wanted} is made on the spot; there is nothing to fetch");
            var dataset = RemoteDataset.All.SingleOrDefault(one => one.Name == wanted)
                ?? throw UsageException.OneOf("dataset", wanted, [.. RemoteDataset.All.Select(one => one.Name)]);
            using var client = new HttpClient();
            using var interrupt = new Interrupt();
            var view = new FetchView(error);
            try
            {
                var folder = await new DataFetcher(client).FetchAsync(dataset,
                    DataFolder.Candidates(parsed.GetValue(dataDir))[0], view.Show, interrupt.Token);
                output.WriteLine($"{wanted}: {Printable.Line(folder)}");
                return 0;
            }
            catch (OperationCanceledException) when (interrupt.Token.IsCancellationRequested)
            {
                error.WriteLine("interrupted; the same command goes on where it ended");
                return Tool.Interrupted;
            }
            finally
            {
                view.Close();
            }
        });
        return new GuidedCommand("data", "List, download and check data sets.",
            [("adjoint data fetch mnist", "Download it."), ("adjoint data list", "See what is there."),
                ("adjoint data verify mnist", "Read its files completely.")],
            new OptionGroup("Where", [dataDir])) { list, verify, fetch };
    }

    // A line for each file; on a terminal one that counts.
    private sealed class FetchView(TextWriter error)
    {
        private readonly LiveLine? live = LiveLine.On(error);
        private long shown;

        internal void Show(FetchProgress progress)
        {
            var done = progress.Received == progress.Length;
            if (!done && (live is null || Environment.TickCount64 - shown < 100)) return;
            shown = Environment.TickCount64;
            var line = string.Create(CultureInfo.InvariantCulture,
                $"{progress.File}  {progress.Received / 1e6:0.0} of {progress.Length / 1e6:0.0} MB");
            Close();
            if (done) error.WriteLine(line);
            else live!.Show(line[^Math.Min(line.Length, live.Room)..], Math.Min(line.Length, live.Room));
        }

        internal void Close() => live?.Clear();
    }

    private static bool IsMade(string dataset) => dataset == "synth" || OwnData.Languages.Contains(dataset);

    private static string Where(string? given, string dataset)
    {
        if (IsMade(dataset)) return "made on the spot";
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
