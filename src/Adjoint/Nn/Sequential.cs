namespace Adjoint.Nn;

/// <summary>Modules one after another, named 0, 1, ….</summary>
public class Sequential : Module
{
    /// <summary>The modules in order.</summary>
    public Sequential(params ReadOnlySpan<Module> modules)
    {
        for (var i = 0; i < modules.Length; i++) AddChild($"{i}", modules[i]);
    }

    /// <inheritdoc/>
    /// <exception cref="AdjointException">An input does not fit a layer; the message begins with the layer's name.</exception>
    protected override Tensor ForwardCore(Tensor x)
    {
        foreach (var (name, child) in Children)
        {
            try
            {
                x = child.Forward(x);
            }
            catch (AdjointException error) when (error is not AnomalyException)
            {
                throw new AdjointException($"layer {name} ({child}): {error.Message}", error);
            }
        }
        return x;
    }
}

/// <summary>Joins all axes but the first: (n, c, h, w) → (n, c·h·w).</summary>
public sealed class Flatten : Module
{
    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x) => x.Rank == 2 ? x : x.Flatten(1);
}
