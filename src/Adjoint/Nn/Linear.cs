namespace Adjoint.Nn;

/// <summary>
/// The affine map y = x·Wᵀ + b, x (…, in) → y (…, out). Weights begin as <see cref="Initializer.Default"/> unless
/// another is given; the bias begins as U(−1/√in, 1/√in) with the default, else 0.
/// </summary>
public sealed class Linear : Layer, ISavableModule<Linear>
{
    private readonly Tensor? bias;

    /// <summary>Creates a layer with the given numbers of inputs and outputs.</summary>
    /// <param name="inputs">The size of the input's last axis, 1 or more.</param>
    /// <param name="outputs">The size of the output's last axis, 1 or more.</param>
    /// <param name="bias">Whether a bias is added.</param>
    /// <param name="initializer">
    /// The initializer of the weights; null: the default of PyTorch, for the bias too.
    /// </param>
    /// <param name="generator">
    /// The random stream for the initial values; <see cref="Generator.Default"/> by default.
    /// </param>
    /// <exception cref="AdjointException">A number is not positive.</exception>
    public Linear(int inputs, int outputs, bool bias = true, Initializer? initializer = null,
        Generator? generator = null)
    {
        if (inputs < 1 || outputs < 1)
            throw new AdjointException($"Linear: inputs and outputs must be positive: found {inputs} and {outputs}");
        (Inputs, Outputs) = (inputs, outputs);
        (Weight, var shift) = InitialValues.Of((int[])[outputs, inputs], bias ? outputs : 0, initializer, generator);
        AddParameter("weight", Weight);
        if (shift is not null) this.bias = AddParameter("bias", shift);
    }

    /// <summary>The number of inputs.</summary>
    public int Inputs { get; }

    /// <summary>The number of outputs.</summary>
    public int Outputs { get; }

    /// <summary>The weights W (out, in).</summary>
    public Tensor Weight { get; }

    /// <summary>The bias b (out); null without one.</summary>
    public Tensor? Bias => bias;

    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x) => bias is null
        ? x.MatMul(Weight.Transpose())
        : x.Linear(Weight, bias);

    /// <inheritdoc/>
    public override string ToString() => $"Linear({Inputs} → {Outputs})";

    static Linear ISavableModule<Linear>.Create(ModuleSettings settings) =>
        new(settings.Integer("inputs"), settings.Integer("outputs"), settings.Flag("bias"));

    void ISavableModule.Describe(ModuleSettings settings)
    {
        settings.Set("inputs", Inputs);
        settings.Set("outputs", Outputs);
        settings.Set("bias", bias is not null);
    }
}
