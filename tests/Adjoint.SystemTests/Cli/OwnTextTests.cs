using System.Text.Json;
using Adjoint.Cli;
using Adjoint.Data;
using Adjoint.Training;

namespace Adjoint.SystemTests.Cli;

/// <summary>Language models with one command: of formal languages, and of a text of a user's own.</summary>
public sealed class OwnTextTests : IDisposable
{
    // A few steps of a small network.
    private static readonly string[] Small =
        ["--width", "8", "--heads", "2", "--layers", "1", "--batch-size", "4", "--epochs", "1", "--quiet"];

    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory, InlineData("gpt", "brackets"), InlineData("lstm", "arithmetic")]
    public void A_model_of_a_formal_language_is_trained_measured_and_kept(string model, string dataset)
    {
        var run = Path.Combine(folder, "run");
        string[] small = model == "gpt" ? Small : [.. Small[..2], .. Small[4..]];
        var (code, output, error) = ToolRun.Of(["train", "--model", model, "--dataset", dataset, "--context", "16",
            "--data-share", "0.005", .. small, "--json", "--out", run]);
        Assert.True(code == 0, error);
        var json = JsonDocument.Parse(output).RootElement;
        Assert.Equal((dataset, model),
            (json.GetProperty("dataset").GetString(), json.GetProperty("model").GetString()));
        foreach (var epoch in json.GetProperty("epochs").EnumerateArray())
            Assert.Equal(["determinedAccuracy", "perplexity", "accuracy"],
                epoch.GetProperty("metrics").EnumerateObject().Select(metric => metric.Name));
        var predictor = Predictor.Load(Path.Combine(run, "best.safetensors"));
        Assert.Equal(("next-token", "determinedAccuracy"), (predictor.Info.Task, predictor.Info.Score));
        Assert.Contains('\n', Assert.IsType<CharacterText>(predictor.Info.Preprocessing).Characters);
        var report = File.ReadAllText(Path.Combine(run, "report.html"));
        Assert.Contains("The first validation windows", report, StringComparison.Ordinal);

        // All validation windows, of as many tokens as the run had.
        var (measured, all, _) = ToolRun.Of("evaluate", run, "--data", dataset, "--json");
        Assert.Equal(0, measured);
        var evaluation = JsonDocument.Parse(all).RootElement;
        Assert.Equal(1024, evaluation.GetProperty("samples").GetInt32());
        Assert.InRange(evaluation.GetProperty("metrics").GetProperty("determinedAccuracy").GetDouble(), 0, 1);
        var other = dataset == "brackets" ? "arithmetic" : "brackets";
        Assert.Contains("the model learned other symbols", ToolRun.Of("evaluate", run, "--data", other).Error,
            StringComparison.Ordinal);
        Assert.Contains("adjoint sample lets it go on", ToolRun.Of("predict", run, Write("a.txt", "()")).Error,
            StringComparison.Ordinal);
        Assert.Contains("determinedAccuracy", ToolRun.Of("runs", folder).Output, StringComparison.Ordinal);
    }

    [Theory, InlineData("bytes", 256), InlineData("characters", 29)]
    public void A_text_is_trained_on_with_one_command(string tokens, int size)
    {
        var book = Write("book.txt", Text(3000));
        var run = Path.Combine(folder, "run");
        var (code, output, error) = ToolRun.Of(["train", "--data", book, "--tokens", tokens, "--context", "16",
            "--test", "0.1", "--final", .. Small, "--json", "--out", run]);
        Assert.True(code == 0, error);
        var json = JsonDocument.Parse(output).RootElement;
        Assert.Equal("gpt", json.GetProperty("model").GetString());
        Assert.Equal(["perplexity", "accuracy"], json.GetProperty("testMetrics").EnumerateObject()
            .Select(metric => metric.Name));
        var info = Predictor.Load(Path.Combine(run, "best.safetensors")).Info;
        Assert.Equal((size, "perplexity"), (((TextPreprocessing)info.Preprocessing!).Size, info.Score));
        var (measured, text, problem) = ToolRun.Of("evaluate", run, "--data", book);
        Assert.True(measured == 0, problem);
        Assert.Contains("next-token, 187 samples", text, StringComparison.Ordinal);
        Assert.Contains("perplexity", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Tokens_may_be_those_of_a_tokenizer()
    {
        var tokenizer = Path.Combine(folder, "bpe");
        Directory.CreateDirectory(tokenizer);
        WriteTokenizer(tokenizer);
        var run = Path.Combine(folder, "run");
        var (code, _, error) = ToolRun.Of(["train", "--data", Write("book.txt", Text(2000)), "--tokens", tokenizer,
            "--context", "8", .. Small, "--out", run]);
        Assert.True(code == 0, error);
        Assert.Equal(257, ((TextPreprocessing)Predictor.Load(Path.Combine(run, "best.safetensors")).Info
            .Preprocessing!).Size);
        Refused("is neither bytes nor characters nor a folder; name one with vocab.json and merges.txt",
            Write("b.txt", Text(500)), "--tokens", "words");
    }

    [Fact]
    public void A_dry_run_shows_tokens_windows_network_and_cost()
    {
        var (code, output, error) = ToolRun.Of("train", "--data", Write("book.txt", Text(3000)), "--context", "16",
            "--width", "8", "--tokens", "characters", "--dry-run");
        Assert.True(code == 0, error);
        foreach (var expected in (string[])["3,000 bytes; 2,700 training and 300 validation tokens, 29 different ones",
            "168 training and 18 validation samples; inputs (16,) int64", "gpt", "adamw", "steps an epoch"])
            Assert.Contains(expected, output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(new byte[0], "offset 0: found an empty file, expected text")]
    [InlineData(new byte[] { 0x61, 0xE9, 0x62 }, "offset 1: found the byte 0xe9, expected text in UTF-8")]
    [InlineData(new byte[] { 0x61, 0x62, 0x63 }, "join short documents, or leave it out (--context: 128)")]
    public void What_cannot_be_learned_from_is_refused_in_one_line(byte[] bytes, string message)
    {
        var path = Path.Combine(folder, "bad.txt");
        File.WriteAllBytes(path, bytes);
        Refused(message, path);
        Refused(Path.GetFileName(path), path, "--dataset", "text");
    }

    [Fact]
    public void What_a_file_is_follows_from_its_name_and_from_the_network()
    {
        var (text, table) = (Write("a.txt", Text(600)), Write("a.csv", Text(600)));
        foreach (var given in (string[][])[[text], [text, "--model", "lstm"], [table, "--model", "gpt"],
            [table, "--dataset", "text"]])
            Assert.Contains("540 training and 60 validation tokens",
                ToolRun.Of(["train", "--data", .. given, "--context", "16", "--width", "8",
                "--dry-run"]).Output, StringComparison.Ordinal);
        Refused("which column is to be predicted", text, "--model", "mlp");
        Refused("classification is not for texts", text, "--task", "classification");
        Refused("does nothing for a text, whose end is kept back", text, "--split", "random");
        Refused("is a folder", folder, "--dataset", "text");
        var numbers = Write("numbers.txt", "a,target\n1,2\n3,4\n5,6\n7,8\n9,1\n");
        Assert.Contains("regression", ToolRun.Of("train", "--data", numbers, "--dataset", "table", "--dry-run").Output,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_that_was_interrupted_ends_with_the_same_bits_and_not_with_another_text()
    {
        var book = Write("book.txt", Text(3000));
        string[] settings = ["--data", book, "--context", "16", "--dropout", "0.2", "--epochs", "2", .. Small[..8]];
        var (whole, parts) = (Path.Combine(folder, "whole"), Path.Combine(folder, "parts"));
        Assert.Equal(0, ToolRun.Of(["train", .. settings, "--quiet", "--out", whole]).Code);
        Directory.CreateDirectory(parts);
        var given = settings.Chunk(2).Select(pair => KeyValuePair.Create(pair[0][2..], pair[1])).ToArray();
        var own = OwnData.Open(given)!;
        var values = TrainSettings.Table.Read(own.Complete(given));
        RunFolder.WriteSettings(parts, values);
        Assert.True(new TrainingRun(values, values.LoadData(own), parts, TimeSpan.Zero)
            .Train(false, Assert.Fail, new CancellationToken(canceled: true)).WasCanceled);
        File.WriteAllText(book, Text(3000).Replace('e', 'x'));
        Assert.Contains("fingerprint of the data was", ToolRun.Of("train", "--resume", parts, "--quiet").Error,
            StringComparison.Ordinal);
        File.WriteAllText(book, Text(3000));
        var (code, _, error) = ToolRun.Of("train", "--resume", parts, "--quiet");
        Assert.True(code == 0, error);
        Assert.Equal(File.ReadAllBytes(Path.Combine(whole, "best.safetensors")),
            File.ReadAllBytes(Path.Combine(parts, "best.safetensors")));
    }

    [Fact]
    public void Defaults_follow_from_the_language_and_the_network_whichever_is_given()
    {
        (string, string) Of(params string[] given)
        {
            var settings =
                TrainSettings.Table.Read(given.Chunk(2).Select(pair => KeyValuePair.Create(pair[0], pair[1])));
            return (settings.Get(TrainSettings.Dataset), settings.Get(TrainSettings.Model));
        }

        Assert.Equal(("synth", "mlp"), Of());
        Assert.Equal(("brackets", "gpt"), Of("model", "gpt"));
        Assert.Equal(("brackets", "lstm"), Of("model", "lstm"));
        Assert.Equal(("arithmetic", "gpt"), Of("dataset", "arithmetic"));
        Assert.Equal(("text", "gpt"), Of("data", "book.txt"));
        Assert.Equal(("text", "lstm"), Of("data", "book", "model", "lstm"));
    }

    [Fact]
    public void The_rate_rises_for_a_share_of_the_steps_and_gradients_are_clipped()
    {
        var values = TrainSettings.Table.Read([new("model", "gpt"), new("width", "8"), new("context", "8"),
            new("warmup", "0.25"), new("lr", "1"), new("epochs", "2"), new("data-share", "0.01")]);
        var data = values.LoadData();
        var trainer = new TrainingRun(values, data, folder, TimeSpan.FromHours(1)).Trainer;
        Assert.Equal(1, trainer.MaxGradientNorm);
        // 81 windows in batches of 64 make 2 steps an epoch, so the first of 4 is the whole rise.
        var factors = Enumerable.Range(0, 4).Select(trainer.Schedule!.Factor).ToArray();
        Assert.Equal(1, factors[0], 1e-12);
        Assert.Equal([1, 0.75, 0.25], factors[1..], (a, b) => Math.Abs(a - b) < 1e-12);
        var none = TrainSettings.Table.Read([]);
        Assert.Equal((0, 0), (none.Get(TrainSettings.RisingShare), none.Get(TrainSettings.Clip)));
    }

    private void Refused(string message, string path, params string[] settings)
    {
        var (code, _, error) = ToolRun.Of(["train", "--data", path, .. settings, "--out",
            Path.Combine(folder, "refused")]);
        Assert.NotEqual(0, code);
        Assert.Contains(message, Assert.Single(error.TrimEnd().Split('\n')), StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(folder, "refused")));
    }

    private string Write(string name, string text)
    {
        var path = Path.Combine(folder, name);
        File.WriteAllText(path, text);
        return path;
    }

    // 26 letters, spaces and line ends.
    private static string Text(int length)
    {
        var random = new Random(length);
        return "abcdefghijklmnopqrstuvwxyz \n" + string.Concat(Enumerable.Range(28, length - 28).Select(i =>
            i % 61 == 0 ? '\n' : i % 6 == 0 ? ' ' : (char)('a' + random.Next(26))));
    }

    // A token for each byte, as GPT-2 names them, and one of two letters.
    private static void WriteTokenizer(string folder)
    {
        var (tokens, next) = (new Dictionary<string, int>(), 256);
        for (var value = 0; value < 256; value++)
            tokens[$"{(char)(value is >= '!' and <= '~' or >= 0xA1 and <= 0xAC or >= 0xAE ? value : next++)}"] = value;
        tokens["ab"] = 256;
        File.WriteAllText(Path.Combine(folder, "vocab.json"), JsonSerializer.Serialize(tokens));
        File.WriteAllText(Path.Combine(folder, "merges.txt"), "#version: 0.2\na b\n");
    }
}
