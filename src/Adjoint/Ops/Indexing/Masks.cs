using Adjoint.Kernels;
using Adjoint.Primitives;

namespace Adjoint;

/// <summary>
/// y = m(g, x), linear in g, where m only picks or scales g by the sign of x: rules of kinked functions, whose
/// derivative with respect to x is 0.
/// </summary>
internal sealed class MaskOp<TOperator>(TOperator op) : Op where TOperator : struct, IBinaryOperator
{
    public override string Name => "Mask";
    public override string Formula => "y = m(x) · g";
    public override string Derivation => "∂L/∂g = m(x) · ∂L/∂y; m is piecewise constant in x";
    public override Saves Saves => Saves.Inputs;
    public override IReadOnlyList<OpAttribute> Attributes =>
        [new("of", $"{typeof(TOperator).DeclaringType!.Name}.{typeof(TOperator).Name}")];

    public override TensorSpec Infer(ReadOnlySpan<Tensor> inputs) => new(inputs[0].Shape, inputs[0].DType);

    public override void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, Tensor output) =>
        Backend.Run(new Zip<TOperator>(op), inputs[0], inputs[1], output);

    public override Tensor?[] Backward(OpNode node, Tensor gradient) => [gradient.MaskedBy(op, node.Inputs[1]), null];
}

internal static class MaskMethods
{
    extension(Tensor gradient)
    {
        internal Tensor MaskedBy<TOperator>(TOperator op, Tensor by) where TOperator : struct, IBinaryOperator =>
            Op.Apply(new MaskOp<TOperator>(op), gradient, by.Detach());

        /// <summary>
        /// The weight of x in the gradient of min(x, y): 0 where y &lt; x, ½ where they are equal, else 1, where one is
        /// NaN too. Without a history.
        /// </summary>
        internal Tensor MinimumWeight(Tensor y)
        {
            var result = Tensor.Empty(Shape.Broadcast(gradient.Shape, y.Shape, "MinimumWeight"), y.DType);
            Backend.Run(new Zip<MinimumWeightOperator>(), gradient, y, result);
            return result;
        }
    }

    private readonly struct MinimumWeightOperator : IBinaryOperator
    {
        public V Invoke<V>(V x, V y) where V : struct, ILanes<V> =>
            V.Select(V.Less(y, x), V.Splat(0), V.Select(V.Equal(x, y), V.Splat(0.5), V.Splat(1)));
    }
}
