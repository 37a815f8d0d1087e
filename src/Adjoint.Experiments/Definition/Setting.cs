namespace Adjoint.Experiments;

/// <summary>What kind of value a setting takes.</summary>
public enum SettingKind
{
    /// <summary>The value is a text.</summary>
    Text,

    /// <summary>The value is a whole number.</summary>
    Integer,

    /// <summary>The value is a number.</summary>
    Number,

    /// <summary>The value is true or false.</summary>
    Flag,
}

/// <summary>
/// A setting of a training program, described once: a row of a <see cref="SettingTable"/>. Its option on the command
/// line, its checks, its default, and its place in experiment files and their schema, in reports and in a run's
/// <c>settings.json</c> follow from the description.
/// </summary>
public abstract class Setting
{
    private protected Setting(string name) => Name = name;

    /// <summary>The name in files and, after two dashes, on the command line: <c>batch-size</c>.</summary>
    public string Name { get; }

    /// <summary>What kind of value it takes.</summary>
    public abstract SettingKind Kind { get; }

    /// <summary>
    /// What it does: a sentence with a period at its end, or the beginning of one with a colon at its end, which
    /// <see cref="Choices"/> complete.
    /// </summary>
    public required string Help { get; init; }

    /// <summary>What it does, for the help and the schema: <c>Data set: synth, mnist.</c></summary>
    public string Description => Help.EndsWith(':') ? $"{Help} {string.Join(", ", Choices)}." : Help;

    /// <summary>The heading of the help under which it is listed.</summary>
    public string Group { get; init; } = "";

    /// <summary>What the help calls the value: <c>name</c> in <c>--model &lt;name&gt;</c>.</summary>
    public string ValueName { get; init; } = "name";

    /// <summary>The words that it takes; empty where it takes others too.</summary>
    public IReadOnlyList<string> Choices { get; init; } = [];

    /// <summary>
    /// What it means to give the option on the command line without a value, as one can a flag; null: it needs one.
    /// </summary>
    public string? Bare { get; init; }

    /// <summary>Whether the value is a list of <see cref="Choices"/>, separated by commas.</summary>
    public bool IsList { get; init; }

    /// <summary>The numbers that it takes, or null where it takes every one of its type.</summary>
    public NumberRange? Range { get; init; }

    /// <summary>
    /// Whether the result of a training depends on it. Where it does not, as with the number of threads, it is no part
    /// of a trial's identity and cannot be set in an experiment.
    /// </summary>
    public bool AffectsResult { get; init; } = true;

    /// <summary>Whether files and reports leave it out while it has its default.</summary>
    public bool IsOmittedAtDefault { get; init; }

    /// <summary>
    /// The value that asks for nothing, such as <c>0</c> for a momentum: it may be given even where the setting has no
    /// effect. Null where there is none.
    /// </summary>
    public string? Off { get; init; }

    /// <summary>
    /// Why the setting has no effect beside the others, or null where it has one. A setting that is given without
    /// effect is refused with this reason, and none is stated in files and reports.
    /// </summary>
    public Func<SettingValues, string?> Idle { get; init; } = _ => null;

    /// <summary>What is wrong with the value beside the others, and the remedy; null where nothing is.</summary>
    public Func<SettingValues, string?> Conflict { get; init; } = _ => null;

    /// <summary>The default in words, or null where there is none to speak of.</summary>
    public abstract string? DefaultText { get; }

    /// <summary>Whether <see cref="DefaultText"/> is a value, not a rule by which the others decide.</summary>
    public abstract bool HasConstantDefault { get; }

    /// <summary>Reads a value.</summary>
    /// <exception cref="SettingException">The setting does not take it.</exception>
    internal abstract object? Parse(string text);

    internal abstract object? ValueIn(SettingValues values);

    /// <summary>The value as it is written in files, or null where there is none.</summary>
    internal abstract string? TextIn(SettingValues values);

    internal abstract bool IsDefaultIn(SettingValues values);

    private protected SettingException Refuse(string problem) => new(Name, problem);
}

/// <summary>A setting with a value of one type.</summary>
/// <typeparam name="T">The type of its value.</typeparam>
public abstract class Setting<T> : Setting
{
    private protected Setting(string name) : base(name) { }

    /// <summary>
    /// The value where none is given: a constant, or a rule by which other settings decide. Null stands for
    /// <c>default(T)</c>, which the help does not mention.
    /// </summary>
    public SettingDefault<T>? Default { get; init; }

    /// <summary>What is wrong with a value, and the remedy; null where nothing is.</summary>
    public Func<T, string?> Check { get; init; } = _ => null;

    /// <inheritdoc/>
    public override string? DefaultText => Default?.Text;

    /// <inheritdoc/>
    public override bool HasConstantDefault => Default is { IsConstant: true };

    /// <summary>Reads a value, or says in <paramref name="problem"/> what is wrong and what would be right.</summary>
    /// <param name="text">The value as it was written.</param>
    /// <param name="value">The value that was read.</param>
    /// <param name="problem">What is wrong and what would be right; empty where nothing is wrong.</param>
    /// <returns>Whether the text is a value of this setting.</returns>
    public bool TryRead(string text, out T value, out string problem)
    {
        value = default!;
        problem = text.Length == 0 ? "is empty; give it a value" : Read(text, out value) ?? Check(value) ?? "";
        return problem.Length == 0;
    }

    /// <summary>The default, which may depend on the other settings.</summary>
    /// <param name="values">The values of all settings.</param>
    /// <returns>The value where none is given.</returns>
    public T DefaultIn(SettingValues values) => Default is null ? default! : Default.In(values);

    private protected abstract string? Read(string text, out T value);

    private protected abstract string? Write(T value);

    internal override object? Parse(string text) =>
        TryRead(text, out var value, out var problem) ? value : throw Refuse(problem);

    internal override object? ValueIn(SettingValues values) => values.Get(this);

    internal override string? TextIn(SettingValues values) => Write(values.Get(this));

    internal override bool IsDefaultIn(SettingValues values) =>
        EqualityComparer<T>.Default.Equals(values.Get(this), DefaultIn(values));
}

/// <summary>A setting that does not exist, or a value that it does not take.</summary>
/// <param name="setting">The name of the setting.</param>
/// <param name="problem">What is wrong with it, and what would be right.</param>
public sealed class SettingException(string setting, string problem) : AdjointException($"{setting}: {problem}")
{
    /// <summary>The name of the setting.</summary>
    public string Setting => setting;

    /// <summary>What is wrong with it, and what would be right.</summary>
    public string Problem => problem;
}
