using Adjoint.Kernels;

namespace Adjoint;

/// <summary>A long short-term memory over whole sequences.</summary>
internal sealed class LstmOp(RecurrentInputs layout, bool isReverse)
    : RecurrentOp(RecurrentCell.Lstm, layout, isReverse)
{
    public override string Name => "Lstm";

    public override string Formula =>
        "s = W_ih·xₜ + b_ih + W_hh·hₜ₋₁ + b_hh; i = σ(s_i), f = σ(s_f), g = tanh(s_g), o = σ(s_o); "
        + "cₜ = f·cₜ₋₁ + i·g; hₜ = o·tanh(cₜ); yₜ = hₜ";

    public override string Derivation =>
        "From the last step to the first, ∂h = ∂L/∂yₜ + W_hhᵀ·∂sₜ₊₁: ∂c = ∂cₜ₊₁·fₜ₊₁ + ∂h·o·(1 − tanh²(cₜ)); "
        + "∂s_i = ∂c·g·i·(1 − i), ∂s_f = ∂c·cₜ₋₁·f·(1 − f), ∂s_g = ∂c·i·(1 − g²), ∂s_o = ∂h·tanh(cₜ)·o·(1 − o). "
        + "Then ∂L/∂xₜ = W_ihᵀ·∂s, ∂L/∂W_ih = Σ ∂s·xₜᵀ, ∂L/∂W_hh = Σ ∂s·hₜ₋₁ᵀ, ∂L/∂b = Σ ∂s";
}

public static partial class TensorMethods
{
    extension(Tensor x)
    {
        /// <summary>
        /// One layer and direction of a long short-term memory (Hochreiter and Schmidhuber 1997; forget gates: Gers et
        /// al. 2000) over sequences x (n, t, k): with s = W_ih·xₜ + b_ih + W_hh·hₜ₋₁ + b_hh and i, f, o = σ(s), g =
        /// tanh(s), cₜ = f·cₜ₋₁ + i·g and hₜ = o·tanh(cₜ), projected to W_hr·hₜ where there is a projection.
        /// </summary>
        /// <param name="weights">The parameters; gates in the order i, f, g, o.</param>
        /// <param name="hidden">The hidden state before the first step (n, p); null: zeros.</param>
        /// <param name="cell">The cell state before the first step (n, w); null: zeros.</param>
        /// <param name="lengths">
        /// The steps of each sequence (n) int64, from 0 to t. What lies beyond matters to nothing, a NaN included.
        /// Null: all have t.
        /// </param>
        /// <param name="isReverse">Whether each sequence is read from its own last step to its first.</param>
        /// <returns>
        /// The hidden states after all steps (n, t, p), 0 beyond a sequence's length; and hidden state (n, p) and cell
        /// state (n, w) after the last step of each sequence, in the order of reading. Of a sequence of length 0 they
        /// are those before.
        /// </returns>
        /// <exception cref="AdjointException">
        /// Shapes or types do not fit, or a length is negative or more than t.
        /// </exception>
        public (Tensor Outputs, Tensor Hidden, Tensor Cell) Lstm(RecurrentWeights weights, Tensor? hidden = null,
            Tensor? cell = null, Tensor? lengths = null, bool isReverse = false)
        {
            var (layout, inputs) = RecurrentInputs.Of("Lstm", x, weights, hidden, cell, lengths, hasCell: true);
            var all = Op.ApplyAll(new LstmOp(layout, isReverse), inputs);
            return (all[0], all[1], all[2]);
        }
    }
}
