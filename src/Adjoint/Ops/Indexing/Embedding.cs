using Adjoint.Primitives;

namespace Adjoint;

/// <summary>Rows of a table, by their numbers.</summary>
internal sealed class EmbeddingOp : Op
{
    internal static readonly EmbeddingOp Instance = new();

    public override string Name => "Embedding";
    public override string Formula => "y[…] = w[x[…]], a row of w for each number in x";
    public override string Derivation =>
        "a row of w enters every place that names it: ∂L/∂w[i] = Σ over the places with x[…] = i of g[…]";
    public override Saves Saves => Saves.Nothing;

    public override TensorSpec Infer(ReadOnlySpan<Tensor> inputs)
    {
        var (weight, index) = (inputs[0], inputs[1]);
        if (weight.Rank != 2)
            throw new AdjointException($"{Name}: weights (rows, features) are needed: found {weight.Shape}");
        if (index.DType != DType.Int64)
            throw new AdjointException(
                $"{Name}: indices must be int64: found {index.DType.Label()}; use .To(DType.Int64)");
        return new((int[])[.. index.Shape.Sizes, weight.Shape[1]], weight.DType);
    }

    public override void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, Tensor output)
    {
        Backend.Run(new Embedding(), inputs[0], inputs[1], output);
        context.Save(inputs[1]);
    }

    public override Tensor?[] Backward(OpNode node, Tensor gradient)
    {
        var (weight, index) = (node.Inputs[0].Shape, node.Saved[0]);
        var rows = gradient.Reshape(index.Length, weight[1]);
        return [Apply(new IndexAddOp(0, weight), rows, index.Reshape(-1)), null];
    }
}

public static partial class TensorMethods
{
    extension(Tensor weight)
    {
        /// <summary>
        /// One row of the weights (rows, d) per index: y[…] = weight[index[…]], of shape (…, d). The gradient of a row
        /// is the sum over all places where it was taken.
        /// </summary>
        /// <param name="index">Row numbers (…) int64, from 0 to rows − 1.</param>
        /// <returns>The rows (…, d), of the weights' type.</returns>
        /// <exception cref="AdjointException">
        /// The weights are not (rows, d), the index is not int64, or a number is outside 0 … rows − 1.
        /// </exception>
        public Tensor Embedding(Tensor index) => Op.Apply(EmbeddingOp.Instance, weight, index);
    }
}
