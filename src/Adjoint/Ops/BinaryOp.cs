using Adjoint.Kernels;
using Adjoint.Primitives;

namespace Adjoint;

/// <summary>z = f(x, y), element by element after broadcasting.</summary>
public abstract class BinaryOp<TLane> : Op where TLane : struct, IBinaryLane
{
    /// <inheritdoc/>
    public sealed override TensorSpec Infer(ReadOnlySpan<Tensor> inputs)
    {
        if (inputs.Length != 2) throw new AdjointException($"{Name}: takes two tensors: found {inputs.Length}");
        var (x, y) = (inputs[0], inputs[1]);
        if (x.DType != y.DType || !x.DType.IsFloating())
            throw new AdjointException($"{Name}: both operands must be float32, or both float64: found {x.DType.Label()} and {y.DType.Label()}; cast one with .To(…)");
        return new(Shape.Broadcast(x.Shape, y.Shape, Name), x.DType);
    }

    /// <inheritdoc/>
    public sealed override void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, Tensor output) =>
        Backend.Run(new Zip<TLane>(), inputs[0], inputs[1], output);

    /// <inheritdoc/>
    public sealed override Tensor?[] Backward(OpNode node, Tensor gradient) =>
    [
        node.Needs(0) ? Left(node, gradient).SumTo(node.Inputs[0].Shape) : null,
        node.Needs(1) ? Right(node, gradient).SumTo(node.Inputs[1].Shape) : null,
    ];

    /// <summary>g·∂f/∂x, before broadcast axes are summed.</summary>
    protected abstract Tensor Left(OpNode node, Tensor gradient);

    /// <summary>g·∂f/∂y, before broadcast axes are summed.</summary>
    protected abstract Tensor Right(OpNode node, Tensor gradient);
}
