using System.CommandLine;
using System.Text;
using Adjoint.Data;
using Adjoint.Data.Tables;
using Adjoint.Experiments;
using Adjoint.IO;
using Adjoint.Training;

namespace Adjoint.Cli.Commands;

/// <summary><c>adjoint predict</c>: what a trained model says of new data.</summary>
internal static class PredictCommand
{
    internal static Command Create(TextWriter output, TextWriter error)
    {
        var model = new Argument<string>("run") { Description = SavedModel.Description };
        var data = new Argument<string>("data")
        {
            Description = "A CSV file, a file of JSON lines, an image, a folder of images, or - for standard input.",
        };
        var asJson = SettingOption.Of(new FlagSetting("json")
        {
            Help = "Print a JSON object for each sample, with the probabilities of all classes.",
        });
        var to = SettingOption.Of(new TextSetting("out")
        {
            Help = "Write to a file, whole or not at all, in place of stdout.",
            ValueName = "file",
        });
        var command = new GuidedCommand("predict", "Predict new data with a trained model.",
        [
            ("adjoint predict runs/1 houses.csv", "The rows of a table, as CSV."),
            ("adjoint predict runs/1 houses.csv --json --out prices.jsonl", "All that is known of each, in a file."),
            ("adjoint predict runs/2 photos/", "The images in a folder."),
            ("head -3 houses.csv | adjoint predict runs/1 -", "What comes through a pipe."),
        ],
        new OptionGroup("Output", [asJson, to])) { model, data };
        command.SetAction(parsed =>
        {
            var predictor = SavedModel.Load(parsed.GetValue(model)!);
            var path = parsed.GetValue(data)!;
            using var input = path == "-" ? new SpooledInput(Console.OpenStandardInput()) : null;
            try
            {
                var source = Open(predictor, input?.Path ?? path, path);
                if (parsed.GetValue(to) is { } file) AtomicFile.Write(file, stream =>
                {
                    using var writer = new StreamWriter(stream, new UTF8Encoding(false), leaveOpen: true);
                    Run(source, writer, parsed.GetValue(asJson));
                });
                else Run(source, output, parsed.GetValue(asJson));
                foreach (var note in source.Notes) error.WriteLine($"adjoint: {Printable.Line(note)}");
                return 0;
            }
            catch (AdjointException problem) when (input is not null)
            {
                throw input.Rename(problem);
            }
        });
        return command;
    }

    private static void Run(PredictionSource source, TextWriter output, bool asJson)
    {
        var writer = new PredictionWriter(output, source.KeyName, asJson);
        var isEmpty = true;
        foreach (var (keys, prediction) in source.Predict())
        {
            writer.Write(keys, prediction);
            isEmpty = false;
        }
        if (isEmpty) throw new AdjointException("there is nothing to predict: the data hold no sample");
        output.Flush();
    }

    private static PredictionSource Open(Predictor predictor, string path, string name)
    {
        if (!Path.Exists(path)) throw new AdjointException($"{name}: no such file or folder");
        return predictor.Info.Preprocessing switch
        {
            TableEncoder encoder when File.Exists(path) => TableSource.Open(predictor, encoder, path),
            ImagePreprocessing => ImageSource.Open(predictor, path),
            TextPreprocessing => throw new AdjointException(
                $"{name}: the model learned from text; adjoint sample lets it go on from a prompt"),
            var other => throw new AdjointException(
                $"{name}: the model learned from {SavedModel.Learned(other)}; name a file of that kind, or train a "
                + "model on such data"),
        };
    }
}
