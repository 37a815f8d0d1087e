namespace Adjoint;

/// <summary>
/// A differentiable function of tensors with several results, such as the k largest elements and their positions, or a
/// cell's output and state. Write it as an <see cref="Op"/>, with lists in place of the one result; then call
/// <see cref="Op.ApplyAll"/>. Results of integers or truth values have no gradient.
/// </summary>
/// <remarks>Taken as an <see cref="Op"/> it is the function from the inputs to its first result.</remarks>
public abstract class MultiOp : Op
{
    /// <summary>The shape rule: checks the inputs and says what each result will be. Computes nothing.</summary>
    /// <param name="inputs">The tensors that the op is applied to, after promotion.</param>
    /// <returns>One specification for each result, at least one.</returns>
    /// <exception cref="AdjointException">The inputs break a rule.</exception>
    public abstract TensorSpec[] InferAll(ReadOnlySpan<Tensor> inputs);

    /// <summary>Computes into <paramref name="outputs"/>, in the order of <see cref="InferAll"/>.</summary>
    /// <param name="context">Memory for intermediate results, and for what backward needs.</param>
    /// <param name="inputs">The tensors that the op is applied to, after promotion.</param>
    /// <param name="outputs">The results, contiguous and uninitialized.</param>
    public abstract void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, ReadOnlySpan<Tensor> outputs);

    /// <summary>
    /// The gradients of the inputs, given those of the outputs. Written in ops, so that it can be differentiated again.
    /// </summary>
    /// <param name="node">The node: inputs, outputs, and what forward saved.</param>
    /// <param name="gradients">
    /// The gradients of the outputs: null for one that nothing led back to, but never for all.
    /// </param>
    /// <returns>
    /// One gradient per input, null where none is needed (<see cref="OpNode.Needs"/>) or none exists.
    /// </returns>
    public abstract Tensor?[] Backward(OpNode node, ReadOnlySpan<Tensor?> gradients);

    /// <summary>The same gradients in fewer passes over memory, not differentiable.</summary>
    /// <param name="node">The node: inputs, outputs, and what forward saved.</param>
    /// <param name="gradients">
    /// The gradients of the outputs: null for one that nothing led back to, but never for all.
    /// </param>
    /// <returns>
    /// One gradient per input; null where <see cref="Backward(OpNode, ReadOnlySpan{Tensor})"/> is to be used.
    /// </returns>
    public virtual Tensor?[]? FusedBackward(OpNode node, ReadOnlySpan<Tensor?> gradients) => null;

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
    public sealed override Tensor?[] Backward(OpNode node, Tensor gradient) => Backward(node, First(node, gradient));

    /// <inheritdoc/>
    public sealed override Tensor?[]? FusedBackward(OpNode node, Tensor gradient) =>
        FusedBackward(node, First(node, gradient));

    private static Tensor?[] First(OpNode node, Tensor gradient)
    {
        var gradients = new Tensor?[node.Outputs.Count];
        gradients[0] = gradient;
        return gradients;
    }

    internal static Tensor[] Create(TensorSpec[] specs) =>
        Array.ConvertAll(specs, spec => Tensor.Empty(spec.Shape, spec.DType));
}
