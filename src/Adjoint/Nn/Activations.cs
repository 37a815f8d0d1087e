namespace Adjoint.Nn;

/// <summary>The logistic function 1 / (1 + e⁻ˣ), as a layer.</summary>
public sealed class Sigmoid : Layer, ISavableModule<Sigmoid>
{
    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x) => x.Sigmoid();

    static Sigmoid ISavableModule<Sigmoid>.Create(ModuleSettings settings) => new();
}

/// <summary>The rectified linear unit max(x, 0), as a layer.</summary>
public sealed class Relu : Layer, ISavableModule<Relu>
{
    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x) => x.Relu();

    static Relu ISavableModule<Relu>.Create(ModuleSettings settings) => new();
}

/// <summary>min(max(x, 0), 6), as a layer.</summary>
public sealed class Relu6 : Layer, ISavableModule<Relu6>
{
    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x) => x.Relu6();

    static Relu6 ISavableModule<Relu6>.Create(ModuleSettings settings) => new();
}

/// <summary>The hyperbolic tangent, as a layer.</summary>
public sealed class Tanh : Layer, ISavableModule<Tanh>
{
    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x) => x.Tanh();

    static Tanh ISavableModule<Tanh>.Create(ModuleSettings settings) => new();
}

/// <summary>GELU, x·Φ(x) with Φ the normal distribution function, as a layer.</summary>
public sealed class Gelu : Layer, ISavableModule<Gelu>
{
    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x) => x.Gelu();

    static Gelu ISavableModule<Gelu>.Create(ModuleSettings settings) => new();
}

/// <summary>SiLU, or swish, x·σ(x), as a layer.</summary>
public sealed class Silu : Layer, ISavableModule<Silu>
{
    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x) => x.Silu();

    static Silu ISavableModule<Silu>.Create(ModuleSettings settings) => new();
}

/// <summary>min(max(x + 3, 0), 6) / 6, a sigmoid of straight lines, as a layer.</summary>
public sealed class HardSigmoid : Layer, ISavableModule<HardSigmoid>
{
    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x) => x.HardSigmoid();

    static HardSigmoid ISavableModule<HardSigmoid>.Create(ModuleSettings settings) => new();
}

/// <summary>x · min(max(x + 3, 0), 6) / 6, a swish without exponentials, as a layer.</summary>
public sealed class HardSwish : Layer, ISavableModule<HardSwish>
{
    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x) => x.HardSwish();

    static HardSwish ISavableModule<HardSwish>.Create(ModuleSettings settings) => new();
}

/// <summary>The smooth ReLU ln(1 + eˣ), as a layer.</summary>
public sealed class Softplus : Layer, ISavableModule<Softplus>
{
    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x) => x.Softplus();

    static Softplus ISavableModule<Softplus>.Create(ModuleSettings settings) => new();
}

/// <summary>The leaky ReLU: x where x &gt; 0, else 0.01·x, as a layer.</summary>
public sealed class LeakyRelu : Layer, ISavableModule<LeakyRelu>
{
    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x) => x.LeakyRelu();

    static LeakyRelu ISavableModule<LeakyRelu>.Create(ModuleSettings settings) => new();
}

/// <summary>The exponential linear unit: x where x &gt; 0, else eˣ − 1, as a layer.</summary>
public sealed class Elu : Layer, ISavableModule<Elu>
{
    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x) => x.Elu();

    static Elu ISavableModule<Elu>.Create(ModuleSettings settings) => new();
}

/// <summary>The softmax eˣ / Σ eˣ over the last axis, as a layer.</summary>
public sealed class Softmax : Layer, ISavableModule<Softmax>
{
    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x) => x.Softmax();

    static Softmax ISavableModule<Softmax>.Create(ModuleSettings settings) => new();
}
