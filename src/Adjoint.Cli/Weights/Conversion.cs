using System.Globalization;
using Adjoint.IO;
using Adjoint.Nn;

namespace Adjoint.Cli;

/// <summary>
/// Tensors of a file on their way into another: chosen, renamed, converted, and written, with lines that say what
/// became of them.
/// </summary>
internal sealed class Conversion(TensorFile file, string from)
{
    private const int MostListed = 3;
    private readonly List<string> lines = [];

    /// <summary>The names or patterns of the tensors that are wanted; empty: all.</summary>
    internal IReadOnlyList<string> Only { get; init; } = [];

    /// <summary>The rules by which they are renamed.</summary>
    internal NameMap Names { get; init; } = new();

    /// <summary>The type that floating-point tensors get; null: the one that they have.</summary>
    internal DType? Type { get; init; }

    /// <summary>Writes what is wanted, and says in lines what was written, renamed, converted and lost.</summary>
    internal IReadOnlyList<string> Write(WeightsTarget target)
    {
        lines.Clear();
        var names = file.Entries.Select(entry => entry.Name).ToArray();
        foreach (var pattern in Only) Renaming.RequireFit("--only", pattern, pattern, names, from);
        var wanted = file.Entries
            .Where(entry => Only.Count == 0 || Only.Any(pattern => NameMap.Fits(pattern, entry.Name))).ToArray();
        var renamed = Names.Apply(wanted.Select(entry => entry.Name));
        var tensors = new OrderedDictionary<string, Tensor>();
        var loaded = Load(wanted);
        foreach (var (old, next) in renamed) tensors.Add(next, loaded[old]);
        var changed = renamed.Where(pair => pair.Old != pair.New).ToArray();
        if (changed.Length > 0)
            lines.Add($"renamed {changed.Length}: {List(changed.Select(pair => $"{pair.Old} to {pair.New}"))}");
        var copies = wanted.Where(entry => entry.SharesWith is { } first
            && loaded.TryGetValue(first, out var other) && other == loaded[entry.Name])
            .Select(entry => $"{entry.Name}, which is {entry.SharesWith}").ToArray();
        if (copies.Length > 0 && !target.KeepsSharing) lines.Add($"written as copies: {List(copies)}");
        if (target.IsForNumPy && tensors.Values.Count(tensor => tensor.DType == DType.BFloat16) is > 0 and var count)
            lines.Add($"{count} of bfloat16 are raw bytes to NumPy (V2), which has no such type; "
                + "--dtype float32 converts them");
        var metadata = Metadata(target, isWhole: changed.Length == 0 && wanted.Length == names.Length);
        var path = target.Write(tensors, metadata, file.Metadata.ContainsKey(SafeTensors.DigestKey));
        var written = target.KeepsSharing ? tensors.Values.Distinct() : tensors.Values;
        var bytes = written.Aggregate((Int128)0, (sum, one) => sum + (long)one.Length * one.DType.Size());
        return
        [
            $"{path}: {tensors.Count} tensor{(tensors.Count == 1 ? "" : "s")}"
                + $"{(wanted.Length < names.Length ? $" of {names.Length}" : "")}, {TensorTable.Bytes(bytes)}",
            .. lines,
        ];
    }

    private Dictionary<string, Tensor> Load(TensorEntry[] wanted)
    {
        var (tensors, converted) = (new Dictionary<string, Tensor>(), new List<ConvertedTensor>());
        foreach (var entry in wanted)
        {
            // Of one tensor with several names one copy.
            if (entry.SharesWith is { } first && tensors.TryGetValue(first, out var shared)
                && shared.Shape.Select(size => (long)size).SequenceEqual(entry.Sizes))
            {
                tensors.Add(entry.Name, shared);
                continue;
            }
            var found = entry.DType is null ? file.Load(entry.Name, convert: true) : file.Map(entry.Name);
            var value = Type is { } type && found.DType.IsFloating() ? found.To(type) : found;
            tensors.Add(entry.Name, value);
            if (value.DType != entry.DType)
                converted.Add(new(entry.Name, entry.Type, value.DType, ConvertedTensor.CountOverflows(found, value)));
        }
        foreach (var group in converted.GroupBy(one => (one.From, one.To)))
            lines.Add($"converted {group.Count()} from {group.Key.From} to {group.Key.To.Label()}");
        var overflowed = converted.Where(one => one.Overflows > 0).ToArray();
        if (overflowed.Length > 0)
            lines.Add($"overflowed to ∞: {List(overflowed.Select(one => string.Create(CultureInfo.InvariantCulture,
                $"{one.Overflows:N0} value{(one.Overflows == 1 ? "" : "s")} of {one.Name}")))}");
        return tensors;
    }

    // The description of a model holds only of all its tensors by their names; a digest is made anew.
    private Dictionary<string, string> Metadata(WeightsTarget target, bool isWhole)
    {
        var kept = file.Metadata.Where(note => note.Key != SafeTensors.DigestKey).ToDictionary();
        if (!target.HasMetadata)
        {
            if (kept.Count > 0) lines.Add($"left out metadata that the format cannot hold: {List(kept.Keys)}");
            return [];
        }
        if (!isWhole && kept.Remove(ModelFile.Key))
            lines.Add($"left out {ModelFile.Key}, the description of the model with all its tensors by their names");
        // Without it, programs for PyTorch's models refuse a safetensors file.
        if (file.Format is TensorFileFormat.PyTorch or TensorFileFormat.PyTorchLegacy) kept.TryAdd("format", "pt");
        return kept;
    }

    private static string List(IEnumerable<string> names)
    {
        var all = names.ToArray();
        return string.Join(", ", all.Take(MostListed))
            + (all.Length > MostListed ? $" and {all.Length - MostListed} more" : "");
    }
}
