using Adjoint.Kernels;

namespace Adjoint;

/// <summary>Gated recurrent units over whole sequences.</summary>
internal sealed class GruOp(RecurrentInputs layout, bool isReverse) : RecurrentOp(RecurrentCell.Gru, layout, isReverse)
{
    public override string Name => "Gru";

    public override string Formula =>
        "a = W_ih·xₜ + b_ih, q = W_hh·hₜ₋₁ + b_hh; r = σ(a_r + q_r), z = σ(a_z + q_z), n = tanh(a_n + r·q_n); "
        + "hₜ = n + z·(hₜ₋₁ − n); yₜ = hₜ";

    public override string Derivation =>
        "From the last step to the first, ∂h = ∂L/∂yₜ + W_hhᵀ·∂qₜ₊₁ + ∂hₜ₊₁·zₜ₊₁: ∂a_n = ∂h·(1 − z)·(1 − n²), "
        + "∂a_r = ∂a_n·q_n·r·(1 − r), ∂a_z = ∂h·(hₜ₋₁ − n)·z·(1 − z); ∂q_r = ∂a_r, ∂q_z = ∂a_z, ∂q_n = ∂a_n·r. "
        + "Then ∂L/∂xₜ = W_ihᵀ·∂a, ∂L/∂W_ih = Σ ∂a·xₜᵀ, ∂L/∂W_hh = Σ ∂q·hₜ₋₁ᵀ, ∂L/∂b_ih = Σ ∂a, ∂L/∂b_hh = Σ ∂q";
}

public static partial class TensorMethods
{
    extension(Tensor x)
    {
        /// <summary>
        /// One layer and direction of gated recurrent units (Cho et al. 2014) over sequences x (n, t, k): with a =
        /// W_ih·xₜ + b_ih and q = W_hh·hₜ₋₁ + b_hh, r = σ(a + q), z = σ(a + q), n = tanh(a + r·q), hₜ = n + z·(hₜ₋₁ −
        /// n). The reset gate comes after the product and its bias, as in cuDNN and PyTorch.
        /// </summary>
        /// <param name="weights">The parameters; gates in the order r, z, n.</param>
        /// <param name="hidden">The hidden state before the first step (n, w); null: zeros.</param>
        /// <param name="lengths">
        /// The steps of each sequence (n) int64, from 0 to t. What lies beyond matters to nothing, a NaN included.
        /// Null: all have t.
        /// </param>
        /// <param name="isReverse">Whether each sequence is read from its own last step to its first.</param>
        /// <returns>
        /// The hidden states after all steps (n, t, w), 0 beyond a sequence's length; and that after the last step of
        /// each sequence (n, w), in the order of reading. Of a sequence of length 0 it is the one before.
        /// </returns>
        /// <exception cref="AdjointException">
        /// Shapes or types do not fit, or a length is negative or more than t.
        /// </exception>
        public (Tensor Outputs, Tensor Hidden) Gru(
            RecurrentWeights weights, Tensor? hidden = null, Tensor? lengths = null, bool isReverse = false)
        {
            RecurrentInputs.RefuseProjection("Gru", weights);
            var (layout, inputs) = RecurrentInputs.Of("Gru", x, weights, hidden, null, lengths, hasCell: false);
            var all = Op.ApplyAll(new GruOp(layout, isReverse), inputs);
            return (all[0], all[1]);
        }
    }
}
