using Adjoint.Primitives;

namespace Adjoint;

/// <summary>Chooses between two tensors.</summary>
internal sealed class WhereOp : Op
{
    internal static readonly WhereOp Instance = new();

    public override string Name => "Where";
    public override string Formula => "y = a where the condition holds, b elsewhere";
    public override string Derivation =>
        "∂L/∂a = g where the condition holds, else 0; ∂L/∂b the other way round; summed over broadcast axes";
    public override Saves Saves => Saves.Inputs;

    public override TensorSpec Infer(ReadOnlySpan<Tensor> inputs) => inputs[1].DType == inputs[2].DType
        ? new(Shape.Broadcast(Shape.Broadcast(inputs[0].Shape, inputs[1].Shape, Name), inputs[2].Shape, Name),
            inputs[1].DType)
        : throw new AdjointException($"Where: both choices must have one type: found {inputs[1].DType.Label()} and "
            + $"{inputs[2].DType.Label()}; cast one with .To(…)");

    protected override Tensor[]? Promote(ReadOnlySpan<Tensor> inputs)
    {
        if (inputs[1].DType == inputs[2].DType) return null;
        var type = Promotion.ResultType(inputs[1..]);
        return [inputs[0], inputs[1].To(type), inputs[2].To(type)];
    }

    public override void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, Tensor output) =>
        Backend.Run(new Select(), inputs[0], inputs[1], inputs[2], output);

    public override Tensor?[] Backward(OpNode node, Tensor gradient)
    {
        var zero = Tensor.Scalar(0, gradient.DType);
        return
        [
            null,
            node.Needs(1) ? Apply(Instance, node.Inputs[0], gradient, zero).SumTo(node.Inputs[1].Shape) : null,
            node.Needs(2) ? Apply(Instance, node.Inputs[0], zero, gradient).SumTo(node.Inputs[2].Shape) : null,
        ];
    }
}

public static partial class TensorMethods
{
    extension(Tensor)
    {
        /// <summary>
        /// a where the condition holds, else b, element by element, broadcast; both cast to the type of their sum.
        /// </summary>
        /// <param name="condition">The choice, a bool tensor.</param>
        /// <param name="a">The elements where the condition is true.</param>
        /// <param name="b">The elements where the condition is false.</param>
        /// <returns>A tensor of the broadcast shape, of the type that both promote to.</returns>
        /// <exception cref="AdjointException">The condition is not bool.</exception>
        public static Tensor Where(Tensor condition, Tensor a, Tensor b) => condition.DType == DType.Bool
            ? Op.Apply(WhereOp.Instance, condition, a, b)
            : throw new AdjointException($"Where: the condition must be bool: found {condition.DType.Label()}; compare "
                + "first, as in x.Greater(0)");

        /// <summary>
        /// a where the condition holds, else the number b, element by element, broadcast; in the type of a sum of both.
        /// </summary>
        /// <param name="condition">The choice, a bool tensor.</param>
        /// <param name="a">The elements where the condition is true.</param>
        /// <param name="b">The number where the condition is false.</param>
        /// <returns>A tensor of the broadcast shape.</returns>
        /// <exception cref="AdjointException">The condition is not bool, or a's type has no such number.</exception>
        public static Tensor Where(Tensor condition, Tensor a, Number b) =>
            Tensor.Where(condition, a, b.AsTensor(a, "Where"));

        /// <summary>
        /// The number a where the condition holds, else b, element by element, broadcast; in the type of a sum of both.
        /// </summary>
        /// <param name="condition">The choice, a bool tensor.</param>
        /// <param name="a">The number where the condition is true.</param>
        /// <param name="b">The elements where the condition is false.</param>
        /// <returns>A tensor of the broadcast shape.</returns>
        /// <exception cref="AdjointException">The condition is not bool, or b's type has no such number.</exception>
        public static Tensor Where(Tensor condition, Number a, Tensor b) =>
            Tensor.Where(condition, a.AsTensor(b, "Where"), b);
    }
}
