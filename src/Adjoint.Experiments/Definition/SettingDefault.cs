using System.Globalization;

namespace Adjoint.Experiments;

/// <summary>The value that a setting has where none is given.</summary>
/// <typeparam name="T">The type of the setting's value.</typeparam>
public sealed class SettingDefault<T>
{
    private readonly Func<SettingValues, T> rule;

    private SettingDefault(string text, Func<SettingValues, T> rule, bool isConstant) =>
        (Text, this.rule, IsConstant) = (text, rule, isConstant);

    /// <summary>
    /// A default that depends on other settings, and through them on their defaults, but not in a circle.
    /// </summary>
    /// <param name="text">The rule in words, for the help: <c>0.01 for adamw, else 0</c>.</param>
    /// <param name="rule">The value beside the others.</param>
    public SettingDefault(string text, Func<SettingValues, T> rule) : this(text, rule, isConstant: false) { }

    /// <summary>The constant, or the rule in words.</summary>
    public string Text { get; }

    /// <summary>Whether it is the same whatever the other settings are.</summary>
    public bool IsConstant { get; }

    /// <summary>The default, which may depend on the other settings.</summary>
    /// <param name="values">The values of all settings.</param>
    /// <returns>The value where none is given.</returns>
    public T In(SettingValues values) => rule(values);

    /// <summary>Makes a default that is the same whatever the other settings are.</summary>
    /// <param name="value">The value of the default.</param>
    /// <returns>A constant default.</returns>
    public static implicit operator SettingDefault<T>(T value) =>
        new(Convert.ToString(value, CultureInfo.InvariantCulture)!, _ => value, isConstant: true);
}
