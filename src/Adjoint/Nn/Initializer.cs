namespace Adjoint.Nn;

/// <summary>How the values of a weight matrix (out, in) begin. Fan-in and fan-out are the numbers of inputs and outputs.</summary>
public sealed class Initializer
{
    private readonly Func<int, int, double> scale;
    private readonly bool normal;

    private Initializer(string name, bool normal, Func<int, int, double> scale) => (Name, this.normal, this.scale) = (name, normal, scale);

    /// <summary>The name in settings.</summary>
    public string Name { get; }

    /// <summary>U(−a, a), a = √(6 / (in + out)): keeps variances through sigmoid-like layers (Glorot and Bengio 2010, eq. 16).</summary>
    public static Initializer XavierUniform { get; } = new("xavier-uniform", false, static (fanIn, fanOut) => Math.Sqrt(6.0 / (fanIn + fanOut)));

    /// <summary>N(0, 2 / (in + out)) (Glorot and Bengio 2010).</summary>
    public static Initializer XavierNormal { get; } = new("xavier-normal", true, static (fanIn, fanOut) => Math.Sqrt(2.0 / (fanIn + fanOut)));

    /// <summary>U(−a, a), a = √(6 / in): keeps variances through ReLU layers (He et al. 2015, eq. 10).</summary>
    public static Initializer KaimingUniform { get; } = new("kaiming-uniform", false, static (fanIn, _) => Math.Sqrt(6.0 / fanIn));

    /// <summary>N(0, 2 / in) (He et al. 2015).</summary>
    public static Initializer KaimingNormal { get; } = new("kaiming-normal", true, static (fanIn, _) => Math.Sqrt(2.0 / fanIn));

    /// <summary>U(−a, a), a = 1 / √in: the default of linear layers, as in PyTorch's documentation of <c>nn.Linear</c>.</summary>
    public static Initializer Default { get; } = new("default", false, static (fanIn, _) => 1 / Math.Sqrt(fanIn));

    /// <summary>A matrix (out, in) from the generator.</summary>
    public Tensor Create(int outputs, int inputs, Generator generator)
    {
        var size = scale(inputs, outputs);
        using var _ = new NoGrad();
        using var intermediates = Intermediates.Begin(Execution.Current, isPrivate: true);
        var weight = normal
            ? Tensor.Randn([outputs, inputs], generator) * size
            : Tensor.Rand([outputs, inputs], generator).Affine(2 * size, -size);
        intermediates.Release(needed: weight);
        return weight;
    }
}

/// <summary>What the weights and the bias of a layer begin as.</summary>
internal static class FirstValues
{
    /// <summary>A matrix (rows, fan-in), and a bias (0: none): U(−1/√fan-in, 1/√fan-in) with the default initialiser, else 0.</summary>
    internal static (Tensor Weight, Tensor? Bias) Of(int rows, int fanIn, int biases, Initializer? initializer, Generator? generator)
    {
        var random = generator ?? Generator.Default;
        using var _ = new NoGrad();
        var weight = (initializer ?? Initializer.Default).Create(rows, fanIn, random);
        if (biases == 0) return (weight, null);
        var limit = 1 / Math.Sqrt(fanIn);
        return (weight, initializer is null ? Tensor.Rand([biases], random).Affine(2 * limit, -limit) : Tensor.Zeros(biases));
    }
}
