using System.Globalization;
using System.Reflection;
using System.Text.Json;
using Adjoint.Cli;
using Adjoint.Cli.Commands;
using Adjoint.Experiments;

namespace Adjoint.SystemTests.Cli;

/// <summary>
/// From a row of <see cref="TrainSettings"/> everything follows: this walks the rows and asks each for its help, its
/// place in the schema, the experiment file, <c>settings.json</c> and the report, and for its refusals.
/// </summary>
public sealed class TrainSettingsTests : IDisposable
{
    // In one of these every setting has an effect.
    private static readonly string[][] Backgrounds =
    [
        [], ["momentum", "0.9"], ["dataset", "mnist"], ["dataset", "cifar10", "model", "resnet20"],
        ["data", "houses.csv"], ["data", "houses.csv", "task", "regression"], ["data", "."], ["dataset", "brackets"],
        ["data", "book.txt"], ["weights", "resnet18.pt"],
    ];

    private static readonly TrainProgram Program = new(null, TimeSpan.Zero);
    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    public static TheoryData<string> Names() => [.. TrainSettings.Table.Rows.Select(row => row.Name)];

    [Fact]
    public void Every_row_is_in_the_table() => Assert.Equal(
        typeof(TrainSettings).GetFields(BindingFlags.Static | BindingFlags.NonPublic)
            .Select(field => field.GetValue(null)).OfType<Setting>().Select(row => row.Name).Order(),
        TrainSettings.Table.Rows.Select(row => row.Name).Order());

    [Theory, MemberData(nameof(Names))]
    public void A_row_is_in_the_help_with_its_heading_and_its_default(string name)
    {
        var row = TrainSettings.Table.Find(name);
        var help = Unwrapped(ToolRun.Of("train", "--help").Output);
        var value = row.Kind == SettingKind.Flag ? ""
            : row.Bare is null ? $" <{row.ValueName}>" : $" [<{row.ValueName}>]";
        var fallback = row.DefaultText is { } text ? $" [default: {text}]" : "";
        Assert.Contains($"--{name}{value} {row.Description}{fallback}", help, StringComparison.Ordinal);
        Assert.Contains($" {row.Group}: --", help, StringComparison.Ordinal);
        Assert.True(row.Description.EndsWith('.'), row.Description);
    }

    [Theory, MemberData(nameof(Names))]
    public void A_row_is_in_the_schema_and_in_experiments_where_the_result_depends_on_it(string name)
    {
        var row = TrainSettings.Table.Find(name);
        var schema = JsonDocument.Parse(ExperimentSchema.For(Program)).RootElement.GetProperty("$defs")
            .GetProperty("settings").GetProperty("properties");
        var (background, text) = Sample(row);
        var value = row.Kind == SettingKind.Text ? $"\"{text}\"" : text;
        var pairs = background.Chunk(2).Select(pair => Json(pair[0], pair[1])).Append($"\"{name}\": {value}");
        var file = $"{{ \"settings\": {{ {string.Join(", ", pairs)} }} }}";
        if (!row.AffectsResult || name == "seed")
        {
            Assert.False(schema.TryGetProperty(name, out _));
            Assert.Contains(name, Assert.Throws<ExperimentFormatException>(() => Parse(file)).Message,
                StringComparison.Ordinal);
            return;
        }
        var property = schema.GetProperty(name);
        Assert.StartsWith(row.Description, property.GetProperty("description").GetString(), StringComparison.Ordinal);
        if (row is { Choices.Count: > 0, IsList: false })
            Assert.Equal(row.Choices, property.GetProperty("enum").EnumerateArray().Select(one => one.GetString()!));
        foreach (var (bound, keyword) in Bounds(row))
            Assert.Equal(bound, property.GetProperty(keyword).GetDouble());
        Assert.Equal(row.HasConstantDefault, property.TryGetProperty("default", out _));
        Assert.Equal(text, Parse(file).Base[name]);
    }

    [Theory, MemberData(nameof(Names))]
    public void A_shell_completes_the_name_of_a_row_and_its_choices(string name)
    {
        Assert.Contains($"--{name}", CompletionCommand.Complete($"adjoint train --{name[..1]}"));
        var row = TrainSettings.Table.Find(name);
        if (row.Kind != SettingKind.Flag)
            Assert.Equal(row.Choices.Order(), CompletionCommand.Complete($"adjoint train --{name} ").Order());
    }

    [Theory, MemberData(nameof(Names))]
    public void A_row_is_written_to_settings_json_and_read_from_it(string name)
    {
        var (background, text) = Sample(TrainSettings.Table.Find(name));
        var settings = Read(background, name, text);
        RunFolder.WriteSettings(folder, settings);
        var written = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "settings.json"))).RootElement;
        Assert.Equal(text, written.GetProperty(name).GetString());
        Assert.Contains($"--{name} {text}", written.GetProperty("command").GetString(), StringComparison.Ordinal);
        var read = RunFolder.ReadSettings(folder, RunFolder.Noted(folder), []);
        if (name != "threads") Assert.Contains((name, text), read.Rows());
        Assert.Equal(settings.Identity(), read.Identity());
        Assert.Equal(TrainSettings.Table.Find(name).AffectsResult, settings.Identity().Contains((name, text)));
    }

    [Fact]
    public void The_report_states_the_rows_that_have_an_effect()
    {
        var run = Path.Combine(folder, "run");
        var given = new Dictionary<string, string>
        {
            ["momentum"] = "0.9",
            ["nesterov"] = "true",
            ["no-shuffle"] = "true",
            ["layers"] = "2",
            ["epochs"] = "0",
            ["data-share"] = "0.01",
        };
        Assert.Equal(0, ToolRun.Of(["train", .. given.Select(one => $"--{one.Key}={one.Value}"), "--quiet", "--out",
            run]).Code);
        var report = File.ReadAllText(Path.Combine(run, "report.html"));
        var rows = TrainSettings.Table.Read(given).Rows();
        Assert.Contains(("no-shuffle", "true"), rows);
        string[] idle = [.. TrainSettings.Table.Rows.Select(row => row.Name).Except(rows.Select(row => row.Name))];
        foreach (var name in (string[])["pixels", "augment", "tta", "data-dir"]) Assert.Contains(name, idle);
        foreach (var (name, value) in rows)
            Assert.Contains($"<td>{name}</td><td>{value}</td>", report, StringComparison.Ordinal);
        foreach (var name in idle) Assert.DoesNotContain($"<td>{name}</td>", report, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Names))]
    public void A_value_that_a_row_does_not_take_is_refused_with_what_it_takes(string name)
    {
        var row = TrainSettings.Table.Find(name);
        foreach (var (bound, keyword) in Bounds(row))
        {
            var step = row.Kind == SettingKind.Integer || bound > 1 ? 1 : 0.5;
            var outside = (keyword switch { "minimum" => bound - step, "maximum" => bound + step, _ => bound })
                .ToString(CultureInfo.InvariantCulture);
            var message = $"{outside} is out of range; use {row.Range}";
            Assert.Equal($"adjoint: --{name}: {message}", ToolRun.Refused("train", $"--{name}={outside}"));
            AssertRefusedInFiles(row, outside, outside, message);
        }
        if (row.Choices.Count > 0)
        {
            var wrong = row.Choices[^1] + "x";
            var listed = row.Choices.Count > 16 ? $"the {row.Choices.Count} that --help lists"
                : string.Join(", ", row.Choices);
            var message = $"'{wrong}' is none of {listed}; did you mean '{row.Choices[^1]}'?";
            Assert.Equal($"adjoint: --{name}: {message}", ToolRun.Refused("train", $"--{name}={wrong}"));
            AssertRefusedInFiles(row, wrong, $"\"{wrong}\"", message);
        }
        if (row.Kind == SettingKind.Flag)
        {
            Assert.Equal($"adjoint: --{name}: 'x' is neither true nor false; alone it means true",
                ToolRun.Refused("train", $"--{name}=x"));
            RunFolder.WriteSettings(folder, TrainSettings.Table.Read([]));
            AssertRefused($"{name}: 'x' is neither true nor false", () => ReadWith(name, "x"));
        }
        if (row.Kind is SettingKind.Number or SettingKind.Integer)
            Assert.StartsWith($"adjoint: --{name}: 'x' is no ", ToolRun.Refused("train", $"--{name}=x"),
                StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Names))]
    public void A_misspelled_name_is_refused_with_the_right_one(string name)
    {
        var wrong = name + "x";
        Assert.Equal($"adjoint: unknown option '--{wrong}'; did you mean '--{name}'?",
            ToolRun.Refused("train", $"--{wrong}=1"));
        RunFolder.WriteSettings(folder, TrainSettings.Table.Read([]));
        AssertRefused($"{wrong}: no such setting; did you mean '{name}'?", () => ReadWith(wrong, "1"));
        if (TrainSettings.Table.Find(name).AffectsResult && name != "seed")
            Assert.Contains($"x.json:1:17: unknown setting '{wrong}'; did you mean '{name}'?",
                Assert.Throws<ExperimentFormatException>(() =>
                    Parse($"{{ \"settings\": {{ \"{wrong}\": 1 }} }}")).Message,
                StringComparison.Ordinal);
    }

    // The keys of trials hash what Identity says: a setting that came later must not change it where it is not used.
    [Fact]
    public void Nothing_but_the_settings_of_version_0_1_is_part_of_a_trial_that_leaves_all_at_their_defaults() =>
        Assert.Equal(
            [
                "dataset", "model", "hidden", "layers", "activation", "batch-size", "epochs", "lr", "optimizer",
                "momentum", "weight-decay", "loss-reduction", "pixels", "nesterov", "label-smoothing", "schedule",
                "augment", "ema", "tta", "bias-lr-factor", "patience", "data-share", "seed",
            ],
            TrainSettings.Table.Read([]).Identity().Select(row => row.Name));

    // A value that is not the default, and others beside which it has an effect.
    private static (string[] Background, string Text) Sample(Setting row)
    {
        foreach (var background in Backgrounds)
            foreach (var text in (string[])[.. row.Choices.Reverse(), "true", "2", "0.5", "here",
                "group:here", "1", "64", "loss", "a=b"])
                try
                {
                    if (text != row.DefaultText && Read(background, row.Name, text).Rows().Contains((row.Name, text)))
                        return (background, text);
                }
                catch (SettingException)
                {
                    // Not this one.
                }
        throw new InvalidOperationException($"{row.Name}: has no effect in any background; add one");
    }

    private static SettingValues Read(string[] background, string name, string text)
    {
        var given = background.Chunk(2).ToDictionary(pair => pair[0], pair => pair[1]);
        given[name] = text;
        return TrainSettings.Table.Read(given);
    }

    private static IEnumerable<(double Bound, string Keyword)> Bounds(Setting row)
    {
        (double? Bound, string Keyword)[] bounds =
        [
            (row.Range?.AtLeast, "minimum"), (row.Range?.AtMost, "maximum"), (row.Range?.Above, "exclusiveMinimum"),
            (row.Range?.Below, "exclusiveMaximum"),
        ];
        return bounds.Where(one => one.Bound is not null).Select(one => (one.Bound!.Value, one.Keyword));
    }

    private void AssertRefusedInFiles(Setting row, string text, string json, string message)
    {
        RunFolder.WriteSettings(folder, TrainSettings.Table.Read([]));
        // The threads are those of the machine, whatever the file says.
        if (row.Name != "threads") AssertRefused($"{row.Name}: {message}", () => ReadWith(row.Name, text));
        if (row.AffectsResult)
            Assert.StartsWith($"x.json:1:{17 + row.Name.Length + 4}: {row.Name}: {message}",
                Assert.Throws<ExperimentFormatException>(() =>
                    Parse($"{{ \"settings\": {{ \"{row.Name}\": {json} }} }}")).Message,
                StringComparison.Ordinal);
    }

    private void ReadWith(string name, string text)
    {
        var path = Path.Combine(folder, "settings.json");
        var entries = JsonSerializer.Deserialize<Dictionary<string, string>>(File.ReadAllText(path))!;
        entries[name] = text;
        File.WriteAllText(path, JsonSerializer.Serialize(entries));
        RunFolder.ReadSettings(folder, RunFolder.Noted(folder), []);
    }

    private static void AssertRefused(string message, Action action) =>
        Assert.Contains(message, Assert.Throws<AdjointException>(action).Message, StringComparison.Ordinal);

    private static Experiment Parse(string json) =>
        ExperimentReader.Parse("x.json", System.Text.Encoding.UTF8.GetBytes(json), Program);

    private static string Json(string name, string text) =>
        $"\"{name}\": {(TrainSettings.Table.Find(name).Kind == SettingKind.Text ? $"\"{text}\"" : text)}";

    private static string Unwrapped(string help) =>
        string.Join(' ', help.Split((char[])[' ', '\n', '\r'], StringSplitOptions.RemoveEmptyEntries));
}
