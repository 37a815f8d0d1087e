using System.Globalization;
using Adjoint.Data;

namespace Adjoint.IO;

/// <summary>
/// The last few states of a run in a folder, <c>checkpoint-00000007.safetensors</c>: each written whole or not at all,
/// with a digest. If the latest is damaged, the one before it is used.
/// </summary>
/// <param name="folder">
/// The folder, which is made when the first state is written; no other process writes there (<see cref="FolderLock"/>).
/// </param>
/// <param name="keep">The number of states to keep, 1 or more.</param>
public sealed class CheckpointStore(string folder, int keep = 3)
{
    private const string Prefix = "checkpoint-", Suffix = ".safetensors";

    /// <summary>The folder of the checkpoints.</summary>
    public string Folder => folder;

    /// <summary>Whether there is a state, sound or damaged.</summary>
    public bool HasStates => Numbered().Length > 0;

    /// <summary>Writes a state, and removes the oldest beyond the number to keep.</summary>
    /// <param name="tensors">The tensors of the state, by name.</param>
    /// <param name="notes">The texts of the state, by name.</param>
    /// <exception cref="IOException">It cannot be written; earlier states are untouched.</exception>
    public void Write(IReadOnlyDictionary<string, Tensor> tensors, IReadOnlyDictionary<string, string> notes)
    {
        var before = Numbered();
        Directory.CreateDirectory(folder);
        SafeTensors.Save(PathOf(before.Length == 0 ? 1 : before[0] + 1), tensors, notes, digest: true);
        foreach (var number in before.Skip(keep - 1)) File.Delete(PathOf(number));
    }

    /// <summary>Reads the latest undamaged state.</summary>
    /// <param name="warn">Called with one line for each damaged state.</param>
    /// <returns>Its tensors and texts; null where there is no state.</returns>
    public (IReadOnlyDictionary<string, Tensor> Tensors, IReadOnlyDictionary<string, string> Notes)? Latest(
        Action<string> warn)
    {
        var numbers = Numbered();
        foreach (var number in numbers)
            try
            {
                var tensors = SafeTensors.Load(PathOf(number), out var notes);
                return notes.ContainsKey(SafeTensors.DigestKey)
                    ? (tensors, notes)
                    : throw new DataFormatException(PathOf(number), 8, "no digest",
                            $"an entry {SafeTensors.DigestKey}");
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
    /// Removes all states, when the run is complete. The latest is removed last, so that an interruption leaves the end
    /// of the run.
    /// </summary>
    public void Clear()
    {
        foreach (var number in Numbered().Reverse()) File.Delete(PathOf(number));
    }

    private string PathOf(int number) =>
        Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{Prefix}{number:D8}{Suffix}"));

    // Latest first.
    private int[] Numbered() => !Directory.Exists(folder) ? [] : [.. Directory.GetFiles(folder, Prefix + "*" + Suffix)
        .Select(path => int.TryParse(Path.GetFileName(path)[Prefix.Length..^Suffix.Length], NumberStyles.None,
            CultureInfo.InvariantCulture, out var number) ? number : -1)
        .Where(number => number is > 0 and < int.MaxValue).OrderDescending()];
}
