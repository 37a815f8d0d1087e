using System.Globalization;
using System.Numerics;

namespace Adjoint.Experiments;

/// <summary>A setting whose value is a number.</summary>
/// <typeparam name="T"><see cref="int"/>, <see cref="ulong"/> or <see cref="double"/>.</typeparam>
public sealed class NumberSetting<T> : Setting<T> where T : struct, INumber<T>, IMinMaxValue<T>
{
    /// <summary>Creates a setting whose value is a number.</summary>
    /// <param name="name">The name in files and on the command line.</param>
    public NumberSetting(string name) : base(name) => ValueName = "number";

    /// <inheritdoc/>
    public override SettingKind Kind => typeof(T) == typeof(double) ? SettingKind.Number : SettingKind.Integer;

    private protected override string? Read(string text, out T value) =>
        !NumberText.TryRead(text, out value, out var problem) ? problem
        : Range is null || Range.Contains(double.CreateChecked(value)) ? null
        : $"{Write(value)} is out of range; use {Range}";

    private protected override string Write(T value) => value.ToString(null, CultureInfo.InvariantCulture);
}
