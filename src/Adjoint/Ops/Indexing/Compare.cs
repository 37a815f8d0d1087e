using Adjoint.Kernels;

namespace Adjoint;

/// <summary>Comparisons: tensors of truth values, without gradients. A comparison with NaN is false.</summary>
public static class Compare
{
    extension(Tensor x)
    {
        /// <summary>x &gt; y, broadcast.</summary>
        public Tensor Greater(Tensor y) => Run(new LessLane(), y, x);

        /// <summary>x &gt; y.</summary>
        public Tensor Greater(double y) => x.Greater(Tensor.Scalar(y, x.DType));

        /// <summary>x ≥ y, broadcast.</summary>
        public Tensor GreaterOrEqual(Tensor y) => Run(new LessOrEqualLane(), y, x);

        /// <summary>x &lt; y, broadcast.</summary>
        public Tensor Less(Tensor y) => Run(new LessLane(), x, y);

        /// <summary>x &lt; y.</summary>
        public Tensor Less(double y) => x.Less(Tensor.Scalar(y, x.DType));

        /// <summary>x ≤ y, broadcast.</summary>
        public Tensor LessOrEqual(Tensor y) => Run(new LessOrEqualLane(), x, y);

        /// <summary>x = y, broadcast.</summary>
        public Tensor EqualTo(Tensor y) => Run(new EqualLane(), x, y);

        /// <summary>x = y.</summary>
        public Tensor EqualTo(double y) => x.EqualTo(Tensor.Scalar(y, x.DType));

        /// <summary>A contiguous copy in another type; floating types pass gradients on.</summary>
        public Tensor To(DType dtype) => dtype == x.DType ? x : dtype.IsFloating() && x.DType.IsFloating() ? Op.Apply(new CastOp(dtype), x) : x.Cast(dtype);
    }

    private static Tensor Run<TLane>(TLane lane, Tensor x, Tensor y) where TLane : struct, IBinaryLane
    {
        if (x.DType != y.DType)
            throw new AdjointException($"Compare: both operands must have one type: found {x.DType.Label()} and {y.DType.Label()}; cast one with .To(…)");
        var shape = Shape.Broadcast(x.Shape, y.Shape, "Compare");
        // Integers up to 2⁵³ compare exactly as doubles.
        var type = x.DType.IsFloating() ? x.DType : DType.Float64;
        var marks = Tensor.Empty(shape, type);
        var (left, right) = (x.Cast(type), y.Cast(type));
        Backend.Current.Zip(lane, left, right, marks);
        GC.KeepAlive(left);
        GC.KeepAlive(right);
        return marks.Cast(DType.Bool);
    }

    private readonly struct LessLane : IBinaryLane
    {
        public V Invoke<V>(V x, V y) where V : struct, ILanes<V> => V.Select(V.Less(x, y), V.Splat(1), V.Splat(0));
    }

    private readonly struct LessOrEqualLane : IBinaryLane
    {
        public V Invoke<V>(V x, V y) where V : struct, ILanes<V> => V.Select(V.LessEqual(x, y), V.Splat(1), V.Splat(0));
    }

    private readonly struct EqualLane : IBinaryLane
    {
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

    public override void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, Tensor output) => context.Backend.Copy(inputs[0].Cast(to), output);

    public override Tensor?[] Backward(OpNode node, Tensor gradient) => [gradient.To(node.Inputs[0].DType)];
}
