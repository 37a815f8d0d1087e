using Adjoint.Kernels;

namespace Adjoint.Nn;

/// <summary>The state of an LSTM: what it knows of the sequences that it has read.</summary>
/// <param name="Hidden">Hidden states (layers·directions, n, width or projection).</param>
/// <param name="Cell">Cell states (layers·directions, n, width).</param>
public sealed record LstmState(Tensor Hidden, Tensor Cell);

/// <summary>
/// A long short-term memory (Hochreiter and Schmidhuber 1997) of one or more layers, in one direction or both: x (n, t,
/// inputs) → (n, t, directions·width). Batch first; names and layouts of parameters, and the order i, f, g, o of gates,
/// are PyTorch's.
/// </summary>
public sealed class Lstm : RecurrentLayer, ISavableModule<Lstm>
{
    /// <summary>Creates a network with the given numbers of inputs and units.</summary>
    /// <param name="inputs">The number of inputs at each step, 1 or more.</param>
    /// <param name="width">The number of units of each layer and direction, 1 or more.</param>
    /// <param name="options">Layers, directions, projection, dropout; null: one layer, forward.</param>
    /// <param name="generator">
    /// The random stream for the initial values and dropout; <see cref="Generator.Default"/> by default.
    /// </param>
    /// <exception cref="AdjointException">A number is out of its range.</exception>
    public Lstm(int inputs, int width, RecurrentOptions? options = null, Generator? generator = null)
        : base("Lstm", RecurrentCell.Lstm.Gates(), inputs, width, options, generator)
    {
    }

    /// <summary>All outputs, and the state after the last step of each sequence.</summary>
    /// <param name="x">The input (n, t, inputs).</param>
    /// <param name="state">The state before the first step; null: zeros.</param>
    /// <param name="lengths">
    /// The steps of each sequence (n) int64, from 0 to t; what lies beyond is not read. Null: all have t.
    /// </param>
    /// <returns>
    /// Outputs of the last layer (n, t, directions·width), 0 beyond a sequence's length, and the state at its end; of a
    /// length of 0, the state that it had.
    /// </returns>
    /// <exception cref="AdjointException">
    /// Shapes or types do not fit, or a length is negative or more than t.
    /// </exception>
    public (Tensor Outputs, LstmState State) Forward(Tensor x, LstmState? state, Tensor? lengths = null)
    {
        var (outputs, hidden, cell) = Call([x, state?.Hidden, state?.Cell, lengths], () =>
        {
            var (y, h, c) = Run(x, state?.Hidden, state?.Cell, lengths);
            return (y, h, c!);
        });
        return (outputs, new(hidden, cell));
    }

    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x) => Run(x, null, null, null).Outputs;

    private protected override (Tensor Outputs, Tensor Hidden, Tensor? Cell) Apply(
        Tensor x, RecurrentWeights weights, Tensor? hidden, Tensor? cell, Tensor? lengths, bool isReverse) =>
        x.Lstm(weights, hidden, cell, lengths, isReverse);

    static Lstm ISavableModule<Lstm>.Create(ModuleSettings settings) =>
        new(settings.Integer("inputs"), settings.Integer("width"), Read(settings));

    void ISavableModule.Describe(ModuleSettings settings) => Write(settings);
}
