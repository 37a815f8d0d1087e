using Adjoint.Kernels;

namespace Adjoint.Nn;

/// <summary>One step of a long short-term memory: x (n, inputs) and a state → the next state.</summary>
public sealed class LstmCell : RecurrentCellModule, ISavableModule<LstmCell>
{
    /// <summary>Creates a cell with the given numbers of inputs and units.</summary>
    /// <param name="inputs">The number of inputs, 1 or more.</param>
    /// <param name="width">The number of units, 1 or more.</param>
    /// <param name="hasBias">Whether there are biases.</param>
    /// <param name="generator">
    /// The random stream for the initial values; <see cref="Generator.Default"/> by default.
    /// </param>
    /// <exception cref="AdjointException">A number is not positive.</exception>
    public LstmCell(int inputs, int width, bool hasBias = true, Generator? generator = null)
        : base("LstmCell", RecurrentCell.Lstm.Gates(), inputs, width, hasBias, generator)
    {
    }

    /// <summary>The state after one step; its hidden state is the output.</summary>
    /// <param name="x">The input (n, inputs).</param>
    /// <param name="state">Hidden and cell state (n, width) each; null: zeros.</param>
    /// <returns>The next state (n, width) each.</returns>
    /// <exception cref="AdjointException">Shapes or types do not fit.</exception>
    public LstmState Forward(Tensor x, LstmState? state = null)
    {
        var (hidden, cell) = Call([x, state?.Hidden, state?.Cell], () =>
        {
            var (_, h, c) = Step(x).Lstm(Weights, state?.Hidden, state?.Cell);
            return (h, c);
        });
        return new(hidden, cell);
    }

    static LstmCell ISavableModule<LstmCell>.Create(ModuleSettings settings) =>
        new(settings.Integer("inputs"), settings.Integer("width"), settings.Flag("bias"));

    void ISavableModule.Describe(ModuleSettings settings) => Write(settings);
}
