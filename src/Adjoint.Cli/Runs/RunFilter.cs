using System.Globalization;
using System.Text.RegularExpressions;

namespace Adjoint.Cli;

/// <summary>Conditions on runs, all of which must hold: <c>model=mlp,accuracy>0.9</c>.</summary>
internal sealed partial class RunFilter
{
    private readonly List<(RunColumn Column, string Sign, string Text)> conditions = [];

    /// <summary>Reads conditions.</summary>
    /// <param name="text">Conditions with commas between them; a comma before anything else is part of a value.</param>
    /// <param name="runs">The runs that are listed, which know the names of metrics and settings.</param>
    /// <exception cref="UsageException">A condition is none, or names what no run has.</exception>
    internal RunFilter(string text, IReadOnlyList<ListedRun> runs)
    {
        foreach (var part in Between().Split(text))
        {
            var match = Condition().Match(part);
            if (!match.Success)
                throw new UsageException($"--filter: '{part}' is no condition; write a name, one of = != < <= > >= ~ "
                    + "and a value, such as model=mlp or accuracy>0.9");
            var (name, sign, value) = (match.Groups[1].Value, match.Groups[2].Value, match.Groups[3].Value);
            var column = RunColumn.Find(name, runs)
                ?? (runs.Count == 0 ? RunColumn.Run : throw RunColumn.Unknown("--filter", name, runs));
            if (sign[0] is '<' or '>' && column != RunColumn.When && Number(value) is null)
                throw new UsageException($"--filter: {part}: '{value}' is no number; {sign} compares numbers");
            conditions.Add((column, sign, value));
        }
    }

    /// <summary>Whether all conditions hold for a run. What a run lacks fulfills no condition but !=.</summary>
    internal bool Holds(ListedRun run) => conditions.All(one => Holds(one.Column.Value(run), one.Sign, one.Text));

    private static bool Holds(object? value, string sign, string text)
    {
        if (value is null) return sign == "!=";
        var own = Convert.ToString(value, CultureInfo.InvariantCulture)!;
        if (sign == "~") return own.Contains(text, StringComparison.OrdinalIgnoreCase);
        // Settings are texts, also those that are numbers; times are texts that sort as times do.
        var order = (value as double? ?? Number(own), Number(text)) is ({ } a, { } b) ? a.CompareTo(b)
            : string.Compare(own, text, StringComparison.OrdinalIgnoreCase);
        return sign switch
        {
            "=" => order == 0,
            "!=" => order != 0,
            "<" => order < 0,
            "<=" => order <= 0,
            ">" => order > 0,
            _ => order >= 0,
        };
    }

    private static double? Number(string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : null;

    [GeneratedRegex(@",(?=\s*[A-Za-z][\w-]*\s*(?:!=|<=|>=|=|<|>|~))")]
    private static partial Regex Between();

    [GeneratedRegex(@"^\s*([A-Za-z][\w-]*)\s*(!=|<=|>=|=|<|>|~)\s*(.*\S)\s*$")]
    private static partial Regex Condition();
}
