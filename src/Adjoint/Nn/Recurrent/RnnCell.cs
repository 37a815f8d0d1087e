using Adjoint.Kernels;

namespace Adjoint.Nn;

/// <summary>One step of a plain recurrent network: x (n, inputs) and a state (n, width) → the next state.</summary>
public sealed class RnnCell : RecurrentCellModule, ISavableModule<RnnCell>
{
    /// <summary>Creates a cell with the given numbers of inputs and units.</summary>
    /// <param name="inputs">The number of inputs, 1 or more.</param>
    /// <param name="width">The number of units, 1 or more.</param>
    /// <param name="hasBias">Whether there are biases.</param>
    /// <param name="activation">What is applied to the sums.</param>
    /// <param name="generator">
    /// The random stream for the initial values; <see cref="Generator.Default"/> by default.
    /// </param>
    /// <exception cref="AdjointException">A number is not positive, or there is no such activation.</exception>
    public RnnCell(int inputs, int width, bool hasBias = true,
        RecurrentActivation activation = RecurrentActivation.Tanh, Generator? generator = null)
        : base("RnnCell", RecurrentCell.Tanh.Gates(), inputs, width, hasBias, generator)
    {
        if (!Enum.IsDefined(activation))
            throw new AdjointException($"RnnCell: the activation must be Tanh or Relu: found {activation}");
        Activation = activation;
    }

    /// <summary>What is applied to the sums.</summary>
    public RecurrentActivation Activation { get; }

    /// <summary>The state after one step, which is the output.</summary>
    /// <param name="x">The input (n, inputs).</param>
    /// <param name="state">The hidden state (n, width); null: zeros.</param>
    /// <returns>The next hidden state (n, width).</returns>
    /// <exception cref="AdjointException">Shapes or types do not fit.</exception>
    public Tensor Forward(Tensor x, Tensor? state = null) =>
        Call([x, state], () => Step(x).Rnn(Weights, state, activation: Activation).Hidden);

    static RnnCell ISavableModule<RnnCell>.Create(ModuleSettings settings) =>
        new(settings.Integer("inputs"), settings.Integer("width"), settings.Flag("bias"),
            settings.Flag("relu") ? RecurrentActivation.Relu : RecurrentActivation.Tanh);

    void ISavableModule.Describe(ModuleSettings settings)
    {
        Write(settings);
        settings.Set("relu", Activation == RecurrentActivation.Relu);
    }
}
