using System.CommandLine;
using System.Globalization;
using Adjoint.Data;
using Adjoint.Data.Tables;
using Adjoint.Experiments;
using Adjoint.Formats;
using Adjoint.IO;
using Adjoint.Training;

namespace Adjoint.Cli.Commands;

/// <summary><c>adjoint evaluate</c>: how good a trained model is on other data.</summary>
internal static class EvaluateCommand
{
    internal static Command Create(TextWriter output, TextWriter error)
    {
        var model = new Argument<string>("run") { Description = SavedModel.Description };
        var from = SettingOption.Of(new TextSetting("data")
        {
            Help = "What to measure on: a CSV file with the target, a text, a folder of images with a folder per "
                + $"class, or one of {string.Join(", ", OwnData.BuiltIn)}.",
            ValueName = "path",
        });
        from.Required = true;
        var part = SettingOption.Of(new TextSetting("part")
        {
            Help = "Of a data set that is known by name, the part:",
            Choices = ["train", "validation", "test"],
            Default = "validation",
        });
        var dataDir = SettingOption.Of(TrainSettings.DataDir);
        var asJson = SettingOption.Of(new FlagSetting("json") { Help = "Print one JSON object on stdout." });
        var command = new GuidedCommand("evaluate", "Measure a trained model on other data.",
        [
            ("adjoint evaluate runs/1 --data new.csv", "Its metrics on the rows of a file."),
            ("adjoint evaluate runs/2 --data mnist --part test", "On the test samples of a data set."),
        ],
        new OptionGroup("Data", [from, part, dataDir]), new OptionGroup("Output", [asJson])) { model };
        command.SetAction(parsed =>
        {
            var predictor = SavedModel.Load(parsed.GetValue(model)!);
            var path = parsed.GetValue(from)!;
            var data = OwnData.BuiltIn.Contains(path)
                ? PartOf(Load(path, predictor.Info, parsed.GetValue(dataDir)), parsed.GetValue(part)!)
                : Open(path, predictor.Info, error);
            var task = predictor.Info.Task
                ?? throw new AdjointException(
                    $"{parsed.GetValue(model)}: its file does not name a task to measure it by");
            var measured =
                predictor.Evaluate(data, () => TaskMetrics.Create(task, predictor.Info.Score ?? MonitoredMetric.Loss,
                    OwnData.Languages.Contains(path)));
            if (parsed.GetValue(asJson)) output.WriteLine(ToJson(path, data.Count, task, measured));
            else Write(output, data.Count, task, measured);
            return 0;
        });
        return command;
    }

    private static DataSplits Load(string name, ModelInfo info, string? folder) => name switch
    {
        "synth" => Synth.Create(),
        "brackets" => Strings(new BracketLanguage(), info),
        "arithmetic" => Strings(new ArithmeticLanguage(), info),
        "cifar10" => Cifar10.Load(DataFolder.Locate(folder, name)),
        // A model without preprocessing learned from the bytes themselves.
        _ => Mnist.Load(DataFolder.Locate(folder, name), name, info.Preprocessing is null ? 1 : 255),
    };

    // Tokens are the model's, so strings of other symbols mean nothing to it.
    private static DataSplits Strings(FormalLanguage language, ModelInfo info)
    {
        var data = language.Create(WindowOf(info));
        return info.Preprocessing is CharacterText own
            && own.Characters == ((CharacterText)data.Train.Preprocessing!).Characters
            ? data
            : throw new AdjointException(
                $"--data {language.Name}: the model learned other symbols; name data of the kind that it learned from");
    }

    // As many tokens as a window of training had.
    private static int WindowOf(ModelInfo info) =>
        info.Fields.FirstOrDefault(field => field.Name == Field.Inputs)?.Shape.Elements
        ?? throw new AdjointException("the model's file does not say how many tokens it takes");

    private static Dataset PartOf(DataSplits data, string part) => part switch
    {
        "train" => data.Train,
        "test" => data.Test ?? throw new AdjointException("--part test: the data set has no test samples"),
        _ => data.Validation,
    };

    private static Dataset Open(string path, ModelInfo info, TextWriter error)
    {
        if (!Path.Exists(path)) throw new AdjointException($"--data {path}: no such file or folder");
        switch (info.Preprocessing)
        {
            case TextPreprocessing text when File.Exists(path):
                return new TextDataset(Path.GetFileName(path), [TextFile.Read(path)], text, WindowOf(info));
            case TableEncoder encoder when File.Exists(path):
                var rows = TableFile.Read(path, new() { Kinds = TableSource.KindsOf(encoder) });
                var data = encoder.ToDataset(rows, out var report);
                foreach (var line in report.Lines()) error.WriteLine($"adjoint: {Printable.Line(line)}");
                return data;
            case ImagePreprocessing images:
                ImageFolderOptions options = new()
                {
                    Size = (images.Height, images.Width),
                    Channels = images.Channels,
                    Fit = images.Fit,
                    Interpolation = images.Interpolation,
                };
                return File.Exists(path)
                    ? ImageFolder.OpenCsv(path, options: options)
                    : ImageFolder.Open(path, options);
            default:
                throw new AdjointException(
                    $"--data {path}: the model learned from {SavedModel.Learned(info.Preprocessing)}; "
                    + "name data of that kind");
        }
    }

    private static void Write(TextWriter output, int count, string task, Evaluation measured)
    {
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{task}, {count:N0} samples"));
        foreach (var (name, value) in Measures(task, measured))
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name,-18} {value:G6}"));
    }

    private static string ToJson(string path, int count, string task, Evaluation measured) => RunJson.Text(json =>
    {
        json.WriteStartObject();
        json.WriteString("data", path);
        json.WriteString("task", task);
        json.WriteNumber("samples", count);
        json.WriteStartObject("metrics");
        foreach (var (name, value) in Measures(task, measured))
            if (double.IsFinite(value)) json.WriteNumber(name, value);
            else json.WriteNull(name);
        json.WriteEndObject();
        json.WriteEndObject();
    });

    // The loss of a regression is scaled by the training targets, which are not here.
    private static IEnumerable<(string Name, double Value)> Measures(string task, Evaluation measured) =>
        measured.Metrics.Select(metric => (metric.Key, metric.Value))
            .Concat(task == "regression" ? [] : [(MonitoredMetric.Loss, measured.Loss)]);
}
