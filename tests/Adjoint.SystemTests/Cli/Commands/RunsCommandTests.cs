using System.Text.Json;
using System.Text.RegularExpressions;
using Adjoint.Cli;
using Adjoint.IO;

namespace Adjoint.SystemTests.Cli;

/// <summary>What <c>adjoint runs</c> lists of folders that were written by hand.</summary>
public sealed class RunsCommandTests : IDisposable
{
    private readonly WrittenRuns runs = new();

    public void Dispose() => runs.Dispose();

    [Fact]
    public void Each_run_is_listed_with_what_its_folder_tells()
    {
        runs.AddClassifier("first", "mlp", "0.1", 0.5, 0.9, 0.875);
        runs.AddRegression("houses", 0, 0.75, 0.98);
        var lines = List();
        Assert.Matches(@"^run +when +data +model +task +epochs +state +best +metric +time$", lines[0]);
        Assert.Matches(@"^first +\d{4}-\d\d-\d\d \d\d:\d\d +synth +mlp +classification +2/2 +complete +0\.9000 +"
            + @"accuracy +6\.0 s$", lines[1]);
        Assert.Matches(@"^houses .* houses\.csv +mlp +regression +2 +complete +0\.9800 +r2 +4\.5 s$", lines[2]);
    }

    [Fact]
    public void The_state_follows_from_lock_report_checkpoints_and_problem()
    {
        runs.AddClassifier("a-complete", "mlp", "0.1", 0.5, 0.9);
        File.WriteAllText(Path.Combine(runs.AddClassifier("b-left", "mlp", "0.1", 0.5, 0.9),
            "checkpoint-00000001.safetensors"), "");
        runs.Add("c-killed", """{ "epochs": "9" }""", """{"epoch":0,"validationLoss":1,"seconds":1}""");
        runs.Add("d-diverged", """{ "epochs": "9" }""", """{"epoch":0,"validationLoss":1,"seconds":1}""",
            """{"epoch":1,"problem":"training: the loss became NaN"}""");
        runs.Add("e-none", """{ "epochs": "9" }""");
        using var held = FolderLock.Take(runs.AddClassifier("f-running", "mlp", "0.1", 0.5));
        var states = Json().Select(run => run.GetProperty("state").GetString());
        Assert.Equal(["complete", "interrupted", "interrupted", "diverged", "interrupted", "running"], states);
        Assert.Contains("became NaN", Json()[3].GetProperty("problem").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_whose_loss_is_not_finite_is_diverged()
    {
        var path = Path.Combine(runs.Folder, "run");
        Assert.Equal(1, ToolRun.Of("train", "--lr", "1e9", "--activation", "relu", "--data-share", "0.05", "--epochs",
            "2", "--quiet", "--out", path).Code);
        var run = Assert.Single(Json());
        Assert.Equal("diverged", run.GetProperty("state").GetString());
        Assert.Contains("try a smaller learning rate", run.GetProperty("problem").GetString(),
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("accuracy", "good, fair, poor, houses")]
    [InlineData("validationLoss", "houses, good, fair, poor")]
    [InlineData("lr", "poor, good, fair, houses")]
    [InlineData("run", "fair, good, houses, poor")]
    [InlineData("mae", "houses, fair, good, poor")]
    public void A_measure_is_sorted_best_first_and_what_lacks_it_comes_last(string column, string expected)
    {
        runs.AddClassifier("fair", "lenet", "10", 0.5, 0.8);
        runs.AddClassifier("good", "mlp", "9", 0.5, 0.95);
        runs.AddRegression("houses", 0, 0.98);
        runs.AddClassifier("poor", "mlp", "0.5", 0.5, 0.6);
        Assert.Equal(expected, Names("--sort", column));
        Assert.Equal(string.Join(", ", expected.Split(", ").Reverse()), Names("--sort", column, "--reverse"));
    }

    [Theory]
    [InlineData("model=mlp", "a, c")]
    [InlineData("model!=mlp", "b")]
    [InlineData("model = MLP , accuracy > 0.65", "a")]
    [InlineData("accuracy<=0.8,lr>=1e-1", "b, c")]
    [InlineData("lr=0.10", "a")]
    [InlineData("data~YN,state=complete", "a, b, c")]
    [InlineData("when>2020-01-01", "a, b, c")]
    [InlineData("when<2020", "")]
    [InlineData("hidden=300,100,model=mlp", "d")]
    public void Filters_hold_all_at_once(string filter, string expected)
    {
        runs.AddClassifier("a", "mlp", "0.1", 0.5, 0.9);
        runs.AddClassifier("b", "lenet", "1", 0.5, 0.8);
        runs.AddClassifier("c", "mlp", "2", 0.5, 0.6);
        if (filter.StartsWith("hidden", StringComparison.Ordinal))
            runs.Add("d", """{ "hidden": "300,100", "model": "mlp" }""");
        Assert.Equal(expected, Names("--filter", filter));
    }

    [Theory]
    [InlineData("--filter", "modle=mlp", "--filter: 'modle' is none of run, when,.*did you mean 'model'\\?")]
    [InlineData("--filter", "mlp", "--filter: 'mlp' is no condition; write a name, one of = != < <= > >= ~")]
    [InlineData("--filter", "accuracy>high", "'high' is no number; > compares numbers")]
    [InlineData("--sort", "acuracy", "did you mean 'accuracy'\\?")]
    public void Wrong_usage_is_one_line(string option, string value, string message)
    {
        runs.AddClassifier("a", "mlp", "0.1", 0.5, 0.9);
        Assert.Matches(message, ToolRun.Refused("runs", runs.Folder, option, value));
    }

    [Fact]
    public void A_damaged_run_is_named_and_the_others_are_listed()
    {
        runs.AddClassifier("good", "mlp", "0.1", 0.5, 0.9);
        runs.Add("settings", "{");
        runs.Add("number", """{ "lr": 1 }""");
        runs.Add("lines", "{}", """{"epoch":0,"validationLoss":"x"}""", """{"epoch":1,"validationLoss":1}""");
        runs.Add("order", "{}", """{"epoch":1,"seconds":1}""", """{"epoch":1,"seconds":1}""");
        runs.Add("deep", "{}", new string('[', 100) + "\n");
        var (code, output, error) = ToolRun.Of("runs", runs.Folder);
        Assert.Equal(0, code);
        Assert.Equal(5, Regex.Count(output, "damaged"));
        Assert.Equal(5, error.TrimEnd().Split('\n').Length);
        Assert.Contains(Path.Combine("lines", "metrics.jsonl") + ", offset 0", error, StringComparison.Ordinal);
        Assert.Contains("epoch 1 comes after epoch 1", error, StringComparison.Ordinal);
        Assert.Equal("good", Names("--filter", "accuracy>0"));
    }

    [Fact]
    public void Null_a_half_written_line_and_no_epoch_are_no_damage()
    {
        var path = runs.Add("a", "{}", """{"epoch":0,"validationLoss":null,"seconds":null,"metrics":{"f1":null}}""",
            """{"epoch":1,"validationLoss":0.5,"seconds":1,"metrics":{"f1":0.25}}""", """{"epoch":2,"validati""");
        var file = Path.Combine(path, "metrics.jsonl");
        File.WriteAllText(file, File.ReadAllText(file).TrimEnd('\n'));
        runs.Add("b", "{}", """{"epoch":0,"validationLoss":null,"seconds":1}""");
        runs.Add("c", "{}");
        var found = Json();
        Assert.Equal((1, "f1", 0.25), (found[0].GetProperty("epochs").GetInt32(),
            found[0].GetProperty("metric").GetString(), found[0].GetProperty("best").GetProperty("value").GetDouble()));
        Assert.All(found[1..], run => Assert.Equal(JsonValueKind.Null, run.GetProperty("best").ValueKind));
        Assert.Contains("–", List()[2], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"epoch":1,"testLoss":0.5,"testAccuracy":0.75}""", """{"loss":0.5,"accuracy":0.75}""")]
    [InlineData("""{"epoch":1,"testLoss":0.5,"testAccuracy":null,"testMetrics":{"r2":0.25,"mae":null}}""",
        """{"loss":0.5,"r2":0.25}""")]
    public void The_test_at_the_end_is_no_epoch(string line, string expected)
    {
        runs.Add("a", "{}", """{"epoch":0,"validationLoss":1}""", """{"epoch":1,"validationLoss":0.5}""", line);
        var run = Assert.Single(Json());
        Assert.Equal((1, expected), (run.GetProperty("epochs").GetInt32(), run.GetProperty("test").GetRawText()));
    }

    [Fact]
    public void Trials_are_listed_by_the_folder_of_their_sweep_or_recursively()
    {
        runs.AddClassifier("single", "mlp", "0.1", 0.5, 0.9);
        runs.AddClassifier("sweep/trials/key1", "mlp", "0.1", 0.5, 0.8);
        runs.AddClassifier("sweep/trials/key2", "mlp", "0.2", 0.5, 0.7);
        Assert.Equal("single", Names());
        Assert.Matches("sweep: a sweep; adjoint runs .*sweep lists its trials", ToolRun.Of("runs", runs.Folder).Error);
        Assert.Equal("single, sweep/trials/key1, sweep/trials/key2", Names("--recursive", "--sort", "run"));
        var sweep = ToolRun.Of("runs", Path.Combine(runs.Folder, "sweep")).Output;
        Assert.Equal(3, sweep.TrimEnd().Split('\n').Length);
        Assert.Contains("\nsingle ", ToolRun.Of("runs", Path.Combine(runs.Folder, "single")).Output,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_that_is_missing_or_empty_says_what_makes_runs()
    {
        var missing = Path.Combine(runs.Folder, "missing");
        Assert.Equal((1, "", $"adjoint: {missing}: no such folder; adjoint train makes runs in runs/\n"),
            ToolRun.Of("runs", missing));
        Assert.Equal((0, "", $"{runs.Folder}: no run in it; adjoint train makes one under runs/\n"),
            ToolRun.Of("runs", runs.Folder));
        runs.AddClassifier("a", "mlp", "0.1", 0.5);
        Assert.Equal((0, "", $"{runs.Folder}: none of 1 runs fits --filter; leave it out to see them\n"),
            ToolRun.Of("runs", runs.Folder, "--filter", "model=lenet"));
    }

    [Fact]
    public void Names_and_settings_reach_no_terminal_unescaped()
    {
        runs.Add("ev\e[31mil", """{ "model": "\u001b[2J", "dataset": "a\nb" }""",
            """{"epoch":0,"seconds":1,"metrics":{"\u001b":1}}""");
        runs.Add("bad\e", "{\e");
        var (code, output, error) = ToolRun.Of("runs", runs.Folder);
        Assert.Equal((0, 3), (code, output.TrimEnd().Split('\n').Length));
        Assert.DoesNotContain('\e', output + error);
    }

    [Theory, InlineData(120), InlineData(79), InlineData(60), InlineData(40), InlineData(30)]
    public void The_list_fits_terminals_and_keeps_name_state_and_score(int room)
    {
        runs.AddClassifier("20260101-120000-fashion-mnist", "resnet20", "0.1", 0.5, 0.9);
        runs.AddClassifier("b", "mlp", "0.1", 0.5, 0.75);
        using var output = new StringWriter();
        RunTable.Write(ListedRun.In(runs.Folder, false), output, room, hasColors: false);
        var lines = output.ToString().TrimEnd().Split('\n');
        Assert.Equal(3, lines.Length);
        Assert.All(lines, line => Assert.InRange(line.Length, 1, room));
        Assert.Matches(@"^2.*mnist? .*complete .* 0\.9000|^2.*t +complete +0\.9000", lines[1]);
        Assert.Matches(@"^b .*complete .*0\.7500", lines[2]);
    }

    private string[] List(params string[] options)
    {
        var (code, output, error) = ToolRun.Of(["runs", runs.Folder, "--sort", "run", .. options]);
        Assert.Equal((0, ""), (code, error));
        return output.TrimEnd().Split('\n');
    }

    private JsonElement[] Json(params string[] options)
    {
        var (code, output, _) = ToolRun.Of(
            [
                "runs", runs.Folder, "--json", .. options.Contains("--sort") ? options : ["--sort", "run", .. options],
            ]);
        Assert.Equal(0, code);
        return [.. JsonDocument.Parse(output).RootElement.GetProperty("runs").EnumerateArray()];
    }

    private string Names(params string[] options) =>
        string.Join(", ", Json(options).Select(run => run.GetProperty("name").GetString()));
}
