using System.Text.Json;
using Adjoint.Cli;

namespace Adjoint.SystemTests.Cli;

/// <summary>What a run ends with: the test set, once; a report, also when the loss is not finite.</summary>
public sealed class FinalTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void The_accuracy_on_the_test_set_is_in_the_result_the_metrics_and_the_report()
    {
        var path = Path.Combine(folder, "run");
        var (code, output, error) = ToolRun.Of([.. Train(), "--final", "--json", "--out", path]);
        Assert.Equal(0, code);
        var json = JsonDocument.Parse(output).RootElement;
        var accuracy = json.GetProperty("testAccuracy").GetDouble();
        Assert.Contains(FormattableString.Invariant($"test accuracy of that model: {accuracy:P2}"), error,
            StringComparison.Ordinal);
        var last = JsonDocument.Parse(File.ReadAllLines(Path.Combine(path, "metrics.jsonl"))[^1]).RootElement;
        Assert.Equal((accuracy, json.GetProperty("best").GetProperty("epoch").GetInt32()),
            (last.GetProperty("testAccuracy").GetDouble(), last.GetProperty("epoch").GetInt32()));
        var row = FormattableString.Invariant($"<td>test accuracy of the best model</td><td>{accuracy:P2}</td>");
        Assert.Contains(row, File.ReadAllText(Path.Combine(path, "report.html")), StringComparison.Ordinal);
        Assert.Equal("true", JsonDocument.Parse(File.ReadAllText(Path.Combine(path,
            "settings.json"))).RootElement.GetProperty("final").GetString());
    }

    [Fact]
    public void Without_being_asked_for_it_is_not_measured()
    {
        var path = Path.Combine(folder, "run");
        var (code, output, error) = ToolRun.Of([.. Train(), "--json", "--out", path]);
        Assert.Equal(0, code);
        foreach (var text in (string[])[output, error, File.ReadAllText(Path.Combine(path, "metrics.jsonl")),
            File.ReadAllText(Path.Combine(path, "report.html")), File.ReadAllText(Path.Combine(path, "settings.json"))])
            foreach (var name in (string[])["testAccuracy", "test accuracy",
                "\"final\": \"true\""]) Assert.DoesNotContain(name, text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_that_diverges_leaves_a_report_with_what_was_found_and_no_path_of_ours()
    {
        var path = Path.Combine(folder, "run");
        var (code, output, error) = ToolRun.Of("train", "--lr", "1e38", "--epochs", "2", "--data-share", "0.05",
            "--json", "--out", path);
        Assert.Equal(1, code);
        Assert.Contains("the loss became ", error, StringComparison.Ordinal);
        Assert.Contains("try a smaller learning rate",
            JsonDocument.Parse(output).RootElement.GetProperty("problem").GetString(), StringComparison.Ordinal);
        var report = File.ReadAllText(Path.Combine(path, "report.html"));
        Assert.Contains("The run did not reach its end.", report, StringComparison.Ordinal);
        Assert.Contains("It diverged: training: the loss became ", report, StringComparison.Ordinal);
        Assert.DoesNotContain("No problems found", report, StringComparison.Ordinal);
        foreach (var text in (string[])[output, error, report])
        {
            Assert.DoesNotContain(".cs", text, StringComparison.Ordinal);
            Assert.DoesNotContain(LayeringTests.Root(), text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_trial_that_diverges_leaves_a_report_too()
    {
        var file = Path.Combine(folder, "sweep.json");
        File.WriteAllText(file,
            """{ "settings": { "hidden": "8", "epochs": 2, "data-share": 0.05, "lr": 1e38 }, "seeds": 1 }""");
        Assert.Equal(0, ToolRun.Of("experiment", "run", file, "--quiet", "--out", Path.Combine(folder, "out")).Code);
        Assert.Contains("It diverged: ",
            File.ReadAllText(Assert.Single(Directory.GetFiles(Path.Combine(folder, "out", "trials"), "report.html",
            SearchOption.AllDirectories))), StringComparison.Ordinal);
    }

    private string[] Train()
    {
        TinyMnist.Write(folder);
        string[] settings = ["--hidden", "8", "--epochs", "1", "--batch-size", "20"];
        return ["train", "--dataset", "mnist", "--data-dir", folder, .. settings];
    }
}
