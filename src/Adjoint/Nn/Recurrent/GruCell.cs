using Adjoint.Kernels;

namespace Adjoint.Nn;

/// <summary>One step of gated recurrent units: x (n, inputs) and a state (n, width) → the next state.</summary>
public sealed class GruCell : RecurrentCellModule, ISavableModule<GruCell>
{
    /// <summary>Creates a cell with the given numbers of inputs and units.</summary>
    /// <param name="inputs">The number of inputs, 1 or more.</param>
    /// <param name="width">The number of units, 1 or more.</param>
    /// <param name="hasBias">Whether there are biases.</param>
    /// <param name="generator">
    /// The random stream for the initial values; <see cref="Generator.Default"/> by default.
    /// </param>
    /// <exception cref="AdjointException">A number is not positive.</exception>
    public GruCell(int inputs, int width, bool hasBias = true, Generator? generator = null)
        : base("GruCell", RecurrentCell.Gru.Gates(), inputs, width, hasBias, generator)
    {
    }

    /// <summary>The state after one step, which is the output.</summary>
    /// <param name="x">The input (n, inputs).</param>
    /// <param name="state">The hidden state (n, width); null: zeros.</param>
    /// <returns>The next hidden state (n, width).</returns>
    /// <exception cref="AdjointException">Shapes or types do not fit.</exception>
    public Tensor Forward(Tensor x, Tensor? state = null) =>
        Call([x, state], () => Step(x).Gru(Weights, state).Hidden);

    static GruCell ISavableModule<GruCell>.Create(ModuleSettings settings) =>
        new(settings.Integer("inputs"), settings.Integer("width"), settings.Flag("bias"));

    void ISavableModule.Describe(ModuleSettings settings) => Write(settings);
}
