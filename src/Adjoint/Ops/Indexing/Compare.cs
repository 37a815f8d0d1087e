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
        public Tensor Greater(Tensor y) => Run(Relation.Greater, x, y);

        /// <summary>x &gt; y; NaN is neither.</summary>
        public Tensor Greater(double y) => Run(Relation.Greater, x, y);

        /// <summary>x ≥ y, broadcast.</summary>
        public Tensor GreaterOrEqual(Tensor y) => Run(Relation.GreaterOrEqual, x, y);

        /// <summary>x ≥ y; NaN is neither.</summary>
        public Tensor GreaterOrEqual(double y) => Run(Relation.GreaterOrEqual, x, y);

        /// <summary>x &lt; y, broadcast.</summary>
        public Tensor Less(Tensor y) => Run(Relation.Less, x, y);

        /// <summary>x &lt; y; NaN is neither.</summary>
        public Tensor Less(double y) => Run(Relation.Less, x, y);

        /// <summary>x ≤ y, broadcast.</summary>
        public Tensor LessOrEqual(Tensor y) => Run(Relation.LessOrEqual, x, y);

        /// <summary>x ≤ y; NaN is neither.</summary>
        public Tensor LessOrEqual(double y) => Run(Relation.LessOrEqual, x, y);

        /// <summary>x = y, broadcast.</summary>
        public Tensor EqualTo(Tensor y) => Run(Relation.Equal, x, y);

        /// <summary>x = y; NaN equals nothing.</summary>
        public Tensor EqualTo(double y) => Run(Relation.Equal, x, y);
    }

    private static Tensor Run(Relation relation, Tensor x, Tensor y)
    {
        if (x.DType != y.DType)
            throw new AdjointException($"Compare: both operands must have one type: found {x.DType.Label()} and "
                + $"{y.DType.Label()}; cast one with .To(…)");
        var marks = Tensor.Empty(Shape.Broadcast(x.Shape, y.Shape, "Compare"), DType.Bool, x.Device);
        Backend.Run(new Primitives.Compare(relation), x, y, marks);
        return marks;
    }

    private static Tensor Run(Relation relation, Tensor x, double y)
    {
        var marks = Tensor.Empty(x.Shape, DType.Bool, x.Device);
        Backend.Run(new CompareNumber(relation, y), x, marks);
        return marks;
    }
}
