using Adjoint.Primitives;

namespace Adjoint;

/// <summary>
/// Comparisons: tensors of truth values, without gradients. A comparison with NaN is false, but that NaN is equal to
/// nothing. Whole numbers compare exactly, with each other and with any number; a number beside a floating tensor is
/// rounded to the tensor's type first, and tensors of different types are cast to the type of their sum: an int64
/// beside a float32 is rounded to float32.
/// </summary>
public static class Compare
{
    extension(Tensor x)
    {
        /// <summary>x &gt; y, broadcast.</summary>
        public Tensor Greater(Tensor y) => Run(Relation.Greater, x, y);

        /// <summary>x &gt; y; NaN is neither.</summary>
        public Tensor Greater(Number y) => Run(Relation.Greater, x, y);

        /// <summary>x ≥ y, broadcast.</summary>
        public Tensor GreaterOrEqual(Tensor y) => Run(Relation.GreaterOrEqual, x, y);

        /// <summary>x ≥ y; NaN is neither.</summary>
        public Tensor GreaterOrEqual(Number y) => Run(Relation.GreaterOrEqual, x, y);

        /// <summary>x &lt; y, broadcast.</summary>
        public Tensor Less(Tensor y) => Run(Relation.Less, x, y);

        /// <summary>x &lt; y; NaN is neither.</summary>
        public Tensor Less(Number y) => Run(Relation.Less, x, y);

        /// <summary>x ≤ y, broadcast.</summary>
        public Tensor LessOrEqual(Tensor y) => Run(Relation.LessOrEqual, x, y);

        /// <summary>x ≤ y; NaN is neither.</summary>
        public Tensor LessOrEqual(Number y) => Run(Relation.LessOrEqual, x, y);

        /// <summary>x = y, broadcast.</summary>
        public Tensor EqualTo(Tensor y) => Run(Relation.Equal, x, y);

        /// <summary>x = y; NaN equals nothing.</summary>
        public Tensor EqualTo(Number y) => Run(Relation.Equal, x, y);

        /// <summary>x ≠ y, broadcast; NaN is unequal to everything, itself too.</summary>
        public Tensor NotEqualTo(Tensor y) => Run(Relation.NotEqual, x, y);

        /// <summary>x ≠ y; NaN is unequal to everything.</summary>
        public Tensor NotEqualTo(Number y) => Run(Relation.NotEqual, x, y);
    }

    private static Tensor Run(Relation relation, Tensor x, Tensor y)
    {
        if (x.DType != y.DType)
        {
            var type = Promotion.ResultType(x, y);
            (x, y) = (x.Detach().To(type), y.Detach().To(type));
        }
        var marks = Tensor.Empty(Shape.Broadcast(x.Shape, y.Shape, "Compare"), DType.Bool, x.Device);
        Backend.Run(new Primitives.Compare(relation), x, y, marks);
        return marks;
    }

    private static Tensor Run(Relation relation, Tensor x, Number y)
    {
        // A float64 has all numbers of the smaller types, and those of int64 below 2⁵³.
        if (x.DType == DType.Int64 && y.IsWhole && Math.Abs((double)y.Whole) >= 1L << 53)
            return Run(relation, x, y.Beside(x));
        var marks = Tensor.Empty(x.Shape, DType.Bool, x.Device);
        Backend.Run(new CompareNumber(relation, y.Value), x, marks);
        return marks;
    }
}
