namespace Adjoint.Nn;

/// <summary>
/// y = x·Wᵀ + b, x (n, in) → y (n, out). Weights begin as <see cref="Initializer.Default"/> unless another is given; the bias begins
/// as U(−1/√in, 1/√in) with the default, else 0.
/// </summary>
public sealed class Linear : Layer
{
    private readonly Tensor? bias;

    /// <summary>A layer with the given numbers of inputs and outputs.</summary>
    /// <exception cref="AdjointException">A number is not positive.</exception>
    public Linear(int inputs, int outputs, bool bias = true, Initializer? initializer = null, Generator? generator = null)
    {
        if (inputs < 1 || outputs < 1)
            throw new AdjointException($"Linear: inputs and outputs must be positive: found {inputs} and {outputs}");
        (Inputs, Outputs) = (inputs, outputs);
        (Weight, var shift) = FirstValues.Of((int[])[outputs, inputs], bias ? outputs : 0, initializer, generator);
        AddParameter("weight", Weight);
        if (shift is not null) this.bias = AddParameter("bias", shift);
    }

    /// <summary>The number of inputs.</summary>
    public int Inputs { get; }

    /// <summary>The number of outputs.</summary>
    public int Outputs { get; }

    /// <summary>W (out, in).</summary>
    public Tensor Weight { get; }

    /// <summary>b (out), or null.</summary>
    public Tensor? Bias => bias;

    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x) => bias is null ? x.MatMul(Weight.Transpose()) : x.Linear(Weight, bias);

    /// <inheritdoc/>
    public override string ToString() => $"Linear({Inputs} → {Outputs})";
}
