using System.Text.Json;
using Adjoint.Cli;
using Adjoint.Experiments;

namespace Adjoint.SystemTests.Cli;

/// <summary>What does nothing beside the other settings is refused, and nowhere stated.</summary>
public sealed class IdleSettingTests : IDisposable
{
    private static readonly string[] Convolutional = ["lenet", "resnet20", "speednet"];
    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    public static TheoryData<string, string> Pairs()
    {
        var rows = new TheoryData<string, string>();
        foreach (var model in Convolutional)
            foreach (var option in (string[])["--activation tanh", "--activation sigmoid", "--hidden 300",
                "--hidden 4x", "--layers 2", "--layers 1"]) rows.Add($"--dataset cifar10 --model {model}", option);
        rows.Add("--dataset mnist --model lenet5", "--activation relu");
        foreach (var optimizer in (string[])["adam", "adamw", "rmsprop"])
            foreach (var option in (string[])["--momentum 0.9", "--nesterov"]) rows.Add($"--optimizer {optimizer}",
                option);
        rows.Add("--dataset mnist", "--momentum 0.9");
        foreach (var option in (string[])["--pixels unit", "--pixels standard", "--augment crop",
            "--augment flip,crop", "--tta flip", "--data-dir here"]) rows.Add("--dataset synth", option);
        rows.Add("--dataset mnist --model mlp", "--tta flip");
        rows.Add("--optimizer sgd", "--nesterov");
        rows.Add("--hidden 300,100", "--layers 2");
        rows.Add("--hidden 8", "--layers 1");
        rows.Add("--layers 0", "--activation relu");
        rows.Add("--layers 0", "--hidden 2x");
        foreach (var option in (string[])["--hidden 300", "--activation relu", "--augment flip", "--pixels unit",
            "--tta flip", "--tokens bytes", "--target price", "--image-size 32", "--label-smoothing 0.1",
            "--data-dir here", "--validation 0.3", "--task next-token"]) rows.Add("--model gpt", option);
        rows.Add("--model lstm", "--heads 2");
        rows.Add("--dataset arithmetic --schedule one-cycle", "--warmup 0.2");
        foreach (var option in (string[])["--width 8", "--heads 2", "--dropout 0.1", "--context 8", "--tokens bytes"])
            rows.Add("--dataset synth", option);
        return rows;
    }

    [Theory, MemberData(nameof(Pairs))]
    public void An_option_that_does_nothing_is_refused_with_the_reason(string beside, string option)
    {
        var error = ToolRun.Refused(["train", .. beside.Split(' '), .. option.Split(' '), "--out",
            Path.Combine(folder, "run")]);
        Assert.StartsWith($"adjoint: {option.Split(' ')[0]}: does nothing ", error, StringComparison.Ordinal);
        Assert.EndsWith("; leave it out", error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(folder, "run")));
    }

    [Theory]
    [InlineData("--optimizer adam --momentum 0 --nesterov=false")]
    [InlineData("--optimizer sgd --momentum 0.9 --nesterov")]
    [InlineData("--augment none --tta none")]
    [InlineData("--hidden 2x --layers 2 --activation tanh")]
    [InlineData("--dropout 0 --label-smoothing 0 --warmup 0 --clip 0")]
    public void What_takes_part_or_says_that_there_is_none_is_taken(string options) =>
        Assert.Equal(0, ToolRun.Of(["train", .. options.Split(' '), "--epochs", "0", "--data-share", "0.01", "--quiet",
            "--out", Path.Combine(folder, "run")]).Code);

    [Theory]
    [InlineData("explore --model lenet --dataset cifar10 --activation tanh",
        "--activation: does nothing for --model lenet")]
    [InlineData("explore --hidden 8 --layers 3", "--layers: does nothing beside --hidden 8")]
    [InlineData("explore --data-dir here", "--data-dir: does nothing for synth")]
    [InlineData("train --final", "--final: synth has no test set; leave it out")]
    [InlineData("paper --report --jobs 2", "--jobs: does nothing beside --report")]
    [InlineData("ops --check --html pages", "--check: does nothing beside --html")]
    public void Other_commands_refuse_it_too(string line, string message) =>
        Assert.Contains(message, ToolRun.Refused(line.Split(' ')), StringComparison.Ordinal);

    [Theory]
    [InlineData("\"optimizer\": \"adam\",\n \"momentum\": 0.9", "momentum: does nothing for --optimizer adam")]
    [InlineData("\"hidden\": \"8\",\n \"layers\": 2", "layers: does nothing beside --hidden 8")]
    [InlineData("\"dataset\": \"cifar10\", \"model\": \"lenet\",\n \"activation\": \"relu\"",
        "activation: does nothing for --model lenet")]
    public void A_setting_of_an_experiment_that_does_nothing_is_refused_where_it_stands(string settings, string message)
    {
        var file = Path.Combine(folder, "sweep.json");
        File.WriteAllText(file, $"{{ \"settings\": {{ {settings} }} }}");
        var error = ToolRun.Refused("experiment", "run", file, "--out", Path.Combine(folder, "out"));
        Assert.Contains($"{file}:2:", error, StringComparison.Ordinal);
        Assert.Contains(message, error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_case_in_which_a_factor_does_nothing_is_refused()
    {
        var file = Path.Combine(folder, "sweep.json");
        File.WriteAllText(file, """{ "settings": { "momentum": 0.9 }, "factors": { "optimizer": ["sgd", "adam"] } }""");
        Assert.Contains("momentum: does nothing for --optimizer adam", ToolRun.Refused("experiment", "run", file),
            StringComparison.Ordinal);
    }

    [Fact]
    public void Settings_and_report_of_a_run_state_only_what_takes_part()
    {
        var path = Path.Combine(folder, "run");
        Assert.Equal(0, ToolRun.Of("train", "--optimizer", "adam", "--hidden", "8", "--epochs", "1", "--data-share",
            "0.01", "--quiet", "--out", path).Code);
        var noted = JsonDocument.Parse(File.ReadAllText(Path.Combine(path, "settings.json"))).RootElement;
        var report = File.ReadAllText(Path.Combine(path, "report.html"));
        foreach (var name in (string[])["momentum", "nesterov", "layers", "pixels", "augment", "tta", "data-dir"])
        {
            Assert.False(noted.TryGetProperty(name, out _), name);
            Assert.DoesNotContain($"<td>{name}</td>", report, StringComparison.Ordinal);
            Assert.DoesNotContain($"--{name} ", noted.GetProperty("command").GetString(), StringComparison.Ordinal);
        }
        foreach (var name in (string[])["optimizer", "hidden", "activation",
            "lr"]) Assert.True(noted.TryGetProperty(name, out _), name);
        // The command that is noted is not refused, and gives the same bits.
        var command = noted.GetProperty("command").GetString()!.Split(' ')[1..];
        Assert.Equal(0, ToolRun.Of([.. command, "--quiet", "--out", Path.Combine(folder, "again")]).Code);
        Assert.Equal(File.ReadAllBytes(Path.Combine(path, "last.safetensors")),
            File.ReadAllBytes(Path.Combine(folder, "again", "last.safetensors")));
    }

    [Fact]
    public void Networks_of_images_state_no_hidden_layers()
    {
        var rows = TrainSettings.Table.Read([new("dataset", "cifar10"), new("model", "lenet")]).Rows().Select(row =>
            row.Name).ToArray();
        foreach (var name in (string[])["hidden", "layers", "activation", "momentum",
            "nesterov"]) Assert.DoesNotContain(name, rows);
        foreach (var name in (string[])["dataset", "model", "pixels", "augment", "tta",
            "optimizer"]) Assert.Contains(name, rows);
    }

    [Fact]
    public void Settings_of_version_0_1_with_what_does_nothing_are_still_read()
    {
        var settings = TrainSettings.Table.Read([new("dataset", "cifar10"), new("model", "lenet"),
            new("activation", "tanh"), new("optimizer", "adam"), new("momentum", "0")], isNoted: true);
        Assert.DoesNotContain("activation", settings.Rows().Select(row => row.Name));
    }

    [Fact]
    public void The_course_report_has_the_trials_that_it_had()
    {
        using var json = JsonDocument.Parse(File.ReadAllText(Path.Combine(LayeringTests.Root(), "docs", "paper",
            "results.json")));
        var noted = json.RootElement.GetProperty("trials").EnumerateArray().Select(trial =>
            trial.GetProperty("key").GetString()!);
        Assert.Equal(noted.Order(), ExperimentRunner.TrialsOf(new TrainProgram(null, TimeSpan.Zero),
            CourseReport.Experiments).Select(trial => trial.Key).Order());
    }
}
