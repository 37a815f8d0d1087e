namespace Adjoint;

/// <summary>
/// A differentiable function of tensors with several results: the k largest elements and where they lie, the output and
/// the state of a cell. Write it as an <see cref="Op"/>, with lists in place of the one result; then call
/// <see cref="Op.ApplyAll"/>. Results of integers or truth values have no gradient.
/// </summary>
/// <remarks>Taken as an <see cref="Op"/> it is the function from the inputs to its first result.</remarks>
public abstract class MultiOp : Op
{
    /// <summary>The shape rule: checks the inputs and says what each result will be. Computes nothing.</summary>
    /// <returns>One for each result, at least one.</returns>
    /// <exception cref="AdjointException">The inputs break a rule.</exception>
    public abstract TensorSpec[] InferAll(ReadOnlySpan<Tensor> inputs);

    /// <summary>
    /// Computes into <paramref name="outputs"/>, which are contiguous and uninitialised, in the order of
    /// <see cref="InferAll"/>.
    /// </summary>
    public abstract void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, ReadOnlySpan<Tensor> outputs);

    /// <summary>
    /// The gradients of the inputs, given those of the outputs: null for an output that nothing led back to, and never
    /// null for all of them. One per input, null where none is needed (<see cref="OpNode.Needs"/>) or none exists.
    /// Written in ops, so that it can be differentiated again.
    /// </summary>
    public abstract Tensor?[] Backward(OpNode node, ReadOnlySpan<Tensor?> gradients);

    /// <inheritdoc/>
    public sealed override TensorSpec Infer(ReadOnlySpan<Tensor> inputs) => InferAll(inputs)[0];

    /// <inheritdoc/>
    public sealed override void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, Tensor output)
    {
        var outputs = Create(InferAll(inputs));
        outputs[0] = output;
        Forward(context, inputs, outputs);
    }

    /// <inheritdoc/>
    public sealed override Tensor?[] Backward(OpNode node, Tensor gradient)
    {
        var gradients = new Tensor?[node.Outputs.Count];
        gradients[0] = gradient;
        return Backward(node, gradients);
    }

    internal static Tensor[] Create(TensorSpec[] specs) =>
        Array.ConvertAll(specs, spec => Tensor.Empty(spec.Shape, spec.DType));
}
