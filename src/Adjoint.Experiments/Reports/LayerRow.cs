using Adjoint.Data;
using Adjoint.Nn;

namespace Adjoint.Experiments;

/// <summary>A layer of a network, as a report lists it.</summary>
/// <param name="Path">Where it is in the network, such as <c>features.3</c>; empty for the network itself.</param>
/// <param name="Name">Its type with its sizes, such as <c>Linear(4 → 2)</c>.</param>
/// <param name="Output">The shape of its output for one sample; empty where no sample passes through it.</param>
/// <param name="Parameters">
/// Its parameters with their shapes; "shared" marks those that an earlier layer has too.
/// </param>
/// <param name="Count">How many numbers its parameters have that no earlier layer has.</param>
public sealed record LayerRow(string Path, string Name, string Output, string Parameters, long Count)
{
    /// <summary>
    /// Lists the layers (modules without children, or with parameters of their own) in the order in which a sample
    /// passes through them, which is found with one sample of zeros, in evaluation mode; layers that it does not pass
    /// come last.
    /// </summary>
    /// <param name="model">The network, which is left as it is.</param>
    /// <param name="inputs">Shape and type of one sample; floating-point numbers are of the network's type.</param>
    /// <returns>A row for each layer.</returns>
    public static IReadOnlyList<LayerRow> Of(Layer model, Field inputs)
    {
        var layers = All(model, "").DistinctBy(layer => layer.Module).ToArray();
        var outputs = new Dictionary<Module, string>();
        var hooks = layers.Select(layer => layer.Module.RegisterForwardHook((module, _, all) =>
        {
            outputs.TryAdd(module, string.Join(
                " and ", all.Select(output => Text(output.Shape.Sizes[Math.Min(1, output.Rank)..]))));
            return null;
        })).ToArray();
        try
        {
            using var _ = new NoGrad();
            using var use = model.EvalScope();
            model.Forward(Tensor.Zeros([1, .. inputs.Shape.Sizes],
                inputs.DType.IsFloating() ? model.DType : inputs.DType));
        }
        finally
        {
            foreach (var hook in hooks) hook.Dispose();
        }
        var (order, seen) = (outputs.Keys.ToList(), new HashSet<Tensor>(ReferenceEqualityComparer.Instance));
        return
        [
            .. layers.OrderBy(layer => order.IndexOf(layer.Module) is >= 0 and var at ? at : int.MaxValue)
                .Select(layer => RowOf(layer.Path, layer.Module, outputs.GetValueOrDefault(layer.Module, ""), seen)),
        ];
    }

    private static LayerRow RowOf(string path, Module module, string output, HashSet<Tensor> seen)
    {
        var (texts, count) = (new List<string>(), 0L);
        foreach (var (name, value) in Own(module))
        {
            var isNew = seen.Add(value);
            texts.Add($"{name} {Text(value.Shape.Sizes)}{(isNew ? "" : " (shared)")}");
            if (isNew) count += value.Length;
        }
        return new(path, module.ToString()!, output, string.Join(", ", texts), count);
    }

    private static IEnumerable<(string Path, Module Module)> All(Module module, string path)
    {
        if (module.Children.Count == 0 || Own(module).Any()) yield return (path, module);
        foreach (var (name, child) in module.Children)
            foreach (var inner in All(child, path.Length == 0 ? name : $"{path}.{name}"))
                yield return inner;
    }

    // Those of parts have a path.
    private static IEnumerable<(string Name, Tensor Value)> Own(Module module) =>
        module.NamedParameters().Where(parameter => !parameter.Name.Contains('.', StringComparison.Ordinal));

    private static string Text(ReadOnlySpan<int> sizes) => sizes.Length == 0 ? "1" : string.Join('×', sizes.ToArray());
}
