using Adjoint.Kernels;

namespace Adjoint.Nn;

/// <summary>
/// Gated recurrent units (Cho et al. 2014) of one or more layers, in one direction or both: x (n, t, inputs) → (n, t,
/// directions·width). Batch first; names and layouts of parameters, the order r, z, n of gates, and the reset gate
/// after the product are PyTorch's.
/// </summary>
public sealed class Gru : RecurrentLayer, ISavableModule<Gru>
{
    /// <summary>Creates a network with the given numbers of inputs and units.</summary>
    /// <param name="inputs">The number of inputs at each step, 1 or more.</param>
    /// <param name="width">The number of units of each layer and direction, 1 or more.</param>
    /// <param name="options">Layers, directions, dropout; null: one layer, forward. There is no projection.</param>
    /// <param name="generator">
    /// The random stream for the initial values and dropout; <see cref="Generator.Default"/> by default.
    /// </param>
    /// <exception cref="AdjointException">A number is out of its range, or there is a projection.</exception>
    public Gru(int inputs, int width, RecurrentOptions? options = null, Generator? generator = null)
        : base("Gru", RecurrentCell.Gru.Gates(), inputs, width, options, generator)
    {
    }

    /// <summary>All outputs, and the state after the last step of each sequence.</summary>
    /// <param name="x">The input (n, t, inputs).</param>
    /// <param name="state">The hidden states before the first step (layers·directions, n, width); null: zeros.</param>
    /// <param name="lengths">
    /// The steps of each sequence (n) int64, from 0 to t; what lies beyond is not read. Null: all have t.
    /// </param>
    /// <returns>
    /// Outputs of the last layer (n, t, directions·width), 0 beyond a sequence's length, and hidden states at its end;
    /// of a length of 0, the state that it had.
    /// </returns>
    /// <exception cref="AdjointException">
    /// Shapes or types do not fit, or a length is negative or more than t.
    /// </exception>
    public (Tensor Outputs, Tensor State) Forward(Tensor x, Tensor? state, Tensor? lengths = null) =>
        Call([x, state, lengths], () =>
        {
            var (y, h, _) = Run(x, state, null, lengths);
            return (y, h);
        });

    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x) => Run(x, null, null, null).Outputs;

    private protected override (Tensor Outputs, Tensor Hidden, Tensor? Cell) Apply(
        Tensor x, RecurrentWeights weights, Tensor? hidden, Tensor? cell, Tensor? lengths, bool isReverse)
    {
        var (outputs, last) = x.Gru(weights, hidden, lengths, isReverse);
        return (outputs, last, null);
    }

    static Gru ISavableModule<Gru>.Create(ModuleSettings settings) =>
        new(settings.Integer("inputs"), settings.Integer("width"), Read(settings));

    void ISavableModule.Describe(ModuleSettings settings) => Write(settings);
}
