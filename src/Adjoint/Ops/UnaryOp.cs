using Adjoint.Kernels;
using Adjoint.Primitives;

namespace Adjoint;

/// <summary>
/// y = f(x), element by element. <typeparamref name="TLane"/> is f; <typeparamref name="TSlope"/> is (g, saved) ↦ g·f′, the same rule as
/// <see cref="Op.Backward"/> in one pass over memory, where saved is the output or the input, as <see cref="Op.Saves"/> says.
/// </summary>
public abstract class UnaryOp<TLane, TSlope>(TLane lane = default, TSlope slope = default) : Op
    where TLane : struct, IUnaryLane where TSlope : struct, IBinaryLane
{
    /// <inheritdoc/>
    public sealed override TensorSpec Infer(ReadOnlySpan<Tensor> inputs)
    {
        if (inputs.Length != 1) throw new AdjointException($"{Name}: takes one tensor: found {inputs.Length}");
        return inputs[0].DType.IsFloating()
            ? new(inputs[0].Shape, inputs[0].DType)
            : throw new AdjointException(
                $"{Name}: needs float32 or float64: found {inputs[0].DType.Label()}; cast with .To(DType.Float32)");
    }

    /// <inheritdoc/>
    public sealed override void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, Tensor output) =>
        Backend.Run(new Map<TLane>(lane), inputs[0], output);

    /// <inheritdoc/>
    public sealed override Tensor?[]? FusedBackward(OpNode node, Tensor gradient)
    {
        var result = Tensor.Empty(gradient.Shape, gradient.DType);
        var saved = Saves.HasFlag(Saves.Output) ? node.Output : Saves.HasFlag(Saves.Inputs) ? node.Inputs[0] : gradient;
        Backend.Run(new Zip<TSlope>(slope), gradient, saved, result);
        return [result];
    }
}
