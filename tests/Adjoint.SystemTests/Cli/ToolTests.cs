using System.Text.Json;
using System.Text.RegularExpressions;
using Adjoint.Cli;
using Adjoint.Data;

namespace Adjoint.SystemTests.Cli;

public sealed class ToolTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData("train --dataset mnits",
        "--dataset: 'mnits' is none of synth, mnist, fashion-mnist, cifar10, brackets, arithmetic, table, images, "
            + "text; did you mean 'mnist'?")]
    [InlineData("train --activation rleu", "did you mean 'relu'?")]
    [InlineData("train --epoch 3", "unknown option '--epoch'; did you mean '--epochs'?")]
    [InlineData("data", "no command given; use one of list, verify, fetch; --help says more")]
    [InlineData("trian", "unknown command 'trian'; did you mean 'train'?")]
    [InlineData("train --batch-size 0", "--batch-size: 0 is out of range; use at least 1")]
    [InlineData("train --hidden 4y", "--hidden: '4y' is neither a multiple")]
    [InlineData("train --epochs three", "three")]
    [InlineData("train --model lenet", "--model: lenet does not take the images of synth; it is for cifar10")]
    [InlineData("train --model resnet20 --dataset brackets",
        "--model: resnet20 does not take the tokens of brackets; use gpt or lstm")]
    [InlineData("train --model gpt --dataset mnist",
        "--model: gpt does not take the samples of mnist; it is for texts: brackets, arithmetic, or own text")]
    [InlineData("train --model gpt --heads 5",
        "--heads: 5 heads do not divide a width of 64; use a number that does, or another --width")]
    [InlineData("train --model lstm --layers 0", "--layers: lstm needs 1 layer or more")]
    [InlineData("train --model gpt --metric r2",
        "--metric: r2 is not measured for brackets; use one of determinedAccuracy, perplexity, accuracy, loss")]
    [InlineData("data fetch brackets", "brackets is made on the spot; there is nothing to fetch")]
    [InlineData("train --pixels bytes", "--pixels: bytes is for mnist and fashion-mnist, not for synth")]
    [InlineData("train --momentum 1", "--momentum: 1 is out of range")]
    public void Wrong_usage_is_one_line_and_exit_code_2(string line, string message)
    {
        var (code, output, error) = Run(line.Split(' '));
        Assert.Equal((2, ""), (code, output));
        Assert.Contains(message, error, StringComparison.Ordinal);
        Assert.Single(error.TrimEnd().Split('\n'));
    }

    [Fact]
    public void A_run_leaves_a_folder_that_can_be_repeated()
    {
        var path = Path.Combine(folder, "run");
        var (code, output, _) = Run("train", "--epochs", "2", "--out", path, "--json", "--threads", "1");
        Assert.Equal(0, code);
        var json = JsonDocument.Parse(output).RootElement;
        Assert.Equal(3, json.GetProperty("epochs").GetArrayLength());
        Assert.Equal(JsonValueKind.Null, json.GetProperty("epochs")[0].GetProperty("trainLoss").ValueKind);
        Assert.True(json.GetProperty("best").GetProperty("validationAccuracy").GetDouble() > 0.9);
        Assert.Equal(["best.safetensors", "last.safetensors", "metrics.jsonl", "report.html", "settings.json",
            "steps.jsonl"], Directory.GetFiles(path).Select(Path.GetFileName).Order());
        Assert.Equal(3, File.ReadAllLines(Path.Combine(path, "metrics.jsonl")).Length);
        var report = File.ReadAllText(Path.Combine(path, "report.html"));
        Assert.Contains("Confusion matrix", report, StringComparison.Ordinal);
        Assert.DoesNotContain("src=\"http", report, StringComparison.Ordinal);
        var (begin, end) = (report.IndexOf("<svg", StringComparison.Ordinal),
            report.IndexOf("</svg>", StringComparison.Ordinal));
        var figure = report[begin..end];
        Assert.Single(Regex.Matches(figure, "viewBox"));
        Assert.All(Regex.Matches(figure, "<rect[^>]*>"),
            rectangle => Assert.Contains("height=", rectangle.Value, StringComparison.Ordinal));
        Assert.Contains(">accuracy / %</text>", figure, StringComparison.Ordinal);

        var (again, repeated, _) = Run("train", "--epochs", "2", "--out", Path.Combine(folder, "again"), "--json",
            "--threads", "2", "--quiet");
        Assert.Equal(0, again);
        string Losses(string text) =>
            string.Join(' ', JsonDocument.Parse(text).RootElement.GetProperty("epochs").EnumerateArray()
                .Select(epoch => epoch.GetProperty("validationLoss").GetRawText()
                    + epoch.GetProperty("trainLoss").GetRawText()));
        Assert.Equal(Losses(output), Losses(repeated));
    }

    [Fact]
    public void A_folder_that_is_taken_or_a_data_set_that_is_missing_fails_with_1_before_training()
    {
        File.WriteAllText(Path.Combine(folder, "file"), "");
        Assert.Contains("exists and is not empty", Fails("train", "--out", folder), StringComparison.Ordinal);
        Assert.Contains("is a file", Fails("train", "--out", Path.Combine(folder, "file")), StringComparison.Ordinal);
        var forbidden = OperatingSystem.IsWindows() ? @"Z:\no\drive" : "/proc/adjoint";
        Assert.Contains("cannot be written to", Fails("train", "--out", forbidden), StringComparison.Ordinal);
        var missing = Fails("train", "--dataset", "mnist", "--data-dir", folder);
        Assert.Contains("data set mnist: no train-images-idx3-ubyte in", missing, StringComparison.Ordinal);
        Assert.Contains($"adjoint data fetch mnist --data-dir {folder}", missing, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("train --dataset mnist", "mnist")]
    [InlineData("train --dataset fashion-mnist", "fashion-mnist")]
    [InlineData("train --dataset cifar10 --model lenet", "cifar10")]
    [InlineData("data verify cifar10", "cifar10")]
    [InlineData("explore --dataset mnist", "mnist")]
    [InlineData("paper --only text", "cifar10")]
    public void Missing_data_names_the_command_that_brings_it(string line, string name) =>
        Assert.Contains($"adjoint data fetch {name} ", Fails([.. line.Split(' '), "--data-dir", folder]),
            StringComparison.Ordinal);

    [Theory]
    [InlineData("mnist", "", "relu", "adam", "0.001")]
    [InlineData("fashion-mnist", "", "relu", "adam", "0.001")]
    [InlineData("mnist", "sgd", "relu", "sgd", "0.1")]
    [InlineData("synth", "", "sigmoid", "sgd", "1")]
    public void What_is_left_open_suits_the_data(string dataset, string optimizer, string activation, string chosen,
        string rate)
    {
        var given = new Dictionary<string, string> { ["dataset"] = dataset };
        if (optimizer.Length > 0) given["optimizer"] = optimizer;
        var rows = TrainSettings.Table.Read(given).Rows().ToDictionary(row => row.Name, row => row.Value);
        Assert.Equal((activation, chosen, rate), (rows["activation"], rows["optimizer"], rows["lr"]));
        Assert.Equal(("128", dataset == "synth" ? "0" : "0.99"), (rows["batch-size"], rows["ema"]));
    }

    [Theory, InlineData("adamw", "0.01"), InlineData("adam", "0"), InlineData("sgd", "0")]
    public void The_decay_that_is_left_open_is_that_of_the_optimizer(string optimizer, string decay) =>
        Assert.Contains(("weight-decay", decay), TrainSettings.Table.Read([new("optimizer", optimizer)]).Rows());

    [Fact]
    public void An_epoch_of_MNIST_with_nothing_set_reaches_97_percent()
    {
        if (Environment.GetEnvironmentVariable("ADJOINT_DATA") is not { Length: > 0 })
            Assert.Skip("skipped: ADJOINT_DATA is not set");
        string[] settings = ["--dataset", "mnist", "--epochs", "1", "--final"];
        var (code, output, _) = Run(["train", .. settings, "--json", "--quiet", "--out", Path.Combine(folder, "run")]);
        Assert.Equal(0, code);
        var best = JsonDocument.Parse(output).RootElement.GetProperty("best");
        Assert.True(best.GetProperty("validationAccuracy").GetDouble() > 0.975, output);
        Assert.True(JsonDocument.Parse(output).RootElement.GetProperty("testAccuracy").GetDouble() > 0.97, output);
    }

    [Fact]
    public void Without_shuffling_the_samples_come_as_they_lie()
    {
        string Weights(params string[] options)
        {
            var path = Path.Combine(folder, $"run{options.Length}");
            Assert.Equal(0, Run(["train", "--epochs", "1", "--data-share", "0.02", "--quiet", "--out", path,
                .. options]).Code);
            return Convert.ToHexString(File.ReadAllBytes(Path.Combine(path, "last.safetensors")));
        }
        Assert.NotEqual(Weights(), Weights("--no-shuffle"));
        Assert.Contains("\"no-shuffle\": \"true\"", File.ReadAllText(Path.Combine(folder, "run1", "settings.json")),
            StringComparison.Ordinal);
        var loader = TrainSettings.Table.Read([new("no-shuffle", "true"),
            new("batch-size", "3")]).CreateLoader(Synth.Create(train: 6, validation: 1).Train);
        foreach (var pass in (int[])[1, 2])
            Assert.Equal(Synth.Create(train: 6, validation: 1).Train.Load([0, 1, 2]).Inputs.ToArray<float>(),
                loader.First().Inputs.ToArray<float>());
    }

    [Fact]
    public void Where_there_is_no_browser_open_says_so_in_one_line()
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("skipped: whether there is a display is asked as on Linux");
        string[] names = ["DISPLAY", "WAYLAND_DISPLAY", "BROWSER"];
        var before = names.Select(Environment.GetEnvironmentVariable).ToArray();
        try
        {
            foreach (var name in names) Environment.SetEnvironmentVariable(name, null);
            var path = Path.Combine(folder, "run");
            var (code, _, error) = Run("train", "--epochs", "0", "--data-share", "0.01", "--quiet", "--open", "--out",
                path);
            Assert.Equal((0,
                $"--open: no browser could be started here; open {Path.Combine(path, "report.html")} "
                + $"yourself{Environment.NewLine}"), (code, error));
        }
        finally
        {
            foreach (var (name, value) in names.Zip(before)) Environment.SetEnvironmentVariable(name, value);
        }
    }

    [Fact]
    public void A_loss_that_is_not_finite_names_epoch_and_step_and_keeps_the_last_good_model()
    {
        var path = Path.Combine(folder, "run");
        var error = Fails("train", "--lr", "1e38", "--epochs", "2", "--out", path, "--quiet");
        Assert.Contains("in epoch 1, step ", error, StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(path, "best.safetensors")));
    }

    [Fact]
    public void A_profile_names_ops_and_writes_a_trace()
    {
        var path = Path.Combine(folder, "run");
        var (code, _, error) = Run("train", "--epochs", "1", "--out", path, "--quiet", "--profile");
        Assert.Equal(0, code);
        foreach (var name in (string[])["Linear", "Linear backward", "Sigmoid backward", "CrossEntropy",
            "Sgd"]) Assert.Matches($@"(?m)^{name} +\d+ ", error);
        var events = JsonDocument.Parse(File.ReadAllText(Path.Combine(path, "trace.json")))
            .RootElement.GetProperty("traceEvents");
        Assert.True(events.GetArrayLength() > 1000 && events[0].GetProperty("dur").GetDouble() > 0);
    }

    [Fact]
    public void Ops_are_listed_and_checked()
    {
        var (code, output, _) = Run("ops", "--check");
        Assert.Equal(0, code);
        Assert.Contains("ops agree with finite differences", output, StringComparison.Ordinal);
        Assert.Contains("∂L/∂y = −g · x / y²", Run("ops").Output, StringComparison.Ordinal);
    }

    private string Fails(params string[] args)
    {
        var (code, _, error) = Run(args);
        Assert.Equal(1, code);
        Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);
        return error;
    }

    private static (int Code, string Output, string Error) Run(params string[] args) => ToolRun.Of(args);
}
