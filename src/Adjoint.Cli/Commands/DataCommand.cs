using System.CommandLine;
using Adjoint.Data;

namespace Adjoint.Cli.Commands;

/// <summary><c>adjoint data</c>: which data sets there are, and whether their files are sound.</summary>
internal static class DataCommand
{
    internal static Command Create(TextWriter output)
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
        return new Command("data", "Data sets on this machine.") { list, verify, dataDir };
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
