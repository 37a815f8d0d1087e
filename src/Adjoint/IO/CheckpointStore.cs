using System.Globalization;
using Adjoint.Data;

namespace Adjoint.IO;

/// <summary>
/// The last few states of a run in a folder, <c>checkpoint-00000007.safetensors</c>: each written whole or not at all, with a digest. When the latest is damaged, the one before it
/// serves.
/// </summary>
/// <param name="folder">Where; it exists, and nobody else writes there (<see cref="FolderLock"/>).</param>
/// <param name="keep">How many are kept.</param>
public sealed class CheckpointStore(string folder, int keep = 3)
{
    private const string Prefix = "checkpoint-", Suffix = ".safetensors";

    /// <summary>Where they are.</summary>
    public string Folder => folder;

    /// <summary>Writes a state and removes those that are too many.</summary>
    /// <exception cref="IOException">It cannot be written; those before are untouched.</exception>
    public void Write(IReadOnlyDictionary<string, Tensor> tensors, IReadOnlyDictionary<string, string> notes)
    {
        var before = Numbered();
        SafeTensors.Save(PathOf(before.Length == 0 ? 1 : before[0] + 1), tensors, notes, digest: true);
        foreach (var number in before.Skip(keep - 1)) File.Delete(PathOf(number));
    }

    /// <summary>The latest state that is sound, or null where there is none.</summary>
    /// <param name="warn">Told of each that is damaged, in one line.</param>
    public (IReadOnlyDictionary<string, Tensor> Tensors, IReadOnlyDictionary<string, string> Notes)? Latest(Action<string> warn)
    {
        var numbers = Numbered();
        foreach (var number in numbers)
            try
            {
                var tensors = SafeTensors.Load(PathOf(number), out var notes);
                return notes.ContainsKey(SafeTensors.DigestKey) ? (tensors, notes) : throw new DataFormatException(PathOf(number), 8, "no digest", $"an entry {SafeTensors.DigestKey}");
            }
            catch (Exception error) when (error is DataFormatException or IOException)
            {
                var isLast = number == numbers[^1];
                warn($"{error.Message}; "
                    + $"{(isLast ? "none is left, beginning anew" : "going back to the checkpoint before it")}");
            }
        return null;
    }

    /// <summary>
    /// Removes all: the run is complete. The latest goes last, so that who is stopped in between goes on from the end.
    /// </summary>
    public void Clear()
    {
        foreach (var number in Numbered().Reverse()) File.Delete(PathOf(number));
    }

    private string PathOf(int number) => Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{Prefix}{number:D8}{Suffix}"));

    // Latest first.
    private int[] Numbered() => [.. Directory.GetFiles(folder, Prefix + "*" + Suffix)
        .Select(path => int.TryParse(Path.GetFileName(path)[Prefix.Length..^Suffix.Length], NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : -1)
        .Where(number => number is > 0 and < int.MaxValue).OrderDescending()];
}
