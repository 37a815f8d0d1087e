namespace Adjoint.Nn;

/// <summary>1 / (1 + e⁻ˣ), as a module.</summary>
public sealed class Sigmoid : Layer
{
    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x) => x.Sigmoid();
}

/// <summary>max(x, 0), as a module.</summary>
public sealed class Relu : Layer
{
    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x) => x.Relu();
}

/// <summary>The hyperbolic tangent, as a module.</summary>
public sealed class Tanh : Layer
{
    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x) => x.Tanh();
}

/// <summary>x·Φ(x), as a module.</summary>
public sealed class Gelu : Layer
{
    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x) => x.Gelu();
}

/// <summary>x·σ(x), as a module.</summary>
public sealed class Silu : Layer
{
    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x) => x.Silu();
}

/// <summary>ln(1 + eˣ), as a module.</summary>
public sealed class Softplus : Layer
{
    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x) => x.Softplus();
}

/// <summary>x where x &gt; 0, else 0.01·x, as a module.</summary>
public sealed class LeakyRelu : Layer
{
    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x) => x.LeakyRelu();
}

/// <summary>x where x &gt; 0, else eˣ − 1, as a module.</summary>
public sealed class Elu : Layer
{
    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x) => x.Elu();
}

/// <summary>eˣ / Σ eˣ over the last axis, as a module.</summary>
public sealed class Softmax : Layer
{
    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x) => x.Softmax();
}
