namespace Adjoint.Experiments;

/// <summary>
/// The settings of a program, a row each, in the order of its help. Reads names and values into
/// <see cref="SettingValues"/> that are complete and checked.
/// </summary>
/// <param name="stated">
/// Names in the order in which files list them and trial keys hash them; these are stated at their defaults too, unless
/// <see cref="Setting.IsOmittedAtDefault"/>. Settings that are not named here follow, and only where they differ from
/// their defaults: so a new one changes no key of a trial.
/// </param>
public sealed class SettingTable(params IReadOnlyList<string> stated)
{
    private readonly List<Setting> rows = [];

    /// <summary>The settings in the order of the help.</summary>
    public IReadOnlyList<Setting> Rows => rows;

    /// <summary>The settings in the order of files.</summary>
    internal IEnumerable<Setting> InOrderOfFiles =>
        rows.OrderBy(row => PlaceOf(row) is >= 0 and var place ? place : stated.Count);

    /// <summary>Adds a setting to the table.</summary>
    /// <typeparam name="T">The kind of setting.</typeparam>
    /// <param name="row">The setting to add.</param>
    /// <returns>The setting that was added.</returns>
    /// <exception cref="ArgumentException">There is one of that name.</exception>
    public T Add<T>(T row) where T : Setting
    {
        if (rows.Any(other => other.Name == row.Name))
            throw new ArgumentException($"there is a setting '{row.Name}' already; name it otherwise", nameof(row));
        rows.Add(row);
        return row;
    }

    /// <summary>Finds a setting by its name.</summary>
    /// <param name="name">The name in files and on the command line.</param>
    /// <returns>The setting of that name.</returns>
    /// <exception cref="SettingException">There is none.</exception>
    public Setting Find(string name) => rows.Find(row => row.Name == name)
        ?? throw new SettingException(name, $"no such setting{Suggestion.For(name, rows.Select(row => row.Name))}");

    /// <summary>Reads names and values, fills in the defaults of the other settings, and checks all of them.</summary>
    /// <param name="given">Names and values.</param>
    /// <param name="isNoted">
    /// Whether a run wrote them down: then one that has no effect is taken, since version 0.1 wrote those down too.
    /// </param>
    /// <returns>The values of all settings, defaults filled in.</returns>
    /// <exception cref="SettingException">
    /// A name or a value is wrong, or a setting is given that has no effect beside the others.
    /// </exception>
    public SettingValues Read(IEnumerable<KeyValuePair<string, string>> given, bool isNoted = false)
    {
        var rowsGiven = new Dictionary<string, object?>();
        foreach (var (name, text) in given) rowsGiven[name] = Find(name).Parse(text);
        var values = new SettingValues(this, rowsGiven);
        foreach (var row in rows)
            if (row.Conflict(values) is { } problem) throw new SettingException(row.Name, problem);
        if (!isNoted) values.RefuseIdle(rowsGiven.Keys);
        return values;
    }

    internal bool IsStated(Setting row, SettingValues values) =>
        PlaceOf(row) >= 0 && !row.IsOmittedAtDefault || !row.IsDefaultIn(values);

    private int PlaceOf(Setting row)
    {
        for (var place = 0; place < stated.Count; place++)
            if (stated[place] == row.Name) return place;
        return -1;
    }
}
