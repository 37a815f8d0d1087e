using System.Globalization;
using System.Text.Json;
using Adjoint.Data;

namespace Adjoint.Experiments;

/// <summary>Reads an experiment from a JSON file; see <see cref="ExperimentSchema"/> for what may stand in it. A wrong file is refused with line, column, and the nearest valid name.</summary>
public static class ExperimentReader
{
    internal static readonly string[] Keys = ["$schema", "name", "title", "settings", "factors", "search", "seeds", "measure", "claims"];
    internal static readonly string[] ClaimKeys = ["text", "measure", "higher", "lower", "than", "near", "value", "margin", "top", "alike"];
    private const int MostTrials = 100_000, MostBytes = 1 << 26;

    /// <summary>Reads a file.</summary>
    /// <exception cref="ExperimentFormatException">It is not an experiment.</exception>
    public static Experiment Read(string path, ITrialProgram program)
    {
        byte[] bytes;
        try
        {
            bytes = RegularFile.ReadAllBytes(path, MostBytes);
        }
        catch (FileNotFoundException error)
        {
            throw new AdjointException($"{path}: no such file", error);
        }
        return Parse(path, bytes, program);
    }

    /// <summary>Reads a file's contents.</summary>
    /// <exception cref="ExperimentFormatException">They are not an experiment.</exception>
    public static Experiment Parse(string file, byte[] bytes, ITrialProgram program)
    {
        var root = LocatedJson.Parse(file, bytes);
        Expect(root, JsonTokenType.StartObject, "the experiment");
        Known(root, Keys);
        var name = Get(root, "name") is { } given ? Name(given) : Path.GetFileNameWithoutExtension(file);
        var settings = Get(root, "settings") is { } all ? Settings(all, program) : [];
        var search = Get(root, "search");
        var draws = search is null ? null : Search(search);
        var factors = Get(root, "factors") is { } varied ? Factors(varied, program, draws is not null) : [];
        var measure = Get(root, "measure") is { } wanted ? MeasureOf(wanted) : Measure.Best;
        var title = Get(root, "title") is { } heading ? Text(heading, "title") : name;
        var experiment = new Experiment(name, title, settings, factors, measure)
        {
            Seeds = Get(root, "seeds") is { } seeds ? Seeds(seeds) : [1, 2, 3],
            Draws = draws?.Draws,
            DrawSeed = draws?.Seed ?? 1,
            Plots = [new(name, measure == Measure.Loss ? Quantity.ValidationLoss : Quantity.ValidationAccuracy, title)],
        };
        var combinations = factors.Aggregate(1.0, (count, factor) => count * Math.Max(1, factor.Levels.Count));
        if ((experiment.Draws ?? combinations) * experiment.Seeds.Count > MostTrials)
            throw new ExperimentFormatException(root.Place, $"more than {MostTrials} trials; vary less, or draw some with \"search\"");
        if (Get(root, "claims") is { } claims) experiment = experiment with { Claims = Claims(claims, experiment) };
        Check(root, experiment, program);
        return experiment;
    }

    // A value that its setting does not take is found here, with all others in place; its line is that of where it stands.
    private static void Check(LocatedJson root, Experiment experiment, ITrialProgram program)
    {
        foreach (var one in experiment.Cases())
            try
            {
                Trial.Of(program, one, experiment.Seeds[0]);
            }
            catch (SettingException error)
            {
                throw new ExperimentFormatException(PlaceOf(root, error.Setting, one.Settings.GetValueOrDefault(error.Setting)), $"{error.Setting}: {error.Problem}");
            }
    }

    private static string PlaceOf(LocatedJson root, string setting, string? value)
    {
        var places = new List<(LocatedJson Value, bool Exact)>();
        Visit(root, false);
        return places.OrderByDescending(place => place.Exact).Select(place => place.Value.Place).FirstOrDefault(root.Place);

        void Visit(LocatedJson at, bool belongs)
        {
            if (belongs && at.Members.Count + at.Items.Count == 0) places.Add((at, at.Text == value));
            foreach (var (name, _, inner) in at.Members) Visit(inner, name == setting);
            foreach (var item in at.Items) Visit(item, belongs);
        }
    }

    private static Dictionary<string, string> Settings(LocatedJson value, ITrialProgram program)
    {
        Expect(value, JsonTokenType.StartObject, "'settings'");
        var result = new Dictionary<string, string>();
        foreach (var (name, place, inner) in value.Members) result[name] = ValueOf(SettingOf(program, name, place), inner);
        return result;
    }

    private static Setting SettingOf(ITrialProgram program, string name, string place)
    {
        if (name == "seed") throw new ExperimentFormatException(place, "'seed' is not a setting of an experiment; give \"seeds\" beside \"settings\"");
        return program.Settings.FirstOrDefault(setting => setting.Name == name)
            ?? throw new ExperimentFormatException(place, $"unknown setting '{name}'{Suggestion.For(name, program.Settings.Select(setting => setting.Name))}");
    }

    private static string ValueOf(Setting setting, LocatedJson value)
    {
        var fits = setting.Kind switch
        {
            SettingKind.Text => value.Kind == JsonTokenType.String,
            SettingKind.Flag => value.Kind is JsonTokenType.True or JsonTokenType.False,
            SettingKind.Integer => value.Kind == JsonTokenType.Number && long.TryParse(value.Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _),
            _ => value.Kind == JsonTokenType.Number,
        };
        return fits ? value.Text : throw Wrong(value, $"'{setting.Name}'", setting.Kind switch { SettingKind.Text => "a text in quotes", SettingKind.Flag => "true or false", SettingKind.Integer => "a whole number", _ => "a number" });
    }

    private static List<Factor> Factors(LocatedJson value, ITrialProgram program, bool isDrawn)
    {
        Expect(value, JsonTokenType.StartObject, "'factors'");
        var result = new List<Factor>();
        foreach (var (name, place, inner) in value.Members)
            if (inner.Kind == JsonTokenType.StartObject)
            {
                if (!isDrawn) throw new ExperimentFormatException(inner.Place, $"'{name}' is a range, and a grid needs values; list them, or give \"search\": {{ \"random\": 20 }}");
                if (SettingOf(program, name, place).Kind != SettingKind.Number) throw new ExperimentFormatException(place, $"'{name}' takes no range, which is for numbers; list its values");
                result.Add(new(name, [], Range(inner)));
            }
            else
            {
                Expect(inner, JsonTokenType.StartArray, $"'{name}'");
                if (inner.Items.Count == 0) throw new ExperimentFormatException(inner.Place, $"'{name}' has no values");
                result.Add(new(name, [.. inner.Items.Select(item => LevelOf(name, place, item, program))]));
                if (result[^1].Levels.Select(level => level.Label).Distinct().Count() < inner.Items.Count) throw new ExperimentFormatException(inner.Place, $"'{name}' has two values of the same label");
            }
        return result;
    }

    // A value of the setting that the factor is named after, or an object: a label and settings that go together.
    private static Level LevelOf(string factor, string place, LocatedJson item, ITrialProgram program)
    {
        if (item.Kind != JsonTokenType.StartObject) return new(item.Text, new Dictionary<string, string> { [factor] = ValueOf(SettingOf(program, factor, place), item) });
        var settings = item.Members.Where(member => member.Name != "label").ToDictionary(member => member.Name, member => ValueOf(SettingOf(program, member.Name, member.Place), member.Value));
        return new(Get(item, "label") is { } label ? Text(label, "label") : string.Join(" ", settings.Values), settings);
    }

    private static ValueRange Range(LocatedJson value)
    {
        Known(value, ["from", "to", "scale"]);
        var (from, to) = (Number(Require(value, "from"), "from"), Number(Require(value, "to"), "to"));
        var scale = Get(value, "scale") is { } given ? Text(given, "scale") : "linear";
        if (scale is not ("linear" or "log")) throw new ExperimentFormatException(Get(value, "scale")!.Place, $"'scale' must be \"linear\" or \"log\": found '{scale}'");
        if (!(from < to) || scale == "log" && from <= 0) throw new ExperimentFormatException(value.Place, $"a range goes from less to more{(scale == "log" ? ", above 0 on a logarithmic scale" : "")}");
        return new(from, to, scale == "log");
    }

    private static (int Draws, ulong Seed)? Search(LocatedJson value)
    {
        if (value.Kind == JsonTokenType.String && value.Text == "grid") return null;
        if (value.Kind != JsonTokenType.StartObject) throw Wrong(value, "'search'", "\"grid\" or { \"random\": 20 }");
        Known(value, ["random", "seed"]);
        return ((int)Whole(Require(value, "random"), "random", 1, 10_000), Get(value, "seed") is { } seed ? (ulong)Whole(seed, "seed", 0, long.MaxValue) : 1);
    }

    private static IReadOnlyList<ulong> Seeds(LocatedJson value)
    {
        if (value.Kind != JsonTokenType.StartArray) return [.. Enumerable.Range(1, (int)Whole(value, "seeds", 1, 1000)).Select(seed => (ulong)seed)];
        ulong[] seeds = [.. value.Items.Select(item => (ulong)Whole(item, "seeds", 0, long.MaxValue))];
        return seeds.Length > 0 && seeds.Distinct().Count() == seeds.Length ? seeds : throw new ExperimentFormatException(value.Place, "'seeds' must be different numbers, at least one");
    }

    private static Measure MeasureOf(LocatedJson value)
    {
        var name = Text(value, "measure");
        return Measure.All.FirstOrDefault(measure => measure.Name == name)
            ?? throw new ExperimentFormatException(value.Place, $"'measure': '{name}' is none of {string.Join(", ", Measure.All.Select(measure => measure.Name))}{Suggestion.For(name, Measure.All.Select(measure => measure.Name))}");
    }

    private static Claim[] Claims(LocatedJson value, Experiment experiment)
    {
        Expect(value, JsonTokenType.StartArray, "'claims'");
        var labels = experiment.Cases().Select(one => one.Label).ToHashSet();
        return [.. value.Items.Select(item =>
        {
            Expect(item, JsonTokenType.StartObject, "a claim");
            Known(item, ClaimKeys);
            var measure = Get(item, "measure") is { } own ? MeasureOf(own) : experiment.Measure;
            Rule rule = Get(item, "higher") is { } higher ? new Higher(measure, Label(higher), Label(Require(item, "than")))
                : Get(item, "lower") is { } lower ? new Lower(measure, Label(lower), Label(Require(item, "than")))
                : Get(item, "near") is { } near ? new Near(measure, Label(near), Number(Require(item, "value"), "value"), Get(item, "margin") is { } wide ? Number(wide, "margin") : 0)
                : Get(item, "top") is { } top ? new Top(measure, Label(top))
                : Get(item, "alike") is { Kind: JsonTokenType.True } ? new Alike(measure, Number(Require(item, "margin"), "margin"))
                : throw new ExperimentFormatException(item.Place, "a claim needs one of \"higher\" with \"than\", \"lower\" with \"than\", \"near\" with \"value\", \"top\", \"alike\": true with \"margin\"");
            return new Claim(Text(Require(item, "text"), "text"), rule);
        })];

        string Label(LocatedJson found) => labels.Contains(Text(found, "case"))
            ? found.Text
            : throw new ExperimentFormatException(found.Place, $"no case is called '{found.Text}'{Suggestion.For(found.Text, labels)}; the cases are {string.Join("; ", labels.Take(10))}");
    }

    private static string Name(LocatedJson value)
    {
        var name = Text(value, "name");
        var isPlain = name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_');
        if (isPlain && FileName.Problem(name) is { } problem)
            throw new ExperimentFormatException(value.Place, $"'name' names files: '{name}': {problem}; choose another");
        return isPlain ? name
            : throw new ExperimentFormatException(value.Place, $"'name' names files: letters, digits, - and _ only: found '{name}'");
    }

    private static void Known(LocatedJson value, string[] keys)
    {
        foreach (var (name, place, _) in value.Members)
            if (!keys.Contains(name)) throw new ExperimentFormatException(place, $"unknown key '{name}'{Suggestion.For(name, keys)}; valid are {string.Join(", ", keys)}");
    }

    private static LocatedJson? Get(LocatedJson value, string name) => value.Members.FirstOrDefault(member => member.Name == name).Value;

    private static LocatedJson Require(LocatedJson value, string name) => Get(value, name) ?? throw new ExperimentFormatException(value.Place, $"'{name}' is missing");

    private static string Text(LocatedJson value, string name) => value.Kind == JsonTokenType.String ? value.Text : throw Wrong(value, $"'{name}'", "a text in quotes");

    private static double Number(LocatedJson value, string name) => value.Kind == JsonTokenType.Number && double.TryParse(value.Text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number)
        ? number
        : throw Wrong(value, $"'{name}'", "a number");

    private static long Whole(LocatedJson value, string name, long least, long most) =>
        value.Kind == JsonTokenType.Number && long.TryParse(value.Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most
            ? number
            : throw Wrong(value, $"'{name}'", $"a whole number from {least} to {most}");

    private static void Expect(LocatedJson value, JsonTokenType kind, string what)
    {
        if (value.Kind != kind) throw Wrong(value, what, kind == JsonTokenType.StartArray ? "an array" : "an object");
    }

    private static ExperimentFormatException Wrong(LocatedJson value, string what, string expected) =>
        new(value.Place, $"{what} must be {expected}: found {(value.Kind == JsonTokenType.String ? $"\"{value.Text}\"" : value.Text)}");
}
