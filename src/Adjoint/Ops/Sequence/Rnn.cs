using Adjoint.Kernels;

namespace Adjoint;

/// <summary>A plain recurrent network over whole sequences.</summary>
internal sealed class RnnOp(RecurrentActivation activation, RecurrentInputs layout, bool isReverse) : RecurrentOp(
    activation == RecurrentActivation.Relu ? RecurrentCell.Relu : RecurrentCell.Tanh, layout, isReverse)
{
    public override string Name => "Rnn";

    public override string Formula => $"hₜ = {Function}(W_ih·xₜ + b_ih + W_hh·hₜ₋₁ + b_hh); yₜ = hₜ";

    public override string Derivation =>
        "From the last step to the first, ∂h = ∂L/∂yₜ + W_hhᵀ·∂sₜ₊₁: ∂s = ∂h · "
        + (activation == RecurrentActivation.Relu ? "(1 where hₜ > 0, else 0)" : "(1 − hₜ²)")
        + ". Then ∂L/∂xₜ = W_ihᵀ·∂s, ∂L/∂W_ih = Σ ∂s·xₜᵀ, ∂L/∂W_hh = Σ ∂s·hₜ₋₁ᵀ, ∂L/∂b = Σ ∂s";

    public override IReadOnlyList<OpAttribute> Attributes => [new("activation", Function), .. base.Attributes];

    private string Function => activation == RecurrentActivation.Relu ? "relu" : "tanh";
}

public static partial class TensorMethods
{
    extension(Tensor x)
    {
        /// <summary>
        /// One layer and direction of a plain recurrent network (Elman 1990) over sequences x (n, t, k): hₜ = f(W_ih·xₜ
        /// + b_ih + W_hh·hₜ₋₁ + b_hh), f the hyperbolic tangent or max(0, s).
        /// </summary>
        /// <param name="weights">The parameters, of one gate.</param>
        /// <param name="hidden">The hidden state before the first step (n, w); null: zeros.</param>
        /// <param name="lengths">
        /// The steps of each sequence (n) int64, from 0 to t. What lies beyond matters to nothing, a NaN included.
        /// Null: all have t.
        /// </param>
        /// <param name="isReverse">Whether each sequence is read from its own last step to its first.</param>
        /// <param name="activation">The function f.</param>
        /// <returns>
        /// The hidden states after all steps (n, t, w), 0 beyond a sequence's length; and that after the last step of
        /// each sequence (n, w), in the order of reading. Of a sequence of length 0 it is the one before.
        /// </returns>
        /// <exception cref="AdjointException">
        /// Shapes or types do not fit, or a length is negative or more than t.
        /// </exception>
        public (Tensor Outputs, Tensor Hidden) Rnn(RecurrentWeights weights, Tensor? hidden = null,
            Tensor? lengths = null, bool isReverse = false, RecurrentActivation activation = RecurrentActivation.Tanh)
        {
            RecurrentInputs.RefuseProjection("Rnn", weights);
            var (layout, inputs) = RecurrentInputs.Of("Rnn", x, weights, hidden, null, lengths, hasCell: false);
            var all = Op.ApplyAll(new RnnOp(activation, layout, isReverse), inputs);
            return (all[0], all[1]);
        }
    }
}
