namespace Adjoint.Experiments;

/// <summary>A setting whose value is a text: any, one of its choices, or a list of them.</summary>
public sealed class TextSetting : Setting<string>
{
    /// <summary>Creates a setting whose value is a text.</summary>
    /// <param name="name">The name in files and on the command line.</param>
    public TextSetting(string name) : base(name) { }

    /// <inheritdoc/>
    public override SettingKind Kind => SettingKind.Text;

    /// <summary>Splits the value of a list into its words.</summary>
    /// <param name="list">The value, with commas between the words.</param>
    /// <returns>The words of the list; none where it is off.</returns>
    public IReadOnlyList<string> Items(string list) =>
        list == Off ? [] : list.Split(',', StringSplitOptions.TrimEntries);

    private protected override string? Read(string text, out string value)
    {
        value = text;
        if (Choices.Count == 0) return null;
        var wrong = (IsList ? Items(text) : [text]).FirstOrDefault(word => !Choices.Contains(word));
        return wrong is null ? null
            : $"'{wrong}' is none of {Listed}{Suggestion.For(wrong, Choices)}";
    }

    // A list that nobody would read in one line is in the help.
    private string Listed => Choices.Count <= 16 ? string.Join(", ", Choices)
        : $"the {Choices.Count} that --help lists";

    private protected override string? Write(string value) => value;
}
