namespace Adjoint.Nn;

/// <summary>
/// How the values of a weight matrix (out, in) begin. Fan-in and fan-out are the numbers of inputs and outputs. To
/// write one, derive and override <see cref="Values"/>; layers take it as their initializer. See
/// <c>samples/own-initializer.cs</c>.
/// </summary>
public abstract class Initializer
{
    /// <summary>
    /// U(−a, a), a = √(6 / (in + out)): keeps variances through sigmoid-like layers (Glorot and Bengio 2010, eq. 16).
    /// </summary>
    public static Initializer XavierUniform { get; } = new Scaled(
        "xavier-uniform", normal: false, static (fanIn, fanOut) => Math.Sqrt(6.0 / (fanIn + fanOut)));

    /// <summary>N(0, 2 / (in + out)) (Glorot and Bengio 2010).</summary>
    public static Initializer XavierNormal { get; } = new Scaled(
        "xavier-normal", normal: true, static (fanIn, fanOut) => Math.Sqrt(2.0 / (fanIn + fanOut)));

    /// <summary>U(−a, a), a = √(6 / in): keeps variances through ReLU layers (He et al. 2015, eq. 10).</summary>
    public static Initializer KaimingUniform { get; } = new Scaled(
        "kaiming-uniform", normal: false, static (fanIn, _) => Math.Sqrt(6.0 / fanIn));

    /// <summary>N(0, 2 / in) (He et al. 2015).</summary>
    public static Initializer KaimingNormal { get; } = new Scaled(
        "kaiming-normal", normal: true, static (fanIn, _) => Math.Sqrt(2.0 / fanIn));

    /// <summary>
    /// U(−a, a), a = 1 / √in: the default of linear layers, as in PyTorch's documentation of <c>nn.Linear</c>.
    /// </summary>
    public static Initializer Default { get; } = new Scaled(
        "default", normal: false, static (fanIn, _) => 1 / Math.Sqrt(fanIn));

    /// <summary>N(0, σ²), whatever the numbers of inputs and outputs.</summary>
    /// <param name="deviation">The deviation σ, finite and not negative.</param>
    /// <returns>An initializer of that deviation.</returns>
    /// <exception cref="AdjointException">The deviation is negative or not finite.</exception>
    public static Initializer Normal(double deviation) =>
        new Scaled("normal", normal: true, Constant(deviation, "deviation"));

    /// <summary>U(−a, a), whatever the numbers of inputs and outputs.</summary>
    /// <param name="limit">The limit a, finite and not negative.</param>
    /// <returns>An initializer of that range.</returns>
    /// <exception cref="AdjointException">The limit is negative or not finite.</exception>
    public static Initializer Uniform(double limit) => new Scaled("uniform", normal: false, Constant(limit, "limit"));

    /// <summary>
    /// N(0, 2 / (out · area)) for a convolution whose kernel has so many positions: keeps variances on the way back
    /// (He et al. 2015, eq. 14), as torchvision begins its networks.
    /// </summary>
    internal static Initializer KaimingFanOut(int area) => new Scaled(
        "kaiming-normal-fan-out", normal: true, (_, fanOut) => Math.Sqrt(2.0 / ((double)fanOut * area)));

    /// <summary>The name in settings and messages; the class's name unless overridden.</summary>
    public virtual string Name => GetType().Name;

    /// <summary>Creates a matrix (out, in), float32, from a random stream.</summary>
    /// <param name="outputs">The number of rows: a linear layer's outputs, a convolution's filters.</param>
    /// <param name="inputs">
    /// The number of columns: the inputs of each output, for a convolution kernel positions × channels.
    /// </param>
    /// <param name="generator">The random stream, which advances.</param>
    /// <returns>The matrix, contiguous.</returns>
    /// <exception cref="AdjointException">
    /// The numbers are negative or too large, or the values have another shape or type.
    /// </exception>
    public Tensor Create(int outputs, int inputs, Generator generator)
    {
        using var _ = new NoGrad();
        var values = Values(outputs, inputs, generator);
        return values is { DType: DType.Float32 } && values.Shape == (int[])[outputs, inputs]
            ? values
            : throw new AdjointException(
                $"{Name}: an initializer must return ({outputs}, {inputs}) float32: found "
                + (values is null ? "null" : $"{values.Shape} {values.DType.Label()}; cast with .To(DType.Float32)"));
    }

    /// <summary>
    /// The initial values (out, in), float32, in any layout; layers copy them. Runs without recording gradients.
    /// </summary>
    /// <param name="outputs">The number of rows.</param>
    /// <param name="inputs">The number of columns.</param>
    /// <param name="generator">The random stream to draw from, so that a seed repeats the values.</param>
    /// <returns>The matrix (outputs, inputs).</returns>
    protected abstract Tensor Values(int outputs, int inputs, Generator generator);

    private static Func<int, int, double> Constant(double value, string what) => double.IsFinite(value) && value >= 0
        ? (_, _) => value
        : throw new AdjointException($"Initializer: the {what} must be finite and not negative: found {value}");

    private sealed class Scaled(string name, bool normal, Func<int, int, double> scale) : Initializer
    {
        public override string Name => name;

        protected override Tensor Values(int outputs, int inputs, Generator generator)
        {
            var size = scale(inputs, outputs);
            using var intermediates = Intermediates.Begin(Execution.Current, isPrivate: true);
            var weight = normal
                ? Tensor.Randn([outputs, inputs], generator) * size
                : Tensor.Rand([outputs, inputs], generator).Affine(2 * size, -size);
            intermediates.Release(needed: weight);
            return weight;
        }
    }
}

/// <summary>What the weights and the bias of a layer begin as; zeros where they are loaded afterwards.</summary>
internal static class InitialValues
{
    /// <summary>Numbers of the standard normal distribution.</summary>
    internal static Tensor Normal(Shape shape, Generator? generator) => Execution.Current.IsRestoring
        ? Tensor.Zeros(shape, DType.Float32)
        : Tensor.Randn([.. shape], generator ?? Generator.Default);

    /// <summary>
    /// Weights (rows, …) whose fan-in is the product of the other sizes, and a bias (0: none): U(−1/√fan-in, 1/√fan-in)
    /// with the default initializer, else 0.
    /// </summary>
    internal static (Tensor Weight, Tensor? Bias) Of(
        Shape shape, int biases, Initializer? initializer, Generator? generator)
    {
        if (Execution.Current.IsRestoring)
            return (Tensor.Zeros(shape, DType.Float32), biases == 0 ? null : Tensor.Zeros(biases));
        var (random, fanIn) = (generator ?? Generator.Default, shape.Elements / shape[0]);
        using var _ = new NoGrad();
        // A copy: whoever made the values may hold them.
        var weight = (initializer ?? Initializer.Default).Create(shape[0], fanIn, random).Reshape(shape.Sizes).Clone();
        if (biases == 0) return (weight, null);
        var limit = 1 / Math.Sqrt(fanIn);
        var bias = initializer is null
            ? Tensor.Rand([biases], random).Affine(2 * limit, -limit)
            : Tensor.Zeros(biases);
        return (weight, bias);
    }
}
