using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Adjoint.Cli;
using Adjoint.Data.Tables;
using Adjoint.Formats;
using Adjoint.IO;
using Adjoint.Nn;
using Adjoint.Training;

namespace Adjoint.SystemTests.Cli;

/// <summary>The tool predicts rows as the model does, and refuses in one line what does not fit.</summary>
public sealed class PredictCommandTests : IDisposable
{
    private const string Rows = "maker,km,power\nBMW,10000,100\nOpel,,50\nTrabant,30000,26\n";
    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-predict-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Rows_of_a_table_in_any_order_with_what_was_unusual()
    {
        var model = Regression();
        var (code, output, error) = ToolRun.Of("predict", folder, Written("new.csv", Rows));
        Assert.Equal(0, code);
        Assert.Equal(
            "adjoint: column \"maker\": 1 row with a category that training did not have\n",
                error.ReplaceLineEndings("\n"));
        var lines = output.ReplaceLineEndings("\n").Split('\n');
        Assert.Equal(["row,price", "1", "2", "3", ""], [lines[0], .. lines[1..].Select(line => line.Split(',')[0])]);
        Assert.Equal(model.Select(price => price.ToString("R", CultureInfo.InvariantCulture)),
            lines[1..4].Select(line => line.Split(',')[1]));
        // Another order of columns, a semicolon, a decimal comma, and a column more.
        var other = Written("other.csv", "power;note;km;maker\n100,0;x;10000;BMW\n50,0;;;Opel\n26,0;z;30000;Trabant\n");
        Assert.Equal(output, ToolRun.Of("predict", folder, other).Output);
        // The target may be there.
        var target = Written("target.csv", Rows.Replace("\n", ",1\n").Replace("power,1", "power,price"));
        Assert.Equal(output, ToolRun.Of("predict", folder, target).Output);
        var json = Written("new.jsonl", """
            {"maker":"BMW","km":10000,"power":"100","more":[1]}

            {"km":null,"maker":"Opel","power":50}
            {"maker":"Trabant","km":3e4,"power":26}
            """);
        Assert.Equal(output, ToolRun.Of("predict", Path.Combine(folder, "best.safetensors"), json).Output);
        var result = Path.Combine(folder, "out.csv");
        Assert.Equal((0, ""), (ToolRun.Of("predict", folder, json, "--out", result) is var all
            ? (all.Code, all.Output)
            : default));
        Assert.Equal(output, File.ReadAllText(result));
    }

    [Fact]
    public void Classes_with_their_probabilities_and_as_JSON()
    {
        Classification();
        var path = Written("new.csv", Rows);
        var output = ToolRun.Of("predict", folder, path).Output;
        Assert.Matches("^row,class,probability\r?\n1,(yes|no),0\\.[0-9]+\r?\n2,", output);
        var lines = ToolRun.Of("predict", folder, path, "--json").Output.Trim().Split('\n');
        Assert.Equal(3, lines.Length);
        var first = JsonDocument.Parse(lines[0]).RootElement;
        Assert.Equal(1, first.GetProperty("row").GetInt32());
        var prediction = first.GetProperty("prediction");
        var name = prediction.GetProperty("class").GetString()!;
        Assert.Equal(prediction.GetProperty("probability").GetDouble(),
            prediction.GetProperty("probabilities").GetProperty(name).GetDouble());
        Assert.Equal(1, prediction.GetProperty("probabilities").EnumerateObject().Sum(one => one.Value.GetDouble()),
            1e-6);
    }

    [Fact]
    public void What_does_not_fit_is_refused_in_one_line_and_leaves_nothing()
    {
        Regression();
        var result = Path.Combine(folder, "out.csv");
        Refused("found no columns \"km\", \"power\"", Written("a.jsonl", "{\"maker\":\"BMW\"}"),
            "a.jsonl, row 1: found no \"km\"");
        Refused("km", Written("b.csv", "maker,power\nBMW,3\n"),
            "b.csv: there is no column \"km\"; columns are \"maker\", \"power\"");
        Refused("text", Written("c.csv", "maker,km,power\nBMW,1,2\nBMW,many,2\n"), "row 2", "km", "many");
        Refused("ragged", Written("d.csv", "maker,km,power\nBMW,1,2\nBMW,1\n"), "row 2");
        Refused("empty", Written("e.csv", ""), "e.csv");
        Refused("no rows", Written("f.csv", "maker,km,power\n"), "nothing to predict");
        Refused("array", Written("g.jsonl", "{\"maker\":\"BMW\",\"km\":[1],\"power\":2}"),
            "g.jsonl, row 1, column \"km\": found an array");
        Refused("json", Written("h.jsonl", "{\"maker\":\"BMW\",\"km\":1,\"power\":2}\n{\"maker\":"),
            "h.jsonl, row 2: does not parse");
        Refused("none", Path.Combine(folder, "none.csv"), "no such file");

        // The model is none, or of another kind.
        var path = Written("new.csv", Rows);
        Refuse(["predict", Path.Combine(folder, "nowhere"), path], "no such folder or file; name the folder of a run");
        Refuse(["predict", path, path], "new.csv, offset 0: found a header of");
        new Linear(2, 1).Save(Path.Combine(folder, "best.safetensors"));
        Refuse(["predict", folder, path], "new.csv: the model learned from data that its file does not describe");
        SafeTensors.Save(Path.Combine(folder, "best.safetensors"), new Linear(2, 1).StateDict());
        Refuse(["predict", folder, path], "holds tensors without the description of a model");

        void Refused(string why, string file, params string[] parts)
        {
            Refuse(["predict", folder, file, "--out", result], parts);
            Assert.False(File.Exists(result), why);
            Assert.Empty(Directory.GetFiles(folder, "*.tmp"));
        }
    }

    [Fact]
    public async Task Another_process_gives_the_same_bits_from_a_pipe()
    {
        Regression();
        var path = Written("new.csv", Rows);
        var here = ToolRun.Of("predict", folder, path).Output;
        var start = new ProcessStartInfo("dotnet", [typeof(Tool).Assembly.Location, "predict", folder, "-"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        Assert.Equal((0, here), await Piped(Rows));
        var (code, error) = await Piped("maker,km,power\nBMW,1,2,3\n");
        Assert.Equal(Tool.Failure, code);
        Assert.StartsWith("adjoint: standard input, row 1", error, StringComparison.Ordinal);

        async Task<(int, string)> Piped(string text)
        {
            using var process = Process.Start(start)!;
            await process.StandardInput.WriteAsync(text);
            process.StandardInput.Close();
            var problem = process.StandardError.ReadToEndAsync();
            var output = await process.StandardOutput.ReadToEndAsync();
            await process.WaitForExitAsync();
            return (process.ExitCode, process.ExitCode == 0 ? output : await problem);
        }
    }

    [Fact]
    public async Task Trained_killed_resumed_and_used_by_another_process_and_many_threads_the_bits_are_the_same()
    {
        TinyMnist.Write(folder);
        var (whole, part) = (Path.Combine(folder, "whole"), Path.Combine(folder, "part"));
        string[] options =
        [
            "train", "--dataset", "mnist", "--data-dir", folder, "--hidden", "8", "--batch-size", "10", "--epochs", "3",
            "--pixels", "standard", "--quiet", "--checkpoint-every", "0",
        ];
        Assert.Equal(0, ToolRun.Of([.. options, "--out", whole]).Code);
        using (var process = Process.Start(new ProcessStartInfo(
            "dotnet", [typeof(Tool).Assembly.Location, .. options, "--out", part])
        { RedirectStandardError = true })!)
        {
            var since = Stopwatch.StartNew();
            while (!process.HasExited && since.Elapsed.TotalSeconds < 60
                && !(File.Exists(Path.Combine(part, "metrics.jsonl"))
                    && File.ReadAllLines(Path.Combine(part, "metrics.jsonl")).Length > 1))
                await Task.Delay(5);
            process.Kill();
            await process.WaitForExitAsync();
        }
        Assert.False(File.Exists(Path.Combine(part, "report.html")), "it was killed before its end");
        Assert.Equal(0, ToolRun.Of("train", "--resume", part, "--quiet").Code);
        // Neither the best nor the last differs by a bit; the seconds are not in them.
        foreach (var name in (string[])["best.safetensors", "last.safetensors"])
            Assert.Equal(
                File.ReadAllBytes(Path.Combine(whole, name)), File.ReadAllBytes(Path.Combine(part, name)));

        var image = Path.Combine(folder, "digit.png");
        ImageFile.Write(image, Tensor.Full([1, 28, 28], 75, DType.UInt8));
        var here = ToolRun.Of("predict", whole, image, "--json").Output;
        using var other = Process.Start(new ProcessStartInfo(
            "dotnet", [typeof(Tool).Assembly.Location, "predict", part, image, "--json"])
        { RedirectStandardOutput = true })!;
        Assert.Equal(here, await other.StandardOutput.ReadToEndAsync());
        var predictor = Predictor.Load(Path.Combine(part, "best.safetensors"));
        var expected = predictor.PredictImages(ImageFile.Read(image)).Outputs.ToArray<float>();
        var bits = new float[64][];
        Thread[] threads = [.. Enumerable.Range(0, 64).Select(i => new Thread(() =>
            bits[i] = predictor.PredictImages(ImageFile.Read(image)).Outputs.ToArray<float>()))];
        foreach (var thread in threads) thread.Start();
        foreach (var thread in threads) thread.Join();
        Assert.All(bits, found => Assert.Equal(expected, found));
    }

    private static void Refuse(string[] args, params string[] parts)
    {
        var (code, _, error) = ToolRun.Of(args);
        Assert.Equal(Tool.Failure, code);
        var line = Assert.Single(error.TrimEnd().Split('\n'));
        foreach (var part in parts) Assert.True(line.Contains(part, StringComparison.Ordinal), line);
    }

    // Predictions of the rows above.
    private float[] Regression()
    {
        var (table, encoder) = Encoded("price");
        var (mean, deviation) = encoder.TargetStatistics;
        var model = new Sequential(
            new Mlp(encoder.InputCount, [8], 1, "relu", new Generator(1)), new Rescale((mean, deviation)));
        model.Save(Path.Combine(folder, "best.safetensors"), new()
        {
            Task = "regression",
            TargetNames = ["price"],
            Preprocessing = encoder,
            Fields = encoder.ToDataset(table).Fields,
        });
        using var _ = new NoGrad();
        return model.Eval().Forward(encoder.Encode(new Table("new",
        [
            new TextColumn("maker", ["BMW", "Opel", "Trabant"]), new NumberColumn("km", [10000, double.NaN, 30000]),
            new NumberColumn("power", [100, 50, 26]),
        ])).Inputs).ToArray<float>();
    }

    private void Classification()
    {
        var (table, encoder) = Encoded("sold");
        new Mlp(encoder.InputCount, [8], 2, "relu", new Generator(1))
            .Save(Path.Combine(folder, "best.safetensors"), new()
            {
                Task = "classification",
                ClassNames = encoder.ClassNames,
                Preprocessing = encoder,
                Fields = encoder.ToDataset(table).Fields,
            });
    }

    private static (Table Table, TableEncoder Encoder) Encoded(string target)
    {
        var random = new Random(1);
        var count = 40;
        var table = new Table("cars",
        [
            new TextColumn("maker", [.. Enumerable.Range(0, count).Select(i => i % 2 == 0 ? "BMW" : "Opel")]),
            new NumberColumn("km", [.. Enumerable.Range(0, count).Select(i => i % 9 == 3 ? double.NaN : i * 1000.0)]),
            new NumberColumn("power", [.. Enumerable.Range(0, count).Select(_ => (double)random.Next(40, 200))]),
            target == "price"
                ? new NumberColumn("price", [.. Enumerable.Range(0, count).Select(i => 20000 - i * 300.5)])
                : new TextColumn("sold", [.. Enumerable.Range(0, count).Select(i => i % 3 == 0 ? "yes" : "no")]),
        ]);
        return (table, TableEncoder.Fit(table, target));
    }

    private string Written(string name, string text)
    {
        var path = Path.Combine(folder, name);
        File.WriteAllText(path, text);
        return path;
    }
}
