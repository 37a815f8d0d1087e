using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Adjoint.Experiments;
using Adjoint.IO;

namespace Adjoint.Cli.Commands;

/// <summary><c>adjoint inspect</c>: what is in a file of tensors; reads no more of it than it shows.</summary>
internal static class InspectCommand
{
    private const int MostText = 400;

    internal static Command Create(TextWriter output)
    {
        var path = new Argument<string>("path") { Description = WeightsPath.Description };
        var tensor = SettingOption.Of(new TextSetting("tensor")
        {
            Help = "Show the values of one tensor: range, mean, deviation, first values, histogram.",
        });
        var histogram = SettingOption.Of(new FlagSetting("histogram")
        {
            Help = "Read all tensors, and show range, mean, deviation and a histogram of each.",
        });
        var asJson = SettingOption.Of(new FlagSetting("json")
        {
            Help = "Print JSON lines: one object for the file, then one for each tensor.",
        });
        var command = new GuidedCommand("inspect", "Show what is in a file of tensors: names, shapes, types, sizes.",
        [
            ("adjoint inspect model.safetensors", "Its tensors, and what it says of the model."),
            ("adjoint inspect resnet18.pt --tensor fc.weight", "The values of one of them."),
            ("adjoint inspect runs/1 --histogram", "The best model of a run, with a histogram of each tensor."),
            ("adjoint inspect model.safetensors.index.json --json", "The tensors of all shards, for programs."),
        ],
        new OptionGroup("What is shown", [tensor, histogram, asJson])) { path };
        command.SetAction(parsed =>
        {
            if (parsed.GetValue(tensor) is not null && parsed.GetValue(histogram))
                throw new UsageException(
                    "--histogram: is for all tensors, and --tensor shows one of its own; leave it out");
            using var file = WeightsPath.Open(parsed.GetValue(path)!);
            var isSeen = Terminal.IsSeenOutput(output);
            var view = new View(output, file, isSeen ? Terminal.Width - 1 : null,
                !isSeen || Terminal.IsUnicode(output));
            if (parsed.GetValue(tensor) is { } name) view.One(name, parsed.GetValue(asJson));
            else if (parsed.GetValue(asJson)) view.Json(parsed.GetValue(histogram));
            else view.All(parsed.GetValue(histogram));
            return 0;
        });
        return command;
    }

    /// <summary>What the command shows of a file, in lines of so many columns; null: of any length.</summary>
    internal sealed class View(TextWriter output, TensorFile file, int? room, bool isUnicode)
    {
        /// <summary>The file as a whole: totals, the table of its tensors, what is special, metadata.</summary>
        internal void All(bool hasHistograms)
        {
            Line(Totals());
            output.WriteLine();
            if (file.Entries.Count > 0) Table(hasHistograms);
            Notes();
        }

        /// <summary>The values of one tensor.</summary>
        internal void One(string name, bool asJson)
        {
            var tensor = file.Load(name, convert: true);
            var (entry, summary) = (file.Entries.First(one => one.Name == name), TensorSummary.Of(tensor));
            if (asJson)
            {
                output.WriteLine(RunJson.Text(json => Write(json, entry, summary)));
                return;
            }
            Line($"{name}  {TensorTable.Sizes(entry.Sizes)}  {entry.Type}  {TensorTable.Bytes(entry.Bytes)}");
            if (entry.DType is null) Line($"read as {tensor.DType.Label()}, which holds its values");
            output.WriteLine();
            foreach (var (what, text) in Measures(summary)) output.WriteLine($"{what,-10} {text}");
            Line(string.Join(" ", summary.First.Select(value => double.IsInfinity(value)
                ? value > 0 ? "∞" : "−∞" : RunColumn.Digits(value)))
                + (summary.Count > summary.First.Count ? " …" : ""), $"{"first",-10} ");
            if (summary.Histogram.Count > 0) output.WriteLine();
            foreach (var line in HistogramPlot.Bars(summary, room ?? Terminal.UsualWidth - 1, isUnicode))
                output.WriteLine(line);
        }

        /// <summary>The file as lines of JSON.</summary>
        internal void Json(bool hasHistograms)
        {
            output.WriteLine(RunJson.Text(json =>
            {
                json.WriteStartObject();
                json.WriteString("path", file.Path);
                json.WriteString("format", $"{file.Format}");
                json.WriteNumber("tensors", file.Entries.Count);
                json.WriteNumber("elements", (double)Elements());
                json.WriteNumber("bytes", (double)Bytes());
                json.WriteStartObject("metadata");
                foreach (var (key, value) in file.Metadata) json.WriteString(key, value);
                json.WriteEndObject();
                json.WriteEndObject();
            }));
            foreach (var entry in file.Entries)
                output.WriteLine(RunJson.Text(json =>
                    Write(json, entry, hasHistograms ? Summary(entry) : null)));
        }

        private string Totals() =>
            $"{Path.GetFileName(file.Path)}: {WeightsPath.Label(file.Format)}, "
            + $"{Counted(file.Entries.Count, "tensor")}, {Counted(Elements(), "number")}, {TensorTable.Bytes(Bytes())}";

        private void Table(bool hasHistograms)
        {
            string[] heads = hasHistograms
                ? ["tensor", "min", "mean", "max", "std", "not finite", "histogram"]
                : ["tensor", "shape", "type", "size"];
            TensorTable.Write(output, room, heads, file.Entries.Select(entry => hasHistograms ? Values(entry) :
                [entry.Name, TensorTable.Sizes(entry.Sizes), entry.Type, TensorTable.Bytes(entry.Bytes)]));
        }

        private string[] Values(TensorEntry entry)
        {
            if (Summary(entry) is not { } summary) return [entry.Name, "", "", "", "", "", $"{entry.Type}: not read"];
            var others = summary.NaNs + summary.PositiveInfinities + summary.NegativeInfinities;
            return
            [
                entry.Name, .. ((double[])[summary.Minimum, summary.Mean, summary.Maximum, summary.Deviation])
                    .Select(value => double.IsNaN(value) ? "–" : RunColumn.Digits(value)),
                others == 0 ? "" : Counted(others), HistogramPlot.Line(summary.Histogram, isUnicode),
            ];
        }

        // Null where no element type holds its values.
        private TensorSummary? Summary(TensorEntry entry) =>
            entry.ConvertsTo is null ? null : TensorSummary.Of(file.Load(entry.Name, convert: true));

        // What is special, and what the file says.
        private void Notes()
        {
            var lines = new List<(string Name, string Text)>();
            foreach (var type in file.Entries.GroupBy(entry => entry.Type).Where(type => type.First().DType is null))
                lines.Add((type.Key, $"{Counted(type.Count(), "tensor")}, " + (type.First().ConvertsTo is { } loaded
                    ? $"converted to {loaded.Label()} on request" : "can only be listed: no element type holds it")));
            foreach (var shared in file.Entries.Where(entry => entry.SharesWith is not null))
                lines.Add(("shared", $"{shared.Name} is {shared.SharesWith}"));
            var shards = file.Entries.Where(entry => entry.File is not null).GroupBy(entry => entry.File!).ToArray();
            foreach (var shard in shards)
                lines.Add(("shard", $"{Path.GetFileName(shard.Key)}: {Counted(shard.Count(), "tensor")}, "
                    + TensorTable.Bytes(shard.Aggregate((Int128)0, (sum, entry) => sum + entry.Bytes))));
            foreach (var (key, value) in file.Metadata)
            {
                (string Name, string Text)[] model =
                    key == ModelFile.Key ? [.. ModelDescription.Lines(value)] : [];
                lines.AddRange(model.Length > 0 ? model : [(key, value)]);
            }
            if (lines.Count == 0) return;
            output.WriteLine();
            var wide = Math.Min(20, lines.Max(line => line.Name.Length));
            foreach (var (name, text) in lines)
                Line(text, $"{RunTable.Cut(Printable.Line(name), wide).PadRight(wide)}  ");
        }

        // What follows a name, on as many lines as it takes; of a long text the beginning.
        private void Line(string text, string name = "")
        {
            text = Printable.Line(text);
            if (text.Length > MostText) text = $"{text[..(MostText - 1)]}…";
            var lines = room is null ? [text] : HelpPage.Wrap(text, Math.Max(10, room.Value - name.Length)).ToArray();
            for (var i = 0; i < lines.Length; i++)
                output.WriteLine((i == 0 ? name : new string(' ', name.Length)) + lines[i]);
        }

        private Int128 Elements() => file.Entries.Aggregate((Int128)0, (sum, one) => sum + TensorTable.Elements(one));

        // Of what several names share once.
        private Int128 Bytes() => file.Entries.Where(entry => entry.SharesWith is null)
            .Aggregate((Int128)0, (sum, entry) => sum + entry.Bytes);
    }

    private static IEnumerable<(string What, string Text)> Measures(TensorSummary summary)
    {
        yield return ("elements", Counted(summary.Count));
        if (summary.Histogram.Count > 0)
        {
            yield return ("min", RunColumn.Digits(summary.Minimum));
            yield return ("max", RunColumn.Digits(summary.Maximum));
            yield return ("mean", RunColumn.Digits(summary.Mean));
            yield return ("std", RunColumn.Digits(summary.Deviation));
        }
        yield return ("zero", Counted(summary.Zeros));
        yield return ("NaN", Counted(summary.NaNs));
        yield return ("∞, −∞", $"{Counted(summary.PositiveInfinities)}, {Counted(summary.NegativeInfinities)}");
    }

    private static string Counted(Int128 count, string? what = null) =>
        count.ToString("N0", CultureInfo.InvariantCulture) + (what is null ? "" : $" {what}{(count == 1 ? "" : "s")}");

    private static void Write(Utf8JsonWriter json, TensorEntry entry, TensorSummary? summary)
    {
        json.WriteStartObject();
        json.WriteString("name", entry.Name);
        json.WriteStartArray("shape");
        foreach (var size in entry.Sizes) json.WriteNumberValue(size);
        json.WriteEndArray();
        json.WriteString("type", entry.Type);
        json.WriteString("dtype", entry.DType?.Label());
        json.WriteString("convertsTo", entry.ConvertsTo?.Label());
        json.WriteNumber("bytes", entry.Bytes);
        if (entry.File is not null) json.WriteString("file", entry.File);
        if (entry.SharesWith is not null) json.WriteString("sharesWith", entry.SharesWith);
        if (summary is not null)
        {
            json.WriteStartArray("first");
            foreach (var value in summary.First)
                if (double.IsFinite(value)) json.WriteNumberValue(value);
                else json.WriteNullValue();
            json.WriteEndArray();
            Number("min", summary.Minimum);
            Number("max", summary.Maximum);
            Number("mean", summary.Mean);
            Number("std", summary.Deviation);
            json.WriteNumber("zeros", summary.Zeros);
            json.WriteNumber("nans", summary.NaNs);
            json.WriteNumber("positiveInfinities", summary.PositiveInfinities);
            json.WriteNumber("negativeInfinities", summary.NegativeInfinities);
            json.WriteStartArray("histogram");
            foreach (var count in summary.Histogram) json.WriteNumberValue(count);
            json.WriteEndArray();
        }
        json.WriteEndObject();

        void Number(string name, double value)
        {
            if (double.IsFinite(value)) json.WriteNumber(name, value);
            else json.WriteNull(name);
        }
    }
}
