using Adjoint.Cli;

namespace Adjoint.SystemTests.Cli;

/// <summary>The help says what there is, by subject, with examples that work.</summary>
public sealed class HelpTests
{
    public static TheoryData<string> Commands()
    {
        var rows = new TheoryData<string>();
        Visit(Tool.Commands(TextWriter.Null, TextWriter.Null), "");
        return rows;

        void Visit(System.CommandLine.Command command, string path)
        {
            rows.Add(path);
            foreach (var below in command.Subcommands) Visit(below, $"{path} {below.Name}".Trim());
        }
    }

    [Theory, MemberData(nameof(Commands))]
    public void Help_lists_every_option_with_a_description_and_no_name_of_a_type(string path)
    {
        var words = path.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var (code, output, error) = ToolRun.Of([.. words, "--help"]);
        Assert.Equal((0, ""), (code, error));
        Assert.Equal((0, output, ""), ToolRun.Of(["help", .. words]));
        Assert.DoesNotContain("System.", output, StringComparison.Ordinal);
        Assert.All(output.Split('\n'), line => Assert.True(line.Length <= 100, line));
        var command = Tool.Commands(TextWriter.Null, TextWriter.Null);
        foreach (var word in words) command = command.Subcommands.Single(below => below.Name == word);
        foreach (var option in command.Options)
        {
            Assert.Contains(option.Name, output, StringComparison.Ordinal);
            Assert.False(string.IsNullOrEmpty(option.Description), option.Name);
        }
        foreach (var below in command.Subcommands) Assert.Contains($"\n  {below.Name}", output,
            StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Commands))]
    public void Help_fits_terminals_of_few_columns(string path)
    {
        var command = Tool.Commands(TextWriter.Null, TextWriter.Null);
        foreach (var word in path.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            command = command.Subcommands.Single(below => below.Name == word);
        // Examples can be typed as they stand, so they are not wrapped; those of 80 columns fit.
        string[] examples = [.. ((command as GuidedCommand)?.Examples ?? []).Select(example => example.Line)];
        foreach (var width in (int[])[30, 49, 79])
        {
            using var help = new StringWriter();
            HelpPage.Write(command, help, width);
            var lines = help.ToString().Split('\n').Where(line => width == 79 || !examples.Contains(line.Trim()));
            foreach (var line in lines)
                Assert.True(line.Length <= width || line.StartsWith("Usage: ", StringComparison.Ordinal), line);
            foreach (var option in command.Options.OfType<ISettingOption>())
                if (option.Setting.DefaultText is { } text)
                    Assert.Contains($"[default: {text}]", string.Join(' ', help.ToString().Split((char[])[' ', '\n'],
                        StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
        }
    }

    [Theory, InlineData(""), InlineData("train"), InlineData("explore"), InlineData("paper"), InlineData("ops"),
        InlineData("data"), InlineData("experiment"), InlineData("runs"), InlineData("compare"),
        InlineData("watch"), InlineData("sample"), InlineData("inspect"),
        InlineData("convert")]
    public void Help_has_examples_that_the_tool_takes(string path)
    {
        var command = Tool.Commands(TextWriter.Null, TextWriter.Null);
        foreach (var word in path.Split(' ',
            StringSplitOptions.RemoveEmptyEntries)) command = command.Subcommands.Single(below => below.Name == word);
        var examples = ((GuidedCommand)command).Examples;
        Assert.NotEmpty(examples);
        foreach (var (line, what) in examples)
        {
            Assert.Contains(line, ToolRun.Of([.. path.Split(' ', StringSplitOptions.RemoveEmptyEntries),
                "--help"]).Output, StringComparison.Ordinal);
            Assert.NotEmpty(what);
            Assert.Empty(Tool.Commands(TextWriter.Null, TextWriter.Null).Parse(line.Split(' ')[1..]).Errors);
        }
    }

    [Fact]
    public void Options_of_train_come_by_subject()
    {
        var help = ToolRun.Of("train", "--help").Output;
        var places = ((string[])["Usage:", "Examples:", "Data:", "--dataset", "Network:", "--model", "Training:",
            "--lr", "Run:", "--out", "Result:", "--open", "General:"]).Select(text =>
            help.IndexOf(text, help.IndexOf("Usage:", StringComparison.Ordinal), StringComparison.Ordinal)).ToArray();
        Assert.DoesNotContain(-1, places);
        Assert.True(help.IndexOf("\nData:", StringComparison.Ordinal) < help.IndexOf("\nNetwork:",
            StringComparison.Ordinal));
        Assert.True(help.IndexOf("\nNetwork:", StringComparison.Ordinal) < help.IndexOf("\nTraining:",
            StringComparison.Ordinal));
    }
}
