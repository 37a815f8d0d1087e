namespace Adjoint;

/// <summary>The backward pass: gradients of a tensor with respect to what it was computed from.</summary>
public static class Differentiation
{
    extension(Tensor root)
    {
        /// <summary>
        /// Adds ∂(this)/∂(leaf) to <c>.Grad</c> of every leaf that requires a gradient. Consumes the graph, unless
        /// <paramref name="retainGraph"/>; values and gradients stay readable at least until the next call on this
        /// thread.
        /// </summary>
        /// <param name="gradient">
        /// The gradient ∂L/∂(this), of this tensor's shape; null for a scalar, where it is 1.
        /// </param>
        /// <param name="retainGraph">Whether to keep the graph for another call.</param>
        /// <param name="createGraph">
        /// Whether to record the backward pass too, so that gradients can be differentiated again; implies
        /// <paramref name="retainGraph"/>.
        /// </param>
        /// <exception cref="AdjointException">
        /// The tensor is no scalar and no gradient is given, no graph leads to it, or the graph was consumed.
        /// </exception>
        public void Backward(Tensor? gradient = null, bool retainGraph = false, bool createGraph = false) =>
            BackwardPass.Run(root, Seed(root, gradient), retainGraph, createGraph);

        /// <summary>
        /// As <c>Backward()</c>, for the given leaves alone: no other <c>.Grad</c> is changed, and only what leads to
        /// them is computed.
        /// </summary>
        /// <param name="leaves">The leaves; those that do not require a gradient get none.</param>
        /// <exception cref="AdjointException">
        /// One of them was computed by an op; or as for <c>Backward()</c>.
        /// </exception>
        public void BackwardTo(IEnumerable<Tensor> leaves)
        {
            var wanted = leaves.ToHashSet();
            foreach (var leaf in wanted)
                if (leaf is { RequiresGrad: true, Source: { } source })
                    throw new AdjointException(
                        $"BackwardTo: gradients are added to leaves: found {leaf.Name ?? leaf.Shape.ToString()}, made "
                        + $"by {source.Op.Name}; pass the leaves that it is made of, or use "
                        + "Differentiation.Gradients");
            BackwardPass.Run(root, Seed(root, null), retainGraph: false, createGraph: false, leaves: wanted);
        }
    }

    /// <summary>
    /// The gradients of <paramref name="output"/> with respect to <paramref name="inputs"/>, without changing any
    /// <c>.Grad</c> (PyTorch's <c>autograd.grad</c>).
    /// </summary>
    /// <param name="output">What to differentiate, a scalar unless <paramref name="gradient"/> is given.</param>
    /// <param name="inputs">With respect to what: tensors of the graph, leaves or not.</param>
    /// <param name="gradient">The gradient ∂L/∂(output), of its shape; null for a scalar, where it is 1.</param>
    /// <param name="retainGraph">Whether to keep the graph for another call.</param>
    /// <param name="createGraph">
    /// Whether to record the backward pass too, so that gradients can be differentiated again; implies
    /// <paramref name="retainGraph"/>.
    /// </param>
    /// <returns>One gradient for each input, of its shape; null where the output does not depend on it.</returns>
    /// <exception cref="AdjointException">As for <c>Backward</c>.</exception>
    public static Tensor?[] Gradients(Tensor output, IReadOnlyList<Tensor> inputs, Tensor? gradient = null,
        bool retainGraph = false, bool createGraph = false)
    {
        var wanted = new Dictionary<Tensor, Tensor?>();
        foreach (var input in inputs) wanted[input] = null;
        BackwardPass.Run(output, Seed(output, gradient), retainGraph, createGraph, wanted);
        return [.. inputs.Select(input => wanted[input])];
    }

    private static Tensor Seed(Tensor root, Tensor? gradient)
    {
        if (!root.RequiresGrad)
            throw new AdjointException(
                "Backward: no input of this tensor requires a gradient; call .RequireGrad() on the leaves before "
                + "computing, outside of NoGrad");
        if (gradient is null)
        {
            if (root.Length != 1)
                throw new AdjointException(
                    "Backward: without a gradient, only a tensor of one element can be differentiated: found "
                    + $"{root.Shape}; reduce it with .Sum() or .Mean(), or pass gradient: a tensor of that shape");
            return One(root);
        }
        if (gradient.Shape != root.Shape || gradient.DType != root.DType)
            throw new AdjointException(
                $"Backward: the gradient given must be {root.Shape} {root.DType.Label()}: found {gradient.Shape} "
                + $"{gradient.DType.Label()}");
        return gradient;
    }

    private static Tensor One(Tensor root)
    {
        var execution = Execution.Current;
        var device = execution.Enter(root.Device);
        try
        {
            return Tensor.Full(root.Shape, 1, root.DType).MarkUnit();
        }
        finally
        {
            execution.Device = device;
        }
    }
}
