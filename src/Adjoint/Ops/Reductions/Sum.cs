using Adjoint.Kernels;
using Adjoint.Primitives;

namespace Adjoint;

/// <summary>Axes to fold, and the shapes that follow.</summary>
internal readonly struct ReducedAxes
{
    internal ReducedAxes(Shape shape, ReadOnlySpan<int> axes, string op)
    {
        Marks = new bool[shape.Rank];
        if (axes.IsEmpty) Array.Fill(Marks, true);
        foreach (var axis in axes)
        {
            var at = shape.Axis(axis, op);
            if (Marks[at]) throw new AdjointException($"{op}: axis {axis} is named twice");
            Marks[at] = true;
        }
        var (kept, dropped) = (new List<int>(), new List<int>());
        Count = 1;
        for (var axis = 0; axis < shape.Rank; axis++)
        {
            kept.Add(Marks[axis] ? 1 : shape[axis]);
            if (!Marks[axis]) dropped.Add(shape[axis]);
            else Count *= shape[axis];
        }
        (Kept, Dropped) = ((int[])[.. kept], (int[])[.. dropped]);
    }

    internal bool[] Marks { get; }
    internal int[] Reduced => [.. Marks.Index().Where(axis => axis.Item).Select(axis => axis.Index)];
    internal Shape Kept { get; }
    internal Shape Dropped { get; }
    internal int Count { get; }
    internal Shape Result(bool keepDims) => keepDims ? Kept : Dropped;
}

/// <summary>The sum over axes.</summary>
internal sealed class SumOp(ReducedAxes axes, bool keepDims) : Op
{
    public override string Name => "Sum";
    public override string Formula => "y = Σ x over the axes";
    public override string Derivation => "every element has the weight 1: ∂L/∂x = g, expanded to x's shape";
    public override Saves Saves => Saves.Nothing;
    public override IReadOnlyList<OpAttribute> Attributes => [new("axes", axes.Reduced), new("keepDims", keepDims)];

    public override TensorSpec Infer(ReadOnlySpan<Tensor> inputs) => new(axes.Result(keepDims), inputs[0].DType);

    protected override Tensor[]? Promote(ReadOnlySpan<Tensor> inputs) => AsInt64(inputs);

    /// <summary>Sums of whole numbers, and of truth values, which count, are int64.</summary>
    internal static Tensor[]? AsInt64(ReadOnlySpan<Tensor> inputs) =>
        inputs[0].DType.IsFloating() ? null : [inputs[0].To(DType.Int64)];

    public override void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, Tensor output) =>
        Backend.Run(new Reduce<SumOperator>(default, axes.Marks), inputs[0], output);

    public override Tensor?[] Backward(OpNode node, Tensor gradient) =>
        [gradient.Reshape(axes.Kept.Sizes).ExpandTo(node.Inputs[0].Shape)];
}

// Sums and what is composed of them.
public static partial class TensorMethods
{
    extension(Tensor x)
    {
        /// <summary>
        /// The sum Σ x over the axes; 0 over no element. Sums of integers are int64, which wraps; of truth values,
        /// int64 too: how many are true.
        /// </summary>
        /// <param name="axes">
        /// The axes to reduce, negative ones counting from the last; all of them if none is named.
        /// </param>
        /// <param name="keepDims">Whether reduced axes stay, with size 1, instead of being dropped.</param>
        /// <returns>A tensor without the reduced axes, of x's type; int64 for integers and truth values.</returns>
        /// <exception cref="AdjointException">An axis is out of range, or named twice.</exception>
        public Tensor Sum(ReadOnlySpan<int> axes = default, bool keepDims = false) =>
            Op.Apply(new SumOp(new(x.Shape, axes, "Sum"), keepDims), x);

        /// <summary>The sum Σ x over one axis; int64 for integers and truth values.</summary>
        /// <param name="axis">The axis; a negative one counts from the last.</param>
        /// <param name="keepDims">Whether the axis stays, with size 1, instead of being dropped.</param>
        /// <returns>A tensor without that axis, of x's type; int64 for integers and truth values.</returns>
        public Tensor Sum(int axis, bool keepDims = false) => x.Sum([axis], keepDims);

        /// <summary>The mean (1/n) Σ x over the axes; NaN over no element.</summary>
        /// <param name="axes">
        /// The axes to reduce, negative ones counting from the last; all of them if none is named.
        /// </param>
        /// <param name="keepDims">Whether reduced axes stay, with size 1, instead of being dropped.</param>
        /// <returns>A tensor without the reduced axes, of x's type.</returns>
        /// <exception cref="AdjointException">
        /// x is not of a floating type, or an axis is out of range or named twice.
        /// </exception>
        public Tensor Mean(ReadOnlySpan<int> axes = default, bool keepDims = false) => x.DType.IsFloating()
            ? (x.Widened().Sum(axes, keepDims) / new ReducedAxes(x.Shape, axes, "Mean").Count).To(x.DType)
            : throw NotFloating("Mean", x);

        /// <summary>The mean (1/n) Σ x over one axis; NaN over no element.</summary>
        /// <param name="axis">The axis; a negative one counts from the last.</param>
        /// <param name="keepDims">Whether the axis stays, with size 1, instead of being dropped.</param>
        /// <returns>A tensor without the reduced axes, of x's type.</returns>
        public Tensor Mean(int axis, bool keepDims = false) => x.Mean([axis], keepDims);

        /// <summary>
        /// The variance Σ (x − mean)² / (n − correction) over the axes. Where n ≤ correction it is NaN if all elements
        /// are equal, else ∞.
        /// </summary>
        /// <param name="axes">
        /// The axes to reduce, negative ones counting from the last; all of them if none is named.
        /// </param>
        /// <param name="keepDims">Whether reduced axes stay, with size 1, instead of being dropped.</param>
        /// <param name="correction">
        /// The degrees of freedom taken off n: 1 (Bessel's) for the sample's variance, 0 for the population's.
        /// </param>
        /// <returns>A tensor without the reduced axes, of x's type.</returns>
        /// <exception cref="AdjointException">
        /// x is not of a floating type, or an axis is out of range or named twice.
        /// </exception>
        public Tensor Var(ReadOnlySpan<int> axes = default, bool keepDims = false, int correction = 1)
        {
            if (!x.DType.IsFloating()) throw NotFloating("Var", x);
            if (x.IsHalf) return x.Widened().Var(axes, keepDims, correction).To(x.DType);
            var count = new ReducedAxes(x.Shape, axes, "Var").Count;
            var deviation = x.Deviation(axes);
            // At 10⁶ the mean's last digit is a sixteenth in float32, whose square would be added to the variance.
            Tensor rest;
            using (new NoGrad()) rest = deviation.Mean(axes, keepDims: true);
            Backend.Run(new Map<FiniteOperator>(), rest, rest);
            return (deviation - rest).Square().Sum(axes, keepDims) / Math.Max(0, (double)count - correction);
        }

        /// <summary>
        /// x − mean. The mean is a rounded sum, rounded again: what it misses, the mean of the deviations, is added to
        /// it, so that equal elements deviate by exactly 0.
        /// </summary>
        internal Tensor Deviation(ReadOnlySpan<int> axes)
        {
            var mean = x.Mean(axes, keepDims: true);
            Tensor missed;
            using (new NoGrad()) missed = (x - mean).Mean(axes, keepDims: true);
            Backend.Run(new Map<FiniteOperator>(), missed, missed);
            return x - (mean + missed);
        }

        /// <summary>The variance Σ (x − mean)² / (n − correction) over one axis.</summary>
        /// <param name="axis">The axis; a negative one counts from the last.</param>
        /// <param name="keepDims">Whether the axis stays, with size 1, instead of being dropped.</param>
        /// <param name="correction">
        /// The degrees of freedom taken off n: 1 (Bessel's) for the sample's variance, 0 for the population's.
        /// </param>
        /// <returns>A tensor without the reduced axes, of x's type.</returns>
        public Tensor Var(int axis, bool keepDims = false, int correction = 1) => x.Var([axis], keepDims, correction);

        /// <summary>ln Σ eˣ over one axis, without overflow; −∞ over no element.</summary>
        /// <param name="axis">The axis; a negative one counts from the last.</param>
        /// <param name="keepDims">Whether the axis stays, with size 1, instead of being dropped.</param>
        /// <returns>A tensor without the reduced axes, of x's type.</returns>
        public Tensor LogSumExp(int axis, bool keepDims = false) => x.LogSumExp([axis], keepDims);

        /// <summary>ln Σ eˣ over the axes, without overflow; −∞ over no element.</summary>
        /// <param name="axes">
        /// The axes to reduce, negative ones counting from the last; all of them if none is named.
        /// </param>
        /// <param name="keepDims">Whether reduced axes stay, with size 1, instead of being dropped.</param>
        /// <returns>A tensor without the reduced axes, of x's type.</returns>
        public Tensor LogSumExp(ReadOnlySpan<int> axes = default, bool keepDims = false)
        {
            if (x.IsHalf) return x.Widened().LogSumExp(axes, keepDims).To(x.DType);
            if (new ReducedAxes(x.Shape, axes, "LogSumExp").Count == 0) return x.Exp().Sum(axes, keepDims).Log();
            // An infinite maximum must not become ∞ − ∞.
            var highest = x.DType == DType.Float64 ? double.MaxValue : float.MaxValue;
            Tensor shift;
            using (new NoGrad()) shift = x.Detach().Max(axes, keepDims: true).Clamp(-highest, highest);
            var result = (x - shift).Exp().Sum(axes, keepDims: true).Log() + shift;
            return keepDims ? result : result.Reshape(new ReducedAxes(x.Shape, axes, "LogSumExp").Dropped.Sizes);
        }
    }

    // As a whole number it would mostly be another, and which floating type is meant nobody can know.
    private static AdjointException NotFloating(string op, Tensor x) => new(
        $"{op}: needs a floating type, which its result has: found {x.DType.Label()}; cast with .To(DType.Float32)");

    // What an infinite mean misses is no number, and would make one of the deviations too.
    private readonly struct FiniteOperator : IUnaryOperator
    {
        public V Invoke<V>(V x) where V : struct, ILanes<V> =>
            V.Select(V.Less(V.Abs(x), V.Splat(double.PositiveInfinity)), x, V.Splat(0));
    }
}
