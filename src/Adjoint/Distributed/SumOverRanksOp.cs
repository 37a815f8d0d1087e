namespace Adjoint.Distributed;

/// <summary>The sum of a tensor over all ranks, through which gradients pass.</summary>
internal sealed class SumOverRanksOp(Communicator communicator) : Op
{
    public override string Name => "SumOverRanks";
    public override string Formula => "y = Σᵣ xᵣ over the ranks r";
    public override string Derivation => "each rank's y depends on every x: ∂(Σᵣ Lᵣ)/∂x = Σᵣ gᵣ, the same sum";
    public override Saves Saves => Saves.Nothing;
    public override IReadOnlyList<OpAttribute> Attributes => [new("ranks", communicator.Size)];

    public override TensorSpec Infer(ReadOnlySpan<Tensor> inputs) => inputs[0].DType.IsFloating()
        ? new(inputs[0].Shape, inputs[0].DType)
        : throw new AdjointException(
            $"{Name}: a floating input is needed: found {inputs[0].DType.Label()}; cast it with .To(DType.Float64)");

    public override void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, Tensor output) =>
        Backend.Run(new SumOverRanks(communicator), inputs[0], output);

    public override Tensor?[] Backward(OpNode node, Tensor gradient) => [gradient.SumOverRanks(communicator)];
}

/// <summary>Operations on tensors in which all ranks take part.</summary>
public static class RankMethods
{
    extension(Tensor x)
    {
        /// <summary>
        /// Σ x over all ranks, which all ranks get, with the same bits. Each rank calls it at the same place, with a
        /// tensor of the same shape and type, and waits for the others. Gradients pass: the gradient of x is that of
        /// the sum of all ranks' losses, Σ g over all ranks.
        /// </summary>
        /// <param name="communicator">The ranks whose tensors are added.</param>
        /// <returns>A tensor of x's shape and type.</returns>
        /// <exception cref="AdjointException">The type is not floating.</exception>
        /// <exception cref="RankFailureException">Another rank is in another call, or the world is broken.</exception>
        public Tensor SumOverRanks(Communicator communicator)
        {
            ArgumentNullException.ThrowIfNull(communicator);
            return Op.Apply(new SumOverRanksOp(communicator), x);
        }
    }
}
