namespace Adjoint.Experiments;

/// <summary>The values of a program's settings. Immutable.</summary>
public sealed class SettingValues
{
    private readonly SettingTable table;
    private readonly Dictionary<string, object?> values;

    /// <summary>Fills in the defaults of all settings that are not given.</summary>
    internal SettingValues(SettingTable table, Dictionary<string, object?> given)
    {
        (this.table, values) = (table, given);
        // All at once: rules see only what was given, so their order does not matter.
        values = table.Rows.ToDictionary(row => row.Name, row => row.ValueIn(this));
    }

    private SettingValues(SettingValues other, string name, object? value)
    {
        table = other.table;
        values = new(other.values) { [name] = value };
    }

    /// <summary>The value of a setting; its default where it has none.</summary>
    /// <typeparam name="T">The type of the value.</typeparam>
    /// <param name="setting">The setting whose value is wanted.</param>
    /// <returns>The value, or the default.</returns>
    public T Get<T>(Setting<T> setting) =>
        values.TryGetValue(setting.Name, out var value) ? (T)value! : setting.DefaultIn(this);

    /// <summary>
    /// The value of a setting, unless it has yet to be found by its default: for defaults that depend on each other,
    /// whichever of them is given.
    /// </summary>
    /// <typeparam name="T">The type of the value.</typeparam>
    /// <param name="setting">The setting whose value is wanted.</param>
    /// <param name="value">The value; <c>default(T)</c> where it has none yet.</param>
    /// <returns>Whether it has a value.</returns>
    public bool TryGet<T>(Setting<T> setting, out T? value)
    {
        var isThere = values.TryGetValue(setting.Name, out var found);
        value = (T?)found;
        return isThere;
    }

    /// <summary>
    /// These values with another value of one setting, which is not checked; defaults do not follow it.
    /// </summary>
    /// <typeparam name="T">The type of the value.</typeparam>
    /// <param name="setting">The setting to change.</param>
    /// <param name="value">The new value of the setting.</param>
    /// <returns>A changed copy of these values.</returns>
    public SettingValues With<T>(Setting<T> setting, T value) => new(this, setting.Name, value);

    /// <summary>Name and value of each setting that has an effect, as on the command line and in files.</summary>
    /// <returns>Names and values, in the order of the table.</returns>
    public IReadOnlyList<(string Name, string Value)> Rows() => Rows(row => row.Idle(this) is null);

    /// <summary>
    /// All on which the result depends, also what has no effect beside the others, at its default: what a trial is, and
    /// what a checkpoint was made with. Version 0.1 told trials apart in this way, and its trials are still found.
    /// </summary>
    /// <returns>Names and values, in the order of the table.</returns>
    public IReadOnlyList<(string Name, string Value)> Identity() => Rows(row => row.AffectsResult);

    /// <summary>Refuses settings that are given although they have no effect beside the others.</summary>
    /// <param name="given">The names of the settings that are given.</param>
    /// <exception cref="SettingException">There is one, and its value is not the one that asks for nothing.</exception>
    public void RefuseIdle(IEnumerable<string> given)
    {
        foreach (var row in given.Select(table.Find))
            if (row.Idle(this) is { } reason && row.TextIn(this) != row.Off)
                throw new SettingException(row.Name, $"{reason}; leave it out");
    }

    private IReadOnlyList<(string, string)> Rows(Func<Setting, bool> predicate) =>
    [
        .. table.InOrderOfFiles.Where(row => predicate(row) && table.IsStated(row, this))
            .Select(row => (row.Name, row.TextIn(this)!)),
    ];
}
