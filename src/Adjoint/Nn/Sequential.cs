using System.Collections;

namespace Adjoint.Nn;

/// <summary>
/// Layers one after another, named 0, 1, …. One may stand in several places, which then share its parameters.
/// </summary>
public class Sequential : Layer, IReadOnlyList<Layer>
{
    private readonly Layer[] layers;

    /// <summary>The layers in order.</summary>
    public Sequential(params ReadOnlySpan<Layer> layers)
    {
        this.layers = layers.ToArray();
        for (var i = 0; i < layers.Length; i++) AddChild($"{i}", layers[i]);
    }

    /// <summary>The number of layers.</summary>
    public int Count => layers.Length;

    /// <summary>The layer at a place, from 0 on.</summary>
    /// <exception cref="AdjointException">There is none.</exception>
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
}

/// <summary>Joins all axes but the first: (n, c, h, w) → (n, c·h·w).</summary>
public sealed class Flatten : Layer
{
    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x) => x.Rank == 2 ? x : x.Flatten(1);
}
