namespace Adjoint.Nn;

/// <summary>
/// Modules one after another, named 0, 1, …. One may stand in several places, which then share its parameters.
/// </summary>
public class Sequential : Module
{
    /// <summary>The modules in order.</summary>
    public Sequential(params ReadOnlySpan<Module> modules)
    {
        for (var i = 0; i < modules.Length; i++) AddChild($"{i}", modules[i]);
    }

    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x)
    {
        foreach (var (_, child) in Children) x = child.Forward(x);
        return x;
    }
}

/// <summary>Joins all axes but the first: (n, c, h, w) → (n, c·h·w).</summary>
public sealed class Flatten : Module
{
    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x) => x.Rank == 2 ? x : x.Flatten(1);
}
