using System.Globalization;
using System.Text.Json;
using Adjoint.Data;

namespace Adjoint.Experiments;

/// <summary>
/// Reads an experiment from a JSON file; <see cref="ExperimentSchema"/> says what may be in it. A wrong file is refused
/// with line, column, and the nearest valid name.
/// </summary>
public static class ExperimentReader
{
    internal static readonly string[] Keys =
        ["$schema", "name", "title", "settings", "factors", "search", "seeds", "measure", "claims"];

    internal static readonly string[] ClaimKeys =
        ["text", "measure", "higher", "lower", "than", "near", "value", "margin", "top", "alike"];

    private const int MaxTrials = 100_000, MaxBytes = 1 << 26, MaxDraws = 10_000, MaxSeeds = 1000;

    /// <summary>Reads a file.</summary>
    /// <param name="path">The file to read.</param>
    /// <param name="program">Knows the settings.</param>
    /// <returns>The experiment that the file describes.</returns>
    /// <exception cref="ExperimentFormatException">It is not an experiment.</exception>
    /// <exception cref="AdjointException">There is no such file.</exception>
    public static Experiment Read(string path, ITrialProgram program)
    {
        byte[] bytes;
        try
        {
            bytes = RegularFile.ReadAllBytes(path, MaxBytes);
        }
        catch (FileNotFoundException error)
        {
            throw new AdjointException($"{path}: no such file", error);
        }
        return Parse(path, bytes, program);
    }

    /// <summary>Reads the contents of a file.</summary>
    /// <param name="file">The name of the file, for messages.</param>
    /// <param name="bytes">The contents of the file.</param>
    /// <param name="program">Knows the settings.</param>
    /// <returns>The experiment that they describe.</returns>
    /// <exception cref="ExperimentFormatException">They are not an experiment.</exception>
    public static Experiment Parse(string file, byte[] bytes, ITrialProgram program)
    {
        var root = LocatedJson.Parse(file, bytes);
        root.Expect(JsonTokenType.StartObject, "the experiment");
        root.ExpectKeys(Keys);
        var name = root.Get("name") is { } given ? Name(given) : Path.GetFileNameWithoutExtension(file);
        var settings = root.Get("settings") is { } all ? Settings(all, program) : [];
        var search = root.Get("search");
        var draws = search is null ? null : Search(search);
        var factors = root.Get("factors") is { } varied ? Factors(varied, program, draws is not null) : [];
        var measure = root.Get("measure") is { } wanted ? MeasureOf(wanted) : Measure.Best;
        var title = root.Get("title") is { } heading ? heading.AsText("title") : name;
        var experiment = new Experiment(name, title, settings, factors, measure)
        {
            Seeds = root.Get("seeds") is { } seeds ? Seeds(seeds) : [1, 2, 3],
            Draws = draws?.Draws,
            DrawSeed = draws?.Seed ?? 1,
            Plots = [new(name, measure == Measure.Loss ? Quantity.ValidationLoss : Quantity.ValidationAccuracy, title)],
        };
        var combinations = factors.Aggregate(1.0, (count, factor) => count * Math.Max(1, factor.Levels.Count));
        if ((experiment.Draws ?? combinations) * experiment.Seeds.Count > MaxTrials)
            throw root.Refuse($"more than {MaxTrials} trials; vary less, or draw some with \"search\"");
        if (root.Get("claims") is { } claims) experiment = experiment with { Claims = Claims(claims, experiment) };
        Check(root, experiment, program);
        return experiment;
    }

    // Whether a setting takes a value is known only beside all others: the error is told where the value is written.
    private static void Check(LocatedJson root, Experiment experiment, ITrialProgram program)
    {
        foreach (var one in experiment.Cases())
            try
            {
                Trial.Of(program, one, experiment.Seeds[0]);
            }
            catch (SettingException error)
            {
                var place = PlaceOf(root, error.Setting, one.Settings.GetValueOrDefault(error.Setting));
                throw new ExperimentFormatException(place, $"{error.Setting}: {error.Problem}");
            }
    }

    private static string PlaceOf(LocatedJson root, string setting, string? value)
    {
        var places = new List<(LocatedJson Value, bool IsExact)>();
        Visit(root, false);
        return places.OrderByDescending(place => place.IsExact).Select(place => place.Value.Place)
            .FirstOrDefault(root.Place);

        void Visit(LocatedJson at, bool belongs)
        {
            if (belongs && at.Members.Count + at.Items.Count == 0) places.Add((at, at.Text == value));
            foreach (var (name, _, inner) in at.Members) Visit(inner, name == setting);
            foreach (var item in at.Items) Visit(item, belongs);
        }
    }

    private static Dictionary<string, string> Settings(LocatedJson value, ITrialProgram program)
    {
        value.Expect(JsonTokenType.StartObject, "'settings'");
        return value.Members.ToDictionary(one => one.Name,
            one => ValueOf(SettingOf(program, one.Name, one.Place), one.Value));
    }

    private static Setting SettingOf(ITrialProgram program, string name, string place)
    {
        if (name == "seed")
            throw new ExperimentFormatException(place,
                "'seed' is not a setting of an experiment; give \"seeds\" beside \"settings\"");
        var known = program.Settings;
        return known.FirstOrDefault(setting => setting.Name == name)
            ?? throw new ExperimentFormatException(place,
                $"unknown setting '{name}'{Suggestion.For(name, known.Select(setting => setting.Name))}");
    }

    private static string ValueOf(Setting setting, LocatedJson value)
    {
        var (fits, expected) = setting.Kind switch
        {
            SettingKind.Text => (value.Kind == JsonTokenType.String, "a text in quotes"),
            SettingKind.Flag => (value.Kind is JsonTokenType.True or JsonTokenType.False, "true or false"),
            SettingKind.Integer => (value.IsWhole(out _), "a whole number"),
            _ => (value.Kind == JsonTokenType.Number, "a number"),
        };
        return fits ? value.Text : throw value.Refuse($"'{setting.Name}'", expected);
    }

    private static List<Factor> Factors(LocatedJson value, ITrialProgram program, bool isDrawn)
    {
        value.Expect(JsonTokenType.StartObject, "'factors'");
        var result = new List<Factor>();
        foreach (var (name, place, inner) in value.Members)
            if (inner.Kind == JsonTokenType.StartObject)
            {
                if (!isDrawn)
                    throw inner.Refuse($"'{name}' is a range, and a grid needs values; list them, or give "
                        + "\"search\": { \"random\": 20 }");
                if (SettingOf(program, name, place).Kind != SettingKind.Number)
                    throw new ExperimentFormatException(place,
                        $"'{name}' takes no range, which is for numbers; list its values");
                result.Add(new(name, [], Range(inner)));
            }
            else
            {
                inner.Expect(JsonTokenType.StartArray, $"'{name}'");
                if (inner.Items.Count == 0) throw inner.Refuse($"'{name}' has no values");
                Level[] levels = [.. inner.Items.Select(item => LevelOf(name, place, item, program))];
                if (levels.DistinctBy(level => level.Label).Count() < levels.Length)
                    throw inner.Refuse($"'{name}' has two values of the same label");
                result.Add(new(name, levels));
            }
        return result;
    }

    // A value of the setting that the factor is named after, or an object: a label and settings that go together.
    private static Level LevelOf(string factor, string place, LocatedJson item, ITrialProgram program)
    {
        var settings = new Dictionary<string, string>();
        if (item.Kind != JsonTokenType.StartObject)
        {
            settings[factor] = ValueOf(SettingOf(program, factor, place), item);
            return new(item.Text, settings);
        }
        foreach (var (name, at, value) in item.Members)
            if (name != "label") settings[name] = ValueOf(SettingOf(program, name, at), value);
        var label = item.Get("label")?.AsText("label") ?? string.Join(" ", settings.Values);
        return new(label, settings);
    }

    private static ValueRange Range(LocatedJson value)
    {
        value.ExpectKeys(["from", "to", "scale"]);
        var (from, to) = (value.Require("from").AsNumber("from"), value.Require("to").AsNumber("to"));
        var isLogarithmic = value.Get("scale") is { } scale && scale.AsText("scale") switch
        {
            "log" => true,
            "linear" => false,
            var found => throw scale.Refuse($"'scale' must be \"linear\" or \"log\": found '{found}'"),
        };
        if (!(from < to) || isLogarithmic && from <= 0)
            throw value.Refuse(
                $"a range goes from less to more{(isLogarithmic ? ", above 0 on a logarithmic scale" : "")}");
        return new(from, to, isLogarithmic);
    }

    private static (int Draws, ulong Seed)? Search(LocatedJson value)
    {
        if (value.Kind == JsonTokenType.String && value.Text == "grid") return null;
        if (value.Kind != JsonTokenType.StartObject)
            throw value.Refuse("'search'", "\"grid\" or { \"random\": 20 }");
        value.ExpectKeys(["random", "seed"]);
        var draws = (int)value.Require("random").AsWhole("random", 1, MaxDraws);
        return (draws, value.Get("seed") is { } seed ? (ulong)seed.AsWhole("seed", 0, long.MaxValue) : 1);
    }

    private static IReadOnlyList<ulong> Seeds(LocatedJson value)
    {
        if (value.Kind != JsonTokenType.StartArray)
        {
            var count = (int)value.AsWhole("seeds", 1, MaxSeeds);
            return [.. Enumerable.Range(1, count).Select(seed => (ulong)seed)];
        }
        ulong[] seeds = [.. value.Items.Select(item => (ulong)item.AsWhole("seeds", 0, long.MaxValue))];
        return seeds.Length > 0 && seeds.Distinct().Count() == seeds.Length
            ? seeds : throw value.Refuse("'seeds' must be different numbers, at least one");
    }

    private static Measure MeasureOf(LocatedJson value)
    {
        var name = value.AsText("measure");
        string[] names = [.. Measure.All.Select(measure => measure.Name)];
        return Measure.All.FirstOrDefault(measure => measure.Name == name) ?? throw value.Refuse(
            $"'measure': '{name}' is none of {string.Join(", ", names)}{Suggestion.For(name, names)}");
    }

    private static Claim[] Claims(LocatedJson value, Experiment experiment)
    {
        value.Expect(JsonTokenType.StartArray, "'claims'");
        var labels = experiment.Cases().Select(one => one.Label).ToHashSet();
        return [.. value.Items.Select(ClaimOf)];

        Claim ClaimOf(LocatedJson item)
        {
            item.Expect(JsonTokenType.StartObject, "a claim");
            item.ExpectKeys(ClaimKeys);
            var measure = item.Get("measure") is { } own ? MeasureOf(own) : experiment.Measure;
            var rule = RuleOf(item, measure);
            return new(item.Require("text").AsText("text"), rule);
        }

        Rule RuleOf(LocatedJson item, Measure measure)
        {
            if (item.Get("higher") is { } higher)
                return new Higher(measure, Label(higher), Label(item.Require("than")));
            if (item.Get("lower") is { } lower)
                return new Lower(measure, Label(lower), Label(item.Require("than")));
            if (item.Get("near") is { } near)
                return new Near(measure, Label(near), item.Require("value").AsNumber("value"),
                    item.Get("margin")?.AsNumber("margin") ?? 0);
            if (item.Get("top") is { } top) return new Top(measure, Label(top));
            if (item.Get("alike") is { Kind: JsonTokenType.True })
                return new Alike(measure, item.Require("margin").AsNumber("margin"));
            throw item.Refuse("a claim needs one of \"higher\" with \"than\", \"lower\" with \"than\", \"near\" with "
                + "\"value\", \"top\", \"alike\": true with \"margin\"");
        }

        string Label(LocatedJson found) => labels.Contains(found.AsText("case"))
            ? found.Text
            : throw found.Refuse($"no case is called '{found.Text}'{Suggestion.For(found.Text, labels)}; the cases are "
                + string.Join("; ", labels.Take(10)));
    }

    private static string Name(LocatedJson value)
    {
        var name = value.AsText("name");
        if (!name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_'))
            throw value.Refuse($"'name' names files: letters, digits, - and _ only: found '{name}'");
        return FileName.Problem(name) is { } problem
            ? throw value.Refuse($"'name' names files: '{name}': {problem}; choose another") : name;
    }
}
