using Adjoint.Kernels;
using Adjoint.Primitives;

namespace Adjoint;

/// <summary>
/// Comparisons: tensors of truth values, without gradients. A comparison with NaN is false. Whole numbers compare
/// exactly, with each other and with any number; a number beside a floating tensor is rounded to the tensor's type
/// first.
/// </summary>
public static class Compare
{
    extension(Tensor x)
    {
        /// <summary>x &gt; y, broadcast.</summary>
        public Tensor Greater(Tensor y) => Run(new LessLane(), y, x);

        /// <summary>x &gt; y; NaN is neither.</summary>
        public Tensor Greater(double y) => WithNumber(new GreaterLane(), x, y);

        /// <summary>x ≥ y, broadcast.</summary>
        public Tensor GreaterOrEqual(Tensor y) => Run(new LessOrEqualLane(), y, x);

        /// <summary>x ≥ y; NaN is neither.</summary>
        public Tensor GreaterOrEqual(double y) => WithNumber(new GreaterOrEqualLane(), x, y);

        /// <summary>x &lt; y, broadcast.</summary>
        public Tensor Less(Tensor y) => Run(new LessLane(), x, y);

        /// <summary>x &lt; y; NaN is neither.</summary>
        public Tensor Less(double y) => WithNumber(new LessLane(), x, y);

        /// <summary>x ≤ y, broadcast.</summary>
        public Tensor LessOrEqual(Tensor y) => Run(new LessOrEqualLane(), x, y);

        /// <summary>x ≤ y; NaN is neither.</summary>
        public Tensor LessOrEqual(double y) => WithNumber(new LessOrEqualLane(), x, y);

        /// <summary>x = y, broadcast.</summary>
        public Tensor EqualTo(Tensor y) => Run(new EqualLane(), x, y);

        /// <summary>x = y; NaN equals nothing.</summary>
        public Tensor EqualTo(double y) => WithNumber(new EqualLane(), x, y);

        /// <summary>A contiguous copy in another type; floating types pass gradients on.</summary>
        public Tensor To(DType dtype) => dtype == x.DType ? x : dtype.IsFloating() && x.DType.IsFloating() ? Op.Apply(new CastOp(dtype), x) : x.Cast(dtype);
    }

    private static Tensor Run<TLane>(TLane lane, Tensor x, Tensor y) where TLane : struct, IComparison
    {
        if (x.DType != y.DType)
            throw new AdjointException($"Compare: both operands must have one type: found {x.DType.Label()} and {y.DType.Label()}; cast one with .To(…)");
        var shape = Shape.Broadcast(x.Shape, y.Shape, "Compare");
        if (!x.DType.IsFloating()) return OfWhole(lane, x.ExpandTo(shape), y.ExpandTo(shape));
        var marks = Tensor.Empty(shape, x.DType);
        Backend.Run(new Zip<TLane>(lane), x, y, marks);
        return marks.Cast(DType.Bool);
    }

    private static Tensor WithNumber<TLane>(TLane lane, Tensor x, double y) where TLane : struct, IComparison =>
        x.DType.IsFloating() ? Run(lane, x, Tensor.Scalar(y, x.DType)) : OfWhole(lane, x, y);

    private static Tensor OfWhole<TLane>(TLane lane, Tensor x, Tensor y) where TLane : struct, IComparison
    {
        var (left, right) = (x.Cast(DType.Int64).ToArray<long>(), y.Cast(DType.Int64).ToArray<long>());
        var marks = new bool[left.Length];
        for (var i = 0; i < marks.Length; i++) marks[i] = lane.Holds(left[i].CompareTo(right[i]));
        return Tensor.Copy<bool>(marks, x.Shape);
    }

    private static Tensor OfWhole<TLane>(TLane lane, Tensor x, double y) where TLane : struct, IComparison
    {
        var left = x.Cast(DType.Int64).ToArray<long>();
        var marks = new bool[left.Length];
        for (var i = 0; i < marks.Length; i++) marks[i] = !double.IsNaN(y) && lane.Holds(Order(left[i], y));
        return Tensor.Copy<bool>(marks, x.Shape);
    }

    // Neither number is rounded to the other's type, which would take digits of the one or the fraction of the other.
    private static int Order(long x, double y)
    {
        const double Beyond = 9223372036854775808;
        if (y >= Beyond) return -1;
        if (y < -Beyond) return 1;
        var floor = Math.Floor(y);
        var order = x.CompareTo((long)floor);
        return order == 0 && y > floor ? -1 : order;
    }

    /// <summary>A comparison of lanes, and of what <c>CompareTo</c> gives.</summary>
    private interface IComparison : IBinaryLane
    {
        /// <summary>Whether it holds for x and y in this order.</summary>
        bool Holds(int order);
    }

    private readonly struct LessLane : IComparison
    {
        public bool Holds(int order) => order < 0;
        public V Invoke<V>(V x, V y) where V : struct, ILanes<V> => V.Select(V.Less(x, y), V.Splat(1), V.Splat(0));
    }

    private readonly struct LessOrEqualLane : IComparison
    {
        public bool Holds(int order) => order <= 0;
        public V Invoke<V>(V x, V y) where V : struct, ILanes<V> => V.Select(V.LessEqual(x, y), V.Splat(1), V.Splat(0));
    }

    private readonly struct GreaterLane : IComparison
    {
        public bool Holds(int order) => order > 0;
        public V Invoke<V>(V x, V y) where V : struct, ILanes<V> => V.Select(V.Less(y, x), V.Splat(1), V.Splat(0));
    }

    private readonly struct GreaterOrEqualLane : IComparison
    {
        public bool Holds(int order) => order >= 0;
        public V Invoke<V>(V x, V y) where V : struct, ILanes<V> => V.Select(V.LessEqual(y, x), V.Splat(1), V.Splat(0));
    }

    private readonly struct EqualLane : IComparison
    {
        public bool Holds(int order) => order == 0;
        public V Invoke<V>(V x, V y) where V : struct, ILanes<V> => V.Select(V.Equal(x, y), V.Splat(1), V.Splat(0));
    }
}

/// <summary>y = x in another floating type.</summary>
internal sealed class CastOp(DType to) : Op
{
    public override string Name => "Cast";
    public override string Formula => "y = x, rounded to another type";
    public override string Derivation => "∂L/∂x = g, in x's type";
    public override Saves Saves => Saves.Nothing;

    public override TensorSpec Infer(ReadOnlySpan<Tensor> inputs) => new(inputs[0].Shape, to);

    public override void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, Tensor output) =>
        Backend.Run(new Copy(), inputs[0].Cast(to), output);

    public override Tensor?[] Backward(OpNode node, Tensor gradient) => [gradient.To(node.Inputs[0].DType)];
}
