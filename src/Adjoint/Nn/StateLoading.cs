using Adjoint.Memory;

namespace Adjoint.Nn;

/// <summary>A tensor that a state or a file offers to a model; it is read only where the model has it.</summary>
/// <param name="Name">Its name there.</param>
/// <param name="Sizes">The sizes of its axes; those of a file may be larger than a tensor's.</param>
/// <param name="Held">The element type that it has; null: none of those that tensors have.</param>
/// <param name="Loaded">The element type that it has when loaded; null: it cannot be.</param>
/// <param name="Type">The element type as the state's format names it.</param>
/// <param name="Load">Gives the tensor.</param>
internal sealed record StateOffer(
    string Name, IReadOnlyList<long> Sizes, DType? Held, DType? Loaded, string Type, Func<Tensor> Load);

/// <summary>
/// Loads what a state offers into a model, as far as the options allow, and reports what became of it.
/// </summary>
internal static class StateLoading
{
    private const string Counter = "num_batches_tracked", Mean = "running_mean";
    private const int MostListed = 5;

    /// <summary>Checks everything, then reads, then copies: what is refused changes no bit.</summary>
    /// <param name="model">The model to load into.</param>
    /// <param name="where">What messages begin with: a call, or the path of a file.</param>
    /// <param name="options">What need not fit.</param>
    /// <param name="offers">What there is.</param>
    internal static LoadReport Run(
        Module model, string where, LoadOptions options, IReadOnlyList<StateOffer> offers) =>
        Run(model.NamedState(), model.OlderPaths(), where, options, offers);

    /// <summary>The same for tensors of a model, or views of them, under names of another program.</summary>
    /// <param name="state">The tensors by name.</param>
    /// <param name="older">Names that some of them had in older files.</param>
    /// <param name="where">What messages begin with: a call, or the path of a file.</param>
    /// <param name="options">What need not fit.</param>
    /// <param name="offers">What there is.</param>
    internal static LoadReport Run(
        IEnumerable<(string Name, Tensor Value)> state, IEnumerable<(string Older, string Name)> older, string where,
        LoadOptions options, IReadOnlyList<StateOffer> offers)
    {
        var own = state.GroupBy(entry => entry.Value, entry => entry.Name).ToArray();
        var known = own.SelectMany(paths => paths).ToHashSet();
        var found = Renamed(offers, options.Names);
        foreach (var (before, now) in older)
            if (!found.ContainsKey(now) && found.Remove(before, out var offer)) found.Add(now, offer);
        var missing = own.Where(paths => !paths.Any(found.ContainsKey)).SelectMany(paths => paths).ToArray();
        var left = found.Keys.Where(name => !known.Contains(name)).ToArray();
        var ignored = left.Where(name => IsCounter(name, known)).ToArray();
        var unknown = left.Except(ignored).ToArray();
        if (options.IsStrict && missing.Length + unknown.Length > 0)
            throw new AdjointException(
                $"{where}: the state does not fit the model: {Differences(missing, unknown)}; "
                + (Prefix(missing, unknown)
                    ?? "build the model with the settings it was saved with, or load what fits: new LoadOptions "
                    + "{ IsStrict = false }"));
        var otherShapes = new List<OtherShape>();
        var fitting = own
            .Select(paths => (Value: paths.Key, Names: paths.Where(name => found.TryGetValue(name, out var offer)
                && Fits(where, name, paths.Key, offer, options, otherShapes)).ToArray()))
            .Where(one => one.Names.Length > 0).ToArray();
        if (fitting.Length == 0 && own.Length > 0)
            throw new AdjointException(
                $"{where}: nothing of the state fits the model: {Differences(missing, unknown)}"
                + (otherShapes.Count == 0 ? "" : $", other shapes {List(otherShapes)}") + "; "
                + (Prefix(missing, unknown) ?? "build the model with the settings it was saved with"));
        var (values, converted) = (new List<(Tensor Own, Tensor New)>(), new List<ConvertedTensor>());
        foreach (var (value, names) in fitting)
        {
            var first = found[names[0]].Load();
            foreach (var name in names.Skip(1))
                Module.RequireSame(where, (names[0], first), (name, found[name].Load()));
            values.Add((value, Convert(where, names[0], first, found[names[0]].Type, value.DType, converted)));
        }
        using (new NoGrad())
            foreach (var (value, next) in values) value.CopyFrom(next.To(value.Device));
        var loaded = fitting.SelectMany(one => one.Names).ToArray();
        return new()
        {
            Loaded = loaded,
            Renamed = [.. loaded.Select(name => (found[name].Name, name)).Where(pair => pair.Item1 != pair.name)],
            Converted = converted,
            OtherShapes = otherShapes,
            Missing = missing,
            Unknown = [.. unknown.Select(name => found[name].Name)],
            Ignored = [.. ignored.Select(name => found[name].Name)],
        };
    }

    private static Dictionary<string, StateOffer> Renamed(IReadOnlyList<StateOffer> offers, NameMap? names)
    {
        if (names is null) return offers.ToDictionary(offer => offer.Name);
        return names.Apply(offers.Select(offer => offer.Name)).Zip(offers)
            .ToDictionary(pair => pair.First.New, pair => pair.Second);
    }

    // Of a batch norm, which is told by its running mean.
    private static bool IsCounter(string name, HashSet<string> known) =>
        (name == Counter || name.EndsWith($".{Counter}", StringComparison.Ordinal))
        && known.Contains(string.Concat(name.AsSpan(0, name.Length - Counter.Length), Mean));

    private static bool Fits(string where, string name, Tensor value, StateOffer offer, LoadOptions options,
        List<OtherShape> otherShapes)
    {
        var hasShape = offer.Sizes.SequenceEqual(value.Shape.Select(size => (long)size));
        if (!hasShape && options.SkipOtherShapes)
        {
            otherShapes.Add(new(name, value.Shape, offer.Sizes));
            return false;
        }
        var isConvertible = offer.Loaded is { } loaded && (!loaded.IsFloating() || value.DType.IsFloating());
        if (hasShape && (offer.Held == value.DType || options.ConvertTypes && isConvertible)) return true;
        throw new AdjointException(
            $"{where}: {name}{(offer.Name == name ? "" : $", there {offer.Name},")} must be {value.Shape} "
            + $"{value.DType.Label()}: found {OtherShape.Label(offer.Sizes)} {offer.Type}; "
            + (!hasShape
                ? "build the model with the settings it was saved with, or let such tensors keep their values: new "
                    + "LoadOptions { SkipOtherShapes = true }"
                : offer.Loaded is null ? "no element type holds its values; it can only be inspected"
                : !isConvertible ? "fractions are not cut off; convert the tensor first"
                : (offer.Held is { } held && held.IsFloating()
                    ? $"convert the model first: .To(DType.{held}), or " : "")
                    + "convert the values: new LoadOptions { ConvertTypes = true }"));
    }

    private static Tensor Convert(
        string where, string name, Tensor value, string from, DType to, List<ConvertedTensor> converted)
    {
        if (value.DType == to) return value;
        using var _ = new NoGrad();
        value = value.To(Device.Cpu);
        var result = value.To(to);
        if (!value.DType.IsFloating() && !result.To(value.DType).HasBitsOf(value))
            throw new AdjointException(
                $"{where}: {name} has values that {to.Label()} does not hold, found {from}; convert the tensor first, "
                + "as it suits you");
        converted.Add(new(name, from, to, ConvertedTensor.CountOverflows(value, result)));
        return result;
    }

    private static string Differences(string[] missing, string[] unknown) =>
        $"missing {List(missing)}, unknown {List(
            [.. unknown.Take(MostListed).Select(name => Suggestion.Nearest(name, missing) is { } near
                ? $"{name} (nearest: {near})" : name), .. unknown.Skip(MostListed)])}";

    private static string List<T>(IReadOnlyList<T> all) => all.Count == 0 ? "none"
        : string.Join(", ", all.Take(MostListed))
            + (all.Count > MostListed ? $" and {all.Count - MostListed} more" : "");

    // What helps where names have a prefix too much, or one too little.
    private static string? Prefix(string[] missing, string[] unknown)
    {
        if (NameMap.Suggest(unknown, missing) is not { } rule) return null;
        var sides = rule.Split('=');
        var (whose, prefix) = sides[1] == "**" ? ("state", sides[0][..^2]) : ("model", sides[1][..^2]);
        return $"names of the {whose} begin with '{prefix}'"
            + ((whose, prefix) == ("state", "module.") ? ", as DataParallel writes them" : "")
            + $": rename them by the rule {rule}, LoadOptions.Names = new NameMap().Add(\"{sides[0]}\", "
            + $"\"{sides[1]}\")";
    }
}
