namespace Adjoint.Nn;

/// <summary>1 / (1 + e⁻ˣ), as a module.</summary>
public sealed class Sigmoid : Module
{
    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x) => x.Sigmoid();
}

/// <summary>max(x, 0), as a module.</summary>
public sealed class Relu : Module
{
    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x) => x.Relu();
}

/// <summary>The hyperbolic tangent, as a module.</summary>
public sealed class Tanh : Module
{
    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x) => x.Tanh();
}

/// <summary>x·Φ(x), as a module.</summary>
public sealed class Gelu : Module
{
    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x) => x.Gelu();
}

/// <summary>x·σ(x), as a module.</summary>
public sealed class Silu : Module
{
    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x) => x.Silu();
}

/// <summary>ln(1 + eˣ), as a module.</summary>
public sealed class Softplus : Module
{
    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x) => x.Softplus();
}

/// <summary>x where x &gt; 0, else 0.01·x, as a module.</summary>
public sealed class LeakyRelu : Module
{
    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x) => x.LeakyRelu();
}

/// <summary>x where x &gt; 0, else eˣ − 1, as a module.</summary>
public sealed class Elu : Module
{
    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x) => x.Elu();
}

/// <summary>eˣ / Σ eˣ over the last axis, as a module.</summary>
public sealed class Softmax : Module
{
    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x) => x.Softmax();
}
