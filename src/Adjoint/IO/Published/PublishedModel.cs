using Adjoint.Data;
using Adjoint.Nn;

namespace Adjoint.IO;

/// <summary>What folders of published models have in common: a configuration, and tensors in files beside it.</summary>
internal static class PublishedModel
{
    /// <summary>The name of the configuration in a folder.</summary>
    internal const string ConfigName = "config.json";

    /// <summary>The name of the tensors in a folder that is written.</summary>
    internal const string TensorsName = "model.safetensors";

    // Libraries that read the file ask which of them wrote it.
    private static readonly Dictionary<string, string> Metadata = new() { ["format"] = "pt" };

    /// <summary>Makes a model, and loads it from the tensors of a folder, in their floating type.</summary>
    /// <param name="folder">The path of the folder.</param>
    /// <param name="options">What need not fit, and what is renamed first; null: strict.</param>
    /// <param name="rename">The published name of a tensor of the file; null where it is left out.</param>
    /// <param name="create">Makes the model, given the entries by published names.</param>
    /// <param name="state">The tensors of a model, or views of them, by published names.</param>
    /// <returns>The model, in evaluation mode.</returns>
    internal static T Load<T>(string folder, LoadOptions? options, Func<string, string?> rename,
        Func<IReadOnlyDictionary<string, TensorEntry>, T> create, Func<T, IEnumerable<(string, Tensor)>> state)
        where T : Module
    {
        options ??= new();
        using var file = TensorFile.Open(folder);
        var entries = new OrderedDictionary<string, TensorEntry>();
        foreach (var entry in file.Entries)
            if (rename(options.Names?.Apply(entry.Name) ?? entry.Name) is { } name && !entries.TryAdd(name, entry))
                throw new DataFormatException(
                    $"{file.Path}: found both {entries[name].Name} and {entry.Name}, expected one of the two, which "
                    + $"are {name} of the model; remove the other from the file");
        var model = Create(folder, options, [.. entries.Values], () => create(entries));
        // Half of a file may be in half precision: the type that holds the values of all.
        var types = entries.Values.Select(entry => entry.ConvertsTo).OfType<DType>().Where(type => type.IsFloating())
            .ToArray();
        if (types.Length > 0) model.To(types.Aggregate(DTypes.Promote));
        StateLoading.Run(state(model), [], file.Path, options with { Names = null, ConvertTypes = true },
            [.. entries.Select(pair => new StateOffer(pair.Key, pair.Value.Sizes, pair.Value.DType,
                pair.Value.ConvertsTo, pair.Value.Type, () => file.Load(pair.Value.Name, convert: true)))]);
        model.Eval();
        return model;
    }

    /// <summary>Loads a state by published names into a model.</summary>
    internal static LoadReport LoadState(IEnumerable<(string, Tensor)> own, IReadOnlyDictionary<string, Tensor> state,
        string where, LoadOptions? options, Func<string, string?> rename)
    {
        options ??= new();
        var offers = new OrderedDictionary<string, StateOffer>();
        foreach (var (key, value) in state)
        {
            if (rename(options.Names?.Apply(key) ?? key) is not { } name) continue;
            var offer = new StateOffer(name, [.. value.Shape.Select(size => (long)size)], value.DType, value.DType,
                value.DType.Label(), () => value);
            if (!offers.TryAdd(name, offer))
                throw new AdjointException(
                    $"{where}: two tensors of the state are {name}, the second '{key}'; leave one out");
        }
        return StateLoading.Run(own, [], where, options with { Names = null }, [.. offers.Values]);
    }

    /// <summary>Writes configuration and tensors into a folder, which is made where there is none.</summary>
    internal static void Save(string folder, string config, IReadOnlyDictionary<string, Tensor> state)
    {
        Directory.CreateDirectory(folder);
        var tensors = new SafeTensorsContents(Path.Combine(folder, TensorsName), state, Metadata, digest: false);
        AtomicFile.Write(
            [(Path.Combine(folder, TensorsName), tensors.WriteTo),
                (Path.Combine(folder, ConfigName), stream => stream.Write(System.Text.Encoding.UTF8.GetBytes(config)))],
            beforeReplacing: () => { });
    }

    // The configuration is untrusted: a model beyond what the file has tensors for is refused before it takes memory.
    // Where something may keep its initial values, these are drawn, and it is the user's word that counts.
    private static T Create<T>(string folder, LoadOptions options, TensorEntry[] entries, Func<T> create)
        where T : Module
    {
        try
        {
            return options is { IsStrict: true, SkipOtherShapes: false }
                ? Architecture.Restore(entries.Sum(entry => entry.Bytes), create)
                : create();
        }
        catch (AdjointException error) when (error is not DataFormatException)
        {
            throw new DataFormatException($"{Path.Combine(folder, ConfigName)}: {error.Message}");
        }
    }
}
