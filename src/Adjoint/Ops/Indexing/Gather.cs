using Adjoint.Primitives;

namespace Adjoint;

/// <summary>Picks elements along an axis.</summary>
internal sealed class GatherOp(int axis) : Op
{
    public override string Name => "Gather";
    public override string Formula => "y[…, j, …] = x[…, index[…, j, …], …]";
    public override string Derivation => "∂L/∂x = Σ of g over the places that picked the element, 0 where none did";
    public override Saves Saves => Saves.Inputs;
    public override IReadOnlyList<OpAttribute> Attributes => [new("axis", axis)];

    public override TensorSpec Infer(ReadOnlySpan<Tensor> inputs)
    {
        var (x, index) = (inputs[0], inputs[1]);
        var fits = index.DType == DType.Int64 && index.Rank == x.Rank;
        for (var a = 0; fits && a < x.Rank; a++) fits = a == axis || index.Shape[a] == x.Shape[a];
        return fits
            ? new(index.Shape, x.DType)
            : throw new AdjointException($"Gather: the index must be int64 and agree with {x.Shape} in every axis but "
                + $"{axis}: found {index.Shape} {index.DType.Label()}");
    }

    public override void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, Tensor output) =>
        Backend.Run(new Gather(axis), inputs[0], inputs[1], output);

    public override Tensor?[] Backward(OpNode node, Tensor gradient) =>
        [Apply(new ScatterAddOp(axis, node.Inputs[0].Shape), gradient, node.Inputs[1]), null];
}

/// <summary>The reverse of gather: adds each element at the place from which gather would have picked.</summary>
internal sealed class ScatterAddOp(int axis, Shape to) : Op
{
    public override string Name => "ScatterAdd";
    public override string Formula => "y[…, index[…, j, …], …] += x[…, j, …], from 0";
    public override string Derivation => "∂L/∂x = g, gathered at the same places";
    public override Saves Saves => Saves.Inputs;
    public override IReadOnlyList<OpAttribute> Attributes => [new("axis", axis), new("shape", to)];

    public override TensorSpec Infer(ReadOnlySpan<Tensor> inputs) => new(to, inputs[0].DType);

    public override void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, Tensor output) =>
        Backend.Run(new ScatterAdd(axis), inputs[0], inputs[1], output);

    public override Tensor?[] Backward(OpNode node, Tensor gradient) =>
        [Apply(new GatherOp(axis), gradient, node.Inputs[1]), null];
}

// What picks elements along an axis.
public static partial class TensorMethods
{
    extension(Tensor x)
    {
        /// <summary>Elements chosen along an axis: y[i, j] = x[i, index[i, j]] for the last of two axes.</summary>
        /// <param name="axis">The axis; a negative one counts from the last.</param>
        /// <param name="index">Positions on the axis, int64, of x's shape except for that axis.</param>
        /// <returns>A tensor of the index's shape and x's type.</returns>
        /// <exception cref="AdjointException">The shapes do not fit, or an index is outside.</exception>
        public Tensor Gather(int axis, Tensor index) => Op.Apply(new GatherOp(x.Shape.Axis(axis, "Gather")), x, index);

        /// <summary>One element of each row: y[i] = x[i, index[i]] for x (n, c).</summary>
        /// <param name="index">Column numbers (n) int64, from 0 to c − 1.</param>
        /// <returns>The elements (n), of x's type.</returns>
        /// <exception cref="AdjointException">The shapes do not fit, or an index is outside.</exception>
        public Tensor SelectPerRow(Tensor index) => x.Gather(-1, index.Unsqueeze(-1)).Squeeze(-1);
    }
}
