using System.Security.Cryptography;
using System.Text;

namespace Adjoint.Experiments;

/// <summary>One network to train. Cases of several experiments with the same settings share it.</summary>
/// <param name="Key">Names the trial's folder; derived from the settings on which the result depends.</param>
/// <param name="Settings">The settings that are given, the seed among them.</param>
/// <param name="Complete">All settings on which the result depends, defaults filled in.</param>
/// <param name="Seed">The seed of everything random.</param>
public sealed record Trial(string Key, IReadOnlyDictionary<string, string> Settings,
    IReadOnlyList<(string Name, string Value)> Complete, ulong Seed)
{
    /// <summary>
    /// The cases that it serves, each with its experiment's name where there are several: <c>4: 50</c>.
    /// </summary>
    public IReadOnlyList<string> Cases { get; init; } = [];

    /// <summary>The cases of the trial in one line.</summary>
    public string Title => string.Join("; ", Cases);

    /// <summary>The trial of a case with a seed.</summary>
    /// <param name="program">What will run the trial.</param>
    /// <param name="one">The case, which holds the settings without the seed.</param>
    /// <param name="seed">The seed of everything random.</param>
    /// <returns>The trial, without its cases.</returns>
    /// <exception cref="SettingException">A setting is wrong.</exception>
    public static Trial Of(ITrialProgram program, Case one, ulong seed)
    {
        var settings = new Dictionary<string, string>(one.Settings) { ["seed"] = $"{seed}" };
        var complete = program.Complete(settings);
        var text = string.Join('\n', complete.Select(row => $"{row.Name}={row.Value}"));
        var digest = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..12];
        return new($"{Word("dataset")}-{Word("model")}-seed{seed}-{digest}", settings, complete, seed);

        string Word(string name) => complete.FirstOrDefault(row => row.Name == name).Value ?? "trial";
    }
}
