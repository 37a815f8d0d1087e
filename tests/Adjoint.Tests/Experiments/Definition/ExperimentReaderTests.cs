using System.Text;
using System.Text.Json;
using Adjoint.Cli;
using Adjoint.Experiments;

namespace Adjoint.Tests.Experiments;

public class ExperimentReaderTests
{
    private static readonly TrainProgram Program = new(null, TimeSpan.FromMinutes(1));

    [Theory]
    [InlineData("{\n  \"factor\": {}\n}", "x.json:2:3: unknown key 'factor'; did you mean 'factors'?")]
    [InlineData("{\n  \"settings\": { \"epoch\": 3 }\n}",
        "x.json:2:17: unknown setting 'epoch'; did you mean 'epochs'?")]
    [InlineData("{ \"settings\": { \"epochs\": \"three\" } }",
        "x.json:1:27: 'epochs' must be a whole number: found \"three\"")]
    [InlineData("{ \"settings\": { \"epochs\": 2.5 } }", "x.json:1:27: 'epochs' must be a whole number: found 2.5")]
    [InlineData("{ \"settings\": { \"nesterov\": 1 } }", "'nesterov' must be true or false: found 1")]
    [InlineData("{ \"settings\": { \"epochs\": 99999999999 } }", "x.json:1:27: epochs: ")]
    [InlineData("{\n\"settings\": { \"lr\": -1 },\n\"factors\": { \"batch-size\": [1, 2] }\n}",
        "x.json:2:21: lr: -1 is out of range; use above 0")]
    [InlineData("{ \"factors\": { \"activation\": [\"relu\",\n \"rleu\"] } }",
        "x.json:2:2: activation: 'rleu' is none of sigmoid, relu, tanh, gelu; did you mean 'relu'?")]
    [InlineData("{ \"factors\": { \"lr\": { \"from\": 0.1, \"to\": 1 } } }",
        "x.json:1:22: 'lr' is a range, and a grid needs values")]
    [InlineData("""{ "search": { "random": 3 }, "factors": { "lr": { "from": 0, "to": 1, "scale": "log" } } }""",
        "above 0 on a logarithmic scale")]
    [InlineData("{ \"factors\": { \"lr\": [] } }", "x.json:1:22: 'lr' has no values")]
    [InlineData("{ \"seeds\": 0 }", "x.json:1:12: 'seeds' must be a whole number from 1 to 1000: found 0")]
    [InlineData("{ \"seeds\": [1, 1] }", "'seeds' must be different numbers")]
    [InlineData("{ \"settings\": { \"seed\": 4 } }", "'seed' is not a setting of an experiment; give \"seeds\"")]
    [InlineData("{ \"measure\": \"final-acuracy\" }", "did you mean 'final-accuracy'?")]
    [InlineData("{ \"name\": \"../up\" }", "'name' names files")]
    [InlineData("{ \"name\": \"Con\" }",
        "x.json:1:11: 'name' names files: 'Con': it is the name of a device on Windows; choose another")]
    [InlineData(
        """{ "factors": { "activation": ["relu"] }, "claims": [{ "text": "t", "higher": "rely", "than": "relu" }] }""",
        "no case is called 'rely'; did you mean 'relu'?")]
    [InlineData("{ \"claims\": [{ \"text\": \"t\" }] }", "a claim needs one of")]
    [InlineData("[1]", "x.json:1:1: the experiment must be an object: found an array")]
    [InlineData("{\n  \"name\": ,\n}", "x.json:2:11: ")]
    [InlineData("{ \"name\": \"a\", \"name\": \"b\" }", "x.json:1:16: 'name' is there twice")]
    [InlineData("", "x.json:1:1: ")]
    [InlineData("{} {}", "x.json:1:4: ")]
    public void A_wrong_file_is_refused_with_its_place(string text, string message)
    {
        var error = Assert.Throws<ExperimentFormatException>(() => Parse(text));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.StartsWith("x.json:", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Theory]
    [InlineData("""{ "name": "\ud800" }""", "x.json:1:11: a text that is no valid Unicode")]
    [InlineData("""{ "\udc00\ud800": 1 }""", "x.json:1:3: a text that is no valid Unicode")]
    [InlineData("{ \"title\": \"\u00d3\" }", "x.json:1:12: a text that is no valid Unicode")]
    [InlineData("{ \"\u00ff\": 1 }", "x.json:1:3: a text that is no valid Unicode")]
    public void Text_that_is_no_Unicode_is_refused_with_its_place(string text, string message)
    {
        // Latin-1: a letter beyond ASCII is one byte, which no UTF-8 has alone.
        var bytes = Encoding.Latin1.GetBytes(text);
        var error = Assert.Throws<ExperimentFormatException>(() => ExperimentReader.Parse("x.json", bytes, Program));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    // Megabytes in one line, and as many names in one object: where each is looked at anew for every other, this does
    // not
    // end while a test waits.
    [Fact]
    public void Long_files_are_read_in_one_pass()
    {
        var seeds = string.Join(',', Enumerable.Range(1, 500_000));
        Assert.Contains("more than 100000 trials", Refused($"{{ \"seeds\": [{seeds}] }}"), StringComparison.Ordinal);
        var names = string.Join(',', Enumerable.Range(1, 200_000).Select(number => $"\"k{number}\": 1"));
        Assert.StartsWith("x.json:1:3: unknown key 'k1'", Refused($"{{ {names} }}"), StringComparison.Ordinal);
        var word = new string('k', 2_000_000);
        var unknown = Refused($"{{ \"{word}\": 1 }}");
        Assert.StartsWith("x.json:1:3: unknown key 'kkk", unknown, StringComparison.Ordinal);
        Assert.EndsWith("seeds, measure, claims", unknown, StringComparison.Ordinal);
        Assert.InRange(unknown.Length, 100, 1000);
        var claims = string.Join(',', Enumerable.Repeat("{ \"text\": \"t\", \"top\": \"3\" }", 20_000));
        var cases = string.Join(',', Enumerable.Range(1, 2_000));
        var sweep = Parse($"{{ \"factors\": {{ \"epochs\": [{cases}] }}, \"seeds\": 1, \"claims\": [{claims}] }}");
        Assert.Equal((2_000, 20_000), (sweep.Cases().Count, sweep.Claims.Count));

        static string Refused(string text) => Assert.Throws<ExperimentFormatException>(() => Parse(text)).Message;
    }

    [Fact]
    public void Lines_and_columns_are_right_wherever_a_value_stands()
    {
        var error = Assert.Throws<ExperimentFormatException>(() =>
            Parse("{\n\n  \"title\": \"ä\", \"settings\": {\r\n\t\"hidden\": \"8\",\n \"öl\": 1, \"x\": 2 } }"));
        Assert.StartsWith("x.json:5:2: unknown setting 'öl'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Columns_count_characters_not_bytes() =>
        Assert.Contains("x.json:1:19: unknown key 'b'",
            Assert.Throws<ExperimentFormatException>(() => Parse("{ \"title\": \"äöü\", \"b\": 1 }")).Message,
            StringComparison.Ordinal);

    [Fact]
    public void A_grid_has_all_combinations_and_levels_may_set_several_things()
    {
        var experiment = Parse("""
            {
              // Comments and a comma too many are no trouble.
              "settings": { "dataset": "synth", "epochs": 1 },
              "factors": { "how": [{ "label": "plain", "optimizer": "sgd" }, { "optimizer": "sgd", "momentum": 0.9 }],
                           "batch-size": [32, 64, 128], },
              "seeds": [3, 5],
            }
            """);
        var cases = experiment.Cases();
        Assert.Equal(["plain, 32", "plain, 64", "plain, 128", "sgd 0.9, 32", "sgd 0.9, 64", "sgd 0.9, 128"],
            cases.Select(one => one.Label));
        Assert.Equal("0.9", cases[3].Settings["momentum"]);
        Assert.Equal(12, ExperimentRunner.TrialsOf(Program, [experiment]).Count);
        Assert.Equal(12, ExperimentRunner.TrialsOf(Program, [experiment, experiment with { Name = "again" }]).Count);
    }

    [Fact]
    public void Random_search_draws_the_same_each_time_within_its_ranges()
    {
        const string text =
            """
            {
              "search": { "random": 40, "seed": 7 },
              "factors": { "lr": { "from": 0.0001, "to": 1, "scale": "log" }, "activation": ["relu", "tanh"] }
            }
            """;
        var cases = Parse(text).Cases();
        Assert.Equal(cases.Select(one => one.Label), Parse(text).Cases().Select(one => one.Label));
        var rates = cases.Select(
            one => double.Parse(one.Settings["lr"], System.Globalization.CultureInfo.InvariantCulture)).ToArray();
        Assert.Equal((40, 40), (rates.Length, rates.Distinct().Count()));
        Assert.All(rates, rate => Assert.InRange(rate, 0.0001, 1));
        // Half of the orders of magnitude lie below 0.01: 20 of 40, give or take three deviations of a fair coin.
        Assert.InRange(rates.Count(rate => rate < 0.01), 10, 30);
        Assert.NotEqual(cases.Select(one => one.Label), Parse(text.Replace("7", "8", StringComparison.Ordinal)).Cases()
            .Select(one => one.Label));
    }

    [Fact]
    public void The_same_settings_are_the_same_trial_however_they_are_said()
    {
        string Key(string settings) =>
            ExperimentRunner.TrialsOf(Program, [Parse($$"""{ "settings": { {{settings}} }, "seeds": 1 }""")])[0].Key;
        Assert.Equal(Key("\"dataset\": \"synth\""), Key("\"dataset\": \"synth\", \"lr\": 1.0"));
        Assert.Equal(Key("\"lr\": 0.10"), Key("\"lr\": 1e-1"));
        Assert.NotEqual(Key("\"lr\": 0.1"), Key("\"lr\": 0.2"));
    }

    [Fact]
    public void The_schema_names_every_key_and_setting()
    {
        var schema = JsonDocument.Parse(ExperimentSchema.For(Program)).RootElement;
        Assert.Equal(["$schema", "name", "title", "settings", "factors", "search", "seeds", "measure", "claims"],
            schema.GetProperty("properties").EnumerateObject().Select(property => property.Name));
        var settings = schema.GetProperty("$defs").GetProperty("settings").GetProperty("properties");
        Assert.Equal(Program.Settings.Select(setting => setting.Name),
            settings.EnumerateObject().Select(property => property.Name));
    }

    [Fact]
    public void The_sample_is_sound_and_the_schema_beside_it_is_up_to_date()
    {
        var root = LayeringTests.Root();
        var sample = ExperimentReader.Read(Path.Combine(root, "samples", "sweep.json"), Program);
        Assert.Equal(20, ExperimentRunner.TrialsOf(Program, [sample]).Count);
        Assert.Equal(ExperimentSchema.For(Program),
            File.ReadAllText(Path.Combine(root, "docs", "experiment.schema.json")));
    }

    [Fact]
    public void The_course_report_has_its_eight_figures_and_only_settings_that_exist()
    {
        Assert.Equal(["1", "1b", "2", "2b", "3", "3b", "4", "4b", "5", "5b", "6", "7", "8", "text"],
            CourseReport.Experiments.SelectMany(one => one.Plots.Select(plot => plot.Number)));
        foreach (var experiment in CourseReport.Experiments)
        {
            Assert.NotEmpty(ExperimentRunner.TrialsOf(Program, [experiment]));
            // Claims name cases that exist: judging them without trials finds nothing, and does not throw.
            Assert.All(ExperimentOutcome.Of(experiment, new CaseRuns(experiment.Cases())).Findings,
                finding => Assert.Equal(Verdict.Undecided, finding.Verdict));
        }
        // The text's trial is one of figure 5 too, and so on: each runs once.
        var trials =
            ExperimentRunner.TrialsOf(Program, [.. CourseReport.Experiments.Select(one => one with { Seeds = [1] })]);
        Assert.Equal(34, trials.Count);
        Assert.Contains(trials, trial => trial.Title == "1: sigmoid; 2: 4×; 3: 1 layer");
        Assert.Equal(["sigmoid", "ReLU"],
            ExperimentRunner.TrialsOf(Program, [CourseReport.Experiments[0] with { Seeds = [1] }])
                .Select(trial => trial.Title));
    }

    private static Experiment Parse(string text) =>
        ExperimentReader.Parse("x.json", Encoding.UTF8.GetBytes(text), Program);
}
