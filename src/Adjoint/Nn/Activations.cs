namespace Adjoint.Nn;

/// <summary>The logistic function 1 / (1 + e⁻ˣ), as a layer.</summary>
public sealed class Sigmoid : Layer
{
    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x) => x.Sigmoid();
}

/// <summary>The rectified linear unit max(x, 0), as a layer.</summary>
public sealed class Relu : Layer
{
    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x) => x.Relu();
}

/// <summary>The hyperbolic tangent, as a layer.</summary>
public sealed class Tanh : Layer
{
    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x) => x.Tanh();
}

/// <summary>GELU, x·Φ(x) with Φ the normal distribution function, as a layer.</summary>
public sealed class Gelu : Layer
{
    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x) => x.Gelu();
}

/// <summary>SiLU, or swish, x·σ(x), as a layer.</summary>
public sealed class Silu : Layer
{
    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x) => x.Silu();
}

/// <summary>The smooth ReLU ln(1 + eˣ), as a layer.</summary>
public sealed class Softplus : Layer
{
    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x) => x.Softplus();
}

/// <summary>The leaky ReLU: x where x &gt; 0, else 0.01·x, as a layer.</summary>
public sealed class LeakyRelu : Layer
{
    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x) => x.LeakyRelu();
}

/// <summary>The exponential linear unit: x where x &gt; 0, else eˣ − 1, as a layer.</summary>
public sealed class Elu : Layer
{
    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x) => x.Elu();
}

/// <summary>The softmax eˣ / Σ eˣ over the last axis, as a layer.</summary>
public sealed class Softmax : Layer
{
    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x) => x.Softmax();
}
