namespace Adjoint.Experiments;

/// <summary>A setting that is on or off, and off where it is not given.</summary>
public sealed class FlagSetting : Setting<bool>
{
    /// <summary>Creates a setting that is on or off.</summary>
    /// <param name="name">The name in files and on the command line.</param>
    public FlagSetting(string name) : base(name) => (Off, Bare) = ("false", "true");

    /// <inheritdoc/>
    public override SettingKind Kind => SettingKind.Flag;

    private protected override string? Read(string text, out bool value) =>
        bool.TryParse(text, out value) ? null : $"'{text}' is neither true nor false";

    private protected override string Write(bool value) => value ? "true" : "false";
}
