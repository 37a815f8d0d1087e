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
        // Also where a class from outside of the library extends this one: only this loop sees what is in between.
        using var intermediates = Intermediates.Begin(Execution.Current, isPrivate: true);
        foreach (var (_, child) in Children)
        {
            x = child.Forward(x);
            intermediates.Release(needed: x);
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
