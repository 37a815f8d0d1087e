using System.Text.Json;
using Adjoint.Cli;
using Adjoint.IO;

namespace Adjoint.SystemTests.Cli;

/// <summary>Numbers on the command line and in settings mean one thing or are refused with what to write.</summary>
public sealed class NumberTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    /// <summary>Every option of every command whose value is a number: the command, and the option.</summary>
    public static TheoryData<string, string> Numbers()
    {
        var rows = new TheoryData<string, string>();
        Visit(Tool.Commands(TextWriter.Null, TextWriter.Null), "");
        return rows;

        void Visit(System.CommandLine.Command command, string path)
        {
            foreach (var option in command.Options.Where(option => option.HelpName == "number")) rows.Add(path
                + string.Concat(command.Arguments.Select(_ => " x.json")), option.Name);
            foreach (var below in command.Subcommands) Visit(below, $"{path} {below.Name}");
        }
    }

    [Fact]
    public void Every_number_is_read_by_one_rule()
    {
        var typed = Numbers().Select(row => $"{row.Data.Item1} {row.Data.Item2}").ToArray();
        foreach (var expected in (string[])[" train --lr", " train --epochs", " train --seed", " train --threads",
            " paper --seeds", " explore x.json --port", " experiment run x.json --jobs"])
            Assert.Contains(expected, typed);
        Check(Tool.Commands(TextWriter.Null, TextWriter.Null));

        static void Check(System.CommandLine.Command command)
        {
            // A number that another parser reads would have a type, and not this name in the help.
            Assert.DoesNotContain(command.Options, option => option.HelpName == "number"
                != (option.ValueType.IsPrimitive && option.ValueType != typeof(bool)));
            foreach (var below in command.Subcommands) Check(below);
        }
    }

    [Theory, MemberData(nameof(Numbers))]
    public void What_is_no_number_or_could_mean_two_is_refused_and_the_message_names_the_option(string command,
        string option)
    {
        foreach (var text in (string[])["0,01", "5,0", "1,000", "1.000,5", "1,000.5", "1_000", "1'000", "1 000",
            "0x10", "1e", "e3", "3abc", "3 ", " 3", "", "NaN", "nan", "Infinity", "-Infinity", "∞", "1e400", "-1e400",
            "٣", "--3", "+-3", "3%", "1/2", ".", "1e+", "99999999999999999999999999999999999999999999999e300"])
        {
            var error = ToolRun.Refused([.. command.Split(' ', StringSplitOptions.RemoveEmptyEntries),
                $"{option}={text}"]);
            Assert.StartsWith($"adjoint: {option}: ", error, StringComparison.Ordinal);
            Assert.DoesNotContain("System.", error, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("--lr 0,01", "'0,01' has a comma; with a decimal point write 0.01")]
    [InlineData("--lr 1,5e-3", "'1,5e-3' has a comma; with a decimal point write 1.5e-3")]
    [InlineData("--lr 1,000", "with a decimal point write 1.000, without a separator 1000")]
    [InlineData("--ema 1,000,000", "'1,000,000' has separators; write 1000000")]
    [InlineData("--epochs 1,000", "'1,000' has separators; write 1000")]
    [InlineData("--epochs 5,0", "'5,0' is no whole number; write digits only, such as 20")]
    [InlineData("--epochs 1e3", "'1e3' is no whole number")]
    [InlineData("--epochs 99999999999", "99999999999 is out of range; use at most 2147483647")]
    [InlineData("--seed -1", "-1 is out of range; use at least 0")]
    [InlineData("--seed 18446744073709551616", "use at most 18446744073709551615")]
    [InlineData("--lr 1e400", "1e400 is out of range: its size is above the largest number, 1.7976931348623157E+308")]
    [InlineData("--momentum 1e-400", "1e-400 is out of range: it is so small that it would become 0")]
    [InlineData("--lr -0.1", "--lr: -0.1 is out of range; use above 0")]
    [InlineData("--lr 0", "--lr: 0 is out of range; use above 0")]
    [InlineData("--weight-decay -1", "--weight-decay: -1 is out of range")]
    [InlineData("--batch-size -1", "--batch-size: -1 is out of range; use at least 1")]
    [InlineData("--epochs -1", "--epochs: -1 is out of range; use at least 0")]
    [InlineData("--data-share -0.5", "--data-share: -0.5 is out of range")]
    [InlineData("--threads 0", "--threads: 0 is out of range; use 1 to 1024")]
    [InlineData("--hidden 3,5x", "--hidden: '3,5x' is neither a multiple of the inputs")]
    [InlineData("--lr", "--lr: needs a value")]
    [InlineData("--lr 1 --lr 2", "--lr: given 2 times; give it once")]
    [InlineData("--nesterov maybe", "'maybe' is not expected here")]
    public void The_message_says_what_to_write(string options, string message) =>
        Assert.Contains(message, ToolRun.Refused(["train", .. options.Split(' ')]), StringComparison.Ordinal);

    [Theory]
    [InlineData("0.01", "0.01")]
    [InlineData("+0.01", "0.01")]
    [InlineData(".5", "0.5")]
    [InlineData("1E-3", "0.001")]
    [InlineData("2", "2")]
    public void A_number_in_plain_notation_is_taken(string text, string noted)
    {
        var path = Path.Combine(folder, "run");
        Assert.Equal(0, ToolRun.Of("train", "--lr", text, "--epochs", "0", "--data-share", "0.01", "--quiet", "--out",
            path).Code);
        Assert.Equal(noted, JsonDocument.Parse(File.ReadAllText(Path.Combine(path,
            "settings.json"))).RootElement.GetProperty("lr").GetString());
    }

    [Theory]
    [InlineData("\"lr\": \"0,01\"", "'lr' must be a number")]
    [InlineData("\"lr\": 1e400", "lr: 1e400 is out of range")]
    [InlineData("\"epochs\": 1.5", "'epochs' must be a whole number")]
    [InlineData("\"epochs\": 99999999999", "epochs: 99999999999 is out of range; use at most 2147483647")]
    [InlineData("\"momentum\": -0.5", "momentum: -0.5 is out of range")]
    public void A_number_of_an_experiment_is_refused_where_it_stands(string setting, string message)
    {
        var file = Path.Combine(folder, "sweep.json");
        File.WriteAllText(file, $"{{ \"settings\": {{\n  {setting} }} }}");
        var error = ToolRun.Refused("experiment", "run", file, "--out", Path.Combine(folder, "out"));
        Assert.Contains($"{file}:2:", error, StringComparison.Ordinal);
        Assert.Contains(message, error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_number_of_a_run_that_is_to_go_on_is_refused()
    {
        File.WriteAllText(Path.Combine(folder, "settings.json"), """{ "dataset": "synth", "lr": "0,01" }""");
        Assert.Contains("lr: '0,01' has a comma; with a decimal point write 0.01",
            ToolRun.Of("train", "--resume", folder).Error, StringComparison.Ordinal);
        SafeTensors.Save(
            Path.Combine(folder, "best.safetensors"), new Dictionary<string, Tensor> { ["weight"] = Tensor.Ones(1) });
        Assert.Contains("lr of the settings.json beside it: '0,01' has a comma",
            ExploreError("""{ "dataset": "synth", "optimizer": "sgd", "loss-reduction": "mean", "lr": "0,01" }"""),
            StringComparison.Ordinal);

        string ExploreError(string settings)
        {
            File.WriteAllText(Path.Combine(folder, "settings.json"), settings);
            return ToolRun.Of("explore", "--checkpoint", folder).Error;
        }
    }
}
