using System.Globalization;
using System.Text;
using Adjoint.Data;
using Adjoint.Experiments;
using Adjoint.Formats;

namespace Adjoint.Cli;

/// <summary>Own data in image files: a folder for each class, or a CSV file of names and labels.</summary>
internal sealed class OwnImages(string path) : OwnData
{
    // Passes over few images cost little and are needed; of many, fewer do.
    private const int UsualVisits = 900_000, MinEpochs = 8, MaxEpochs = 60;
    private const int FewImages = 5000, SmallBatch = 32, UsualBatch = 128;
    private const int UsualSize = 32, SizeOfFew = 64;
    private readonly ImageFolderSummary summary = ImageFolder.Survey(path);

    private protected override IEnumerable<(Setting Setting, string Value)> Findings(
        IReadOnlyDictionary<string, string> given)
    {
        var model = given.GetValueOrDefault(TrainSettings.Model.Name);
        yield return (TrainSettings.ImageSize, Text(model switch { "lenet5" => 28, "lenet" => 32, _ => Size() }));
        yield return (TrainSettings.Channels,
            Text(model switch { "lenet5" => 1, "lenet" => 3, _ => summary.ColorCount > 0 ? 3 : 1 }));
        yield return (TrainSettings.BatchSize, Text(summary.Count < FewImages ? SmallBatch : UsualBatch));
        yield return (TrainSettings.Epochs, Text(Math.Clamp(UsualVisits / summary.Count, MinEpochs, MaxEpochs)));
    }

    internal override DataSplits Load(SettingValues settings, Action<string> say)
    {
        if (summary.Layout == ImageLabels.Masks)
            throw new AdjointException(
                $"--data {path}: images with masks are for segmentation, which needs a network of your own; see "
                + "docs/own-images.md");
        var (size, task) = (settings.Get(TrainSettings.ImageSize), settings.Get(TrainSettings.Task));
        if (task != "classification")
            throw new UsageException($"--task: {task} is not for a folder of images; leave it out");
        var options = new ImageFolderOptions { Size = (size, size), Channels = settings.Get(TrainSettings.Channels) };
        var all = File.Exists(path) ? ImageFolder.OpenCsv(path, options: options) : ImageFolder.Open(path, options);
        if (summary.Skipped.Count > 0)
            say($"skipped: {string.Join(", ", summary.Skipped.Select(kind => $"{Text(kind.Count)} {kind.Kind}"))}");
        var rule = settings.Get(TrainSettings.Split);
        if (rule is not ("random" or "stratified"))
            throw new UsageException($"--split: {rule} is for tables; use random or stratified");
        var (validation, test) = PartsOf(all.Count, settings);
        return all.Split(validation, test, new()
        {
            Seed = settings.Get(TrainSettings.Seed),
            Stratify = rule == "stratified" ? Field.Targets : null,
        });
    }

    internal override string Describe(SettingValues settings)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture,
            $"{path}: {summary.Count:N0} images in {summary.Classes.Count} classes, ");
        text.Append(CultureInfo.InvariantCulture, $"{summary.ColorCount:N0} in color, ");
        text.Append(summary.HasOneSize ? $"all {Text(summary.Largest)}"
            : $"from {Text(summary.Smallest)} to {Text(summary.Largest)}");
        var size = settings.Get(TrainSettings.ImageSize);
        return text.Append(CultureInfo.InvariantCulture,
            $"; brought to {settings.Get(TrainSettings.Channels)}×{size}×{size}").ToString();
    }

    private int Size() => summary.HasOneSize && Math.Max(summary.Largest.Height, summary.Largest.Width) <= SizeOfFew
        ? Math.Max(summary.Largest.Height, summary.Largest.Width)
        : summary.Count < FewImages ? SizeOfFew : UsualSize;

    private static string Text((int Height, int Width) size) => $"{Text(size.Height)}×{Text(size.Width)}";

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
