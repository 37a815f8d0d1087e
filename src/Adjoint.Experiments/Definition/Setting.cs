namespace Adjoint.Experiments;

/// <summary>What a setting's value is.</summary>
public enum SettingKind
{
    /// <summary>A word.</summary>
    Text,

    /// <summary>A whole number.</summary>
    Integer,

    /// <summary>A number.</summary>
    Number,

    /// <summary>True or false.</summary>
    Flag,
}

/// <summary>Something that a trial can be told.</summary>
/// <param name="Name">As in files and, after two dashes, on the command line.</param>
/// <param name="Kind">What its value is.</param>
/// <param name="Description">In one sentence.</param>
public sealed record Setting(string Name, SettingKind Kind, string Description);

/// <summary>A setting that does not exist, or a value that it does not take.</summary>
/// <param name="setting">Its name.</param>
/// <param name="problem">What is wrong with it, and what would be right.</param>
public sealed class SettingException(string setting, string problem) : AdjointException($"{setting}: {problem}")
{
    /// <summary>The name.</summary>
    public string Setting => setting;

    /// <summary>What is wrong.</summary>
    public string Problem => problem;
}
