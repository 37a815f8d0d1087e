using System.Security.Cryptography;
using System.Text;

namespace Adjoint.Experiments;

/// <summary>One network to train. Cases of several experiments that are set alike share it.</summary>
/// <param name="Key">From the settings on which the result depends: names the folder.</param>
/// <param name="Settings">What it is told, the seed among them.</param>
/// <param name="Complete">All that it depends on, defaults filled in.</param>
/// <param name="Seed">Its seed.</param>
public sealed record Trial(string Key, IReadOnlyDictionary<string, string> Settings, IReadOnlyList<(string Name, string Value)> Complete, ulong Seed)
{
    /// <summary>The cases that it serves, each with its experiment's name where there are several: <c>4: 50</c>.</summary>
    public IReadOnlyList<string> Cases { get; init; } = [];

    /// <summary>Its cases in a line.</summary>
    public string Title => string.Join("; ", Cases);

    /// <summary>The trial of a case with a seed.</summary>
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
