using System.Collections;

namespace Adjoint.Nn;

/// <summary>
/// Layers applied one after another, named 0, 1, …. One layer may stand in several places, which then share its
/// parameters.
/// </summary>
public class Sequential : Layer, IReadOnlyList<Layer>, ISavableModule<Sequential>
{
    private readonly Layer[] layers;

    /// <summary>Creates a network of the given layers.</summary>
    /// <param name="layers">The layers in order, the first one first applied.</param>
    public Sequential(params ReadOnlySpan<Layer> layers)
    {
        this.layers = layers.ToArray();
        for (var i = 0; i < layers.Length; i++) AddChild($"{i}", layers[i]);
    }

    /// <summary>The number of layers.</summary>
    public int Count => layers.Length;

    /// <summary>The layer at a position.</summary>
    /// <param name="index">The position, from 0 on.</param>
    /// <returns>The layer itself.</returns>
    /// <exception cref="AdjointException">There is no layer at that position.</exception>
    public Layer this[int index] => (uint)index < (uint)layers.Length
        ? layers[index]
        : throw new AdjointException($"Sequential: there is no layer {index} among {layers.Length}; they count from 0");

    /// <inheritdoc/>
    public IEnumerator<Layer> GetEnumerator() => layers.AsEnumerable().GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x)
    {
        // Also where a class from outside of the library extends this one: only this loop sees what is in between.
        using var intermediates = Intermediates.Begin(Execution.Current, isPrivate: true);
        foreach (var layer in layers)
        {
            x = layer.Forward(x);
            intermediates.Release(needed: x);
        }
        return x;
    }

    static Sequential ISavableModule<Sequential>.Create(ModuleSettings settings) => new(settings.ModulesOf<Layer>());

    void ISavableModule.Describe(ModuleSettings settings)
    {
        foreach (var (name, layer) in Children) settings.Set(name, layer);
    }
}

/// <summary>Joins all axes but the first: (n, c, h, w) → (n, c·h·w).</summary>
public sealed class Flatten : Layer, ISavableModule<Flatten>
{
    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x) => x.Rank == 2 ? x : x.Flatten(1);

    static Flatten ISavableModule<Flatten>.Create(ModuleSettings settings) => new();
}
