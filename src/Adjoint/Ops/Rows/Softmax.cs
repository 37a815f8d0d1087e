namespace Adjoint;

/// <summary>Rows to probabilities.</summary>
internal sealed class SoftmaxOp : Op
{
    internal static readonly SoftmaxOp Instance = new();

    public override string Name => "Softmax";
    public override string Formula => "yⱼ = e^xⱼ / Σₖ e^xₖ over the last axis";
    public override string Derivation => "∂yⱼ/∂xₖ = yⱼ([j = k] − yₖ), so ∂L/∂x = y · (g − Σⱼ gⱼ yⱼ)";
    public override Saves Saves => Saves.Output;

    public override TensorSpec Infer(ReadOnlySpan<Tensor> inputs) => new(inputs[0].Shape, inputs[0].DType);

    public override void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, Tensor output) =>
        Backend.Run(new Primitives.Softmax(), inputs[0], output);

    public override Tensor?[] FusedBackward(OpNode node, Tensor gradient)
    {
        var dx = Tensor.Empty(gradient.Shape, gradient.DType);
        Backend.Run(new Primitives.SoftmaxGradient(), node.Output, gradient, dx);
        return [dx];
    }

    public override Tensor?[] Backward(OpNode node, Tensor gradient)
    {
        var (y, g) = (node.Output.Widened(), gradient.Widened());
        return [(y * (g - (g * y).Sum(-1, keepDims: true))).To(gradient.DType)];
    }
}

/// <summary>Rows to logarithms of probabilities.</summary>
internal sealed class LogSoftmaxOp : Op
{
    internal static readonly LogSoftmaxOp Instance = new();

    public override string Name => "LogSoftmax";
    public override string Formula => "yⱼ = xⱼ − ln Σₖ e^xₖ over the last axis";
    public override string Derivation => "∂yⱼ/∂xₖ = [j = k] − e^yₖ, so ∂L/∂x = g − eʸ · Σⱼ gⱼ";
    public override Saves Saves => Saves.Output;

    public override TensorSpec Infer(ReadOnlySpan<Tensor> inputs) => new(inputs[0].Shape, inputs[0].DType);

    public override void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, Tensor output) =>
        Backend.Run(new Primitives.LogSoftmax(), inputs[0], output);

    public override Tensor?[] FusedBackward(OpNode node, Tensor gradient)
    {
        var dx = Tensor.Empty(gradient.Shape, gradient.DType);
        Backend.Run(new Primitives.LogSoftmaxGradient(), node.Output, gradient, dx);
        return [dx];
    }

    public override Tensor?[] Backward(OpNode node, Tensor gradient)
    {
        var (y, g) = (node.Output.Widened(), gradient.Widened());
        return [(g - y.Exp() * g.Sum(-1, keepDims: true)).To(gradient.DType)];
    }
}

// Softmax, log-softmax, normalize.
public static partial class TensorMethods
{
    extension(Tensor x)
    {
        /// <summary>
        /// eˣ / Σ eˣ along an axis, without overflow: positive numbers that sum to 1; NaN all along where one is NaN.
        /// </summary>
        /// <param name="axis">The axis; a negative one counts from the last.</param>
        /// <returns>A tensor of x's shape and type; float32 for integers and truth values.</returns>
        public Tensor Softmax(int axis = -1) => Along(x, axis, SoftmaxOp.Instance);

        /// <summary>x − ln Σ eˣ along an axis, the logarithm of the softmax, without overflow.</summary>
        /// <param name="axis">The axis; a negative one counts from the last.</param>
        /// <returns>A tensor of x's shape and type; float32 for integers and truth values.</returns>
        public Tensor LogSoftmax(int axis = -1) => Along(x, axis, LogSoftmaxOp.Instance);

        /// <summary>x / Σ x along an axis, so that it sums to 1; NaN or ∞ where the sum is 0.</summary>
        /// <param name="axis">The axis; a negative one counts from the last.</param>
        /// <returns>A tensor of x's shape and type; float32 for integers and truth values.</returns>
        public Tensor Normalize(int axis = -1) => x / x.Sum(axis, keepDims: true);
    }

    private static Tensor Along(Tensor x, int axis, Op op)
    {
        var at = x.Shape.Axis(axis, op.Name);
        return at == x.Rank - 1 ? Op.Apply(op, x) : Op.Apply(op, x.Transpose(at, -1)).Transpose(at, -1);
    }
}
