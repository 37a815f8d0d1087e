using Adjoint.Kernels;
using Adjoint.Primitives;

namespace Adjoint;

/// <summary>The largest, or smallest, element over axes.</summary>
internal sealed class ExtremumOp(ReducedAxes axes, bool keepDims, bool largest) : Op
{
    public override string Name => largest ? "Max" : "Min";
    public override string Formula => largest ? "y = max x over the axes" : "y = min x over the axes";
    public override string Derivation =>
        "∂L/∂x = g at the element that won, shared evenly where several are equal (or NaN), 0 elsewhere";
    public override Saves Saves => Saves.Inputs | Saves.Output;
    public override IReadOnlyList<OpAttribute> Attributes =>
        [new("axes", axes.Reduced), new("keepDims", keepDims), new("largest", largest)];

    public override TensorSpec Infer(ReadOnlySpan<Tensor> inputs) => axes.Count > 0
        ? new(axes.Result(keepDims), inputs[0].DType)
        : throw new AdjointException(
            $"{Name}: there is no {(largest ? "largest" : "smallest")} of no elements: found {inputs[0].Shape}");

    public override void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, Tensor output)
    {
        if (largest) Backend.Run(new Reduce<MaxOperator>(default, axes.Marks), inputs[0], output);
        else Backend.Run(new Reduce<MinOperator>(default, axes.Marks), inputs[0], output);
    }

    public override Tensor?[] Backward(OpNode node, Tensor gradient)
    {
        var x = node.Inputs[0];
        Tensor share;
        using (new NoGrad())
        {
            var won = Tensor.Empty(x.Shape, x.DType);
            Backend.Run(new Zip<WonOperator>(), x, node.Output.Reshape(axes.Kept.Sizes), won);
            int[] over = [.. Enumerable.Range(0, x.Rank).Where(axis => axes.Marks[axis])];
            share = axes.Marks.Contains(true) ? won / won.Sum(over, keepDims: true) : won;
        }
        return [gradient.Reshape(axes.Kept.Sizes) * share];
    }

    // x is an element, y what won: a NaN wins over all.
    private readonly struct WonOperator : IBinaryOperator
    {
        public V Invoke<V>(V x, V y) where V : struct, ILanes<V>
        {
            var (zero, one) = (V.Splat(0), V.Splat(1));
            return V.Select(V.Equal(x, y), one, V.Select(V.Equal(y, y), zero, V.Select(V.Equal(x, x), zero, one)));
        }
    }

    internal readonly struct MinOperator : IReductionOperator
    {
        public static ElementKinds Kinds => ElementKinds.All;
        public double Identity => double.PositiveInfinity;
        public V Transform<V>(V x) where V : struct, ILanes<V> => x;
        public V Combine<V>(V accumulator, V x) where V : struct, ILanes<V> => V.Min(accumulator, x);
    }
}

// Max and min over axes.
public static partial class TensorMethods
{
    extension(Tensor x)
    {
        /// <summary>The largest element over the axes; NaN if any is NaN.</summary>
        /// <param name="axes">
        /// The axes to reduce, negative ones counting from the last; all of them if none is named.
        /// </param>
        /// <param name="keepDims">Whether reduced axes stay, with size 1, instead of being dropped.</param>
        /// <returns>A tensor without the reduced axes, of x's type.</returns>
        /// <exception cref="AdjointException">There is no element to choose from.</exception>
        public Tensor Max(ReadOnlySpan<int> axes = default, bool keepDims = false) =>
            Op.Apply(new ExtremumOp(new(x.Shape, axes, "Max"), keepDims, largest: true), x);

        /// <summary>The largest element along one axis; NaN if any is NaN.</summary>
        /// <param name="axis">The axis; a negative one counts from the last.</param>
        /// <param name="keepDims">Whether the axis stays, with size 1, instead of being dropped.</param>
        /// <returns>A tensor without the reduced axes, of x's type.</returns>
        /// <exception cref="AdjointException">There is no such axis, or it is empty.</exception>
        public Tensor Max(int axis, bool keepDims = false) => x.Max([axis], keepDims);

        /// <summary>The smallest element over the axes; NaN if any is NaN.</summary>
        /// <param name="axes">
        /// The axes to reduce, negative ones counting from the last; all of them if none is named.
        /// </param>
        /// <param name="keepDims">Whether reduced axes stay, with size 1, instead of being dropped.</param>
        /// <returns>A tensor without the reduced axes, of x's type.</returns>
        /// <exception cref="AdjointException">There is no element to choose from.</exception>
        public Tensor Min(ReadOnlySpan<int> axes = default, bool keepDims = false) =>
            Op.Apply(new ExtremumOp(new(x.Shape, axes, "Min"), keepDims, largest: false), x);

        /// <summary>The smallest element along one axis; NaN if any is NaN.</summary>
        /// <param name="axis">The axis; a negative one counts from the last.</param>
        /// <param name="keepDims">Whether the axis stays, with size 1, instead of being dropped.</param>
        /// <returns>A tensor without the reduced axes, of x's type.</returns>
        /// <exception cref="AdjointException">There is no such axis, or it is empty.</exception>
        public Tensor Min(int axis, bool keepDims = false) => x.Min([axis], keepDims);
    }
}
