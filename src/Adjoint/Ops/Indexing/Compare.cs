using Adjoint.Primitives;

namespace Adjoint;

/// <summary>
/// Comparisons, element by element: tensors of truth values, without gradients. Every comparison with NaN is false,
/// except ≠, which is true. Integers compare exactly, with each other and with any number; a number beside a floating
/// tensor is rounded to the tensor's type first, and tensors of different types are cast to the type of their sum: an
/// int64 beside a float32 is rounded to float32.
/// </summary>
public static class Compare
{
    extension(Tensor x)
    {
        /// <summary>Whether x &gt; y, element by element, broadcast; false where either is NaN.</summary>
        /// <param name="y">The second operand; its shape broadcasts with x's.</param>
        /// <returns>A bool tensor of the broadcast shape, without gradient.</returns>
        public Tensor Greater(Tensor y) => Run(Relation.Greater, x, y);

        /// <summary>Whether x &gt; y for a number y, element by element; false where either is NaN.</summary>
        /// <param name="y">The number to compare with.</param>
        /// <returns>A bool tensor of x's shape, without gradient.</returns>
        public Tensor Greater(Number y) => Run(Relation.Greater, x, y);

        /// <summary>Whether x ≥ y, element by element, broadcast; false where either is NaN.</summary>
        /// <param name="y">The second operand; its shape broadcasts with x's.</param>
        /// <returns>A bool tensor of the broadcast shape, without gradient.</returns>
        public Tensor GreaterOrEqual(Tensor y) => Run(Relation.GreaterOrEqual, x, y);

        /// <summary>Whether x ≥ y for a number y, element by element; false where either is NaN.</summary>
        /// <param name="y">The number to compare with.</param>
        /// <returns>A bool tensor of x's shape, without gradient.</returns>
        public Tensor GreaterOrEqual(Number y) => Run(Relation.GreaterOrEqual, x, y);

        /// <summary>Whether x &lt; y, element by element, broadcast; false where either is NaN.</summary>
        /// <param name="y">The second operand; its shape broadcasts with x's.</param>
        /// <returns>A bool tensor of the broadcast shape, without gradient.</returns>
        public Tensor Less(Tensor y) => Run(Relation.Less, x, y);

        /// <summary>Whether x &lt; y for a number y, element by element; false where either is NaN.</summary>
        /// <param name="y">The number to compare with.</param>
        /// <returns>A bool tensor of x's shape, without gradient.</returns>
        public Tensor Less(Number y) => Run(Relation.Less, x, y);

        /// <summary>Whether x ≤ y, element by element, broadcast; false where either is NaN.</summary>
        /// <param name="y">The second operand; its shape broadcasts with x's.</param>
        /// <returns>A bool tensor of the broadcast shape, without gradient.</returns>
        public Tensor LessOrEqual(Tensor y) => Run(Relation.LessOrEqual, x, y);

        /// <summary>Whether x ≤ y for a number y, element by element; false where either is NaN.</summary>
        /// <param name="y">The number to compare with.</param>
        /// <returns>A bool tensor of x's shape, without gradient.</returns>
        public Tensor LessOrEqual(Number y) => Run(Relation.LessOrEqual, x, y);

        /// <summary>Whether x = y, element by element, broadcast; NaN equals nothing, itself included.</summary>
        /// <param name="y">The second operand; its shape broadcasts with x's.</param>
        /// <returns>A bool tensor of the broadcast shape, without gradient.</returns>
        public Tensor EqualTo(Tensor y) => Run(Relation.Equal, x, y);

        /// <summary>Whether x = y for a number y, element by element; NaN equals nothing, itself included.</summary>
        /// <param name="y">The number to compare with.</param>
        /// <returns>A bool tensor of x's shape, without gradient.</returns>
        public Tensor EqualTo(Number y) => Run(Relation.Equal, x, y);

        /// <summary>
        /// Whether x ≠ y, element by element, broadcast; NaN is unequal to everything, itself included.
        /// </summary>
        /// <param name="y">The second operand; its shape broadcasts with x's.</param>
        /// <returns>A bool tensor of the broadcast shape, without gradient.</returns>
        public Tensor NotEqualTo(Tensor y) => Run(Relation.NotEqual, x, y);

        /// <summary>
        /// Whether x ≠ y for a number y, element by element; NaN is unequal to everything, itself included.
        /// </summary>
        /// <param name="y">The number to compare with.</param>
        /// <returns>A bool tensor of x's shape, without gradient.</returns>
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
        if (x.DType == DType.Int64 && y.IsInteger && Math.Abs((double)y.Integer) >= 1L << 53)
            return Run(relation, x, y.ToTensorLike(x));
        var marks = Tensor.Empty(x.Shape, DType.Bool, x.Device);
        Backend.Run(new CompareNumber(relation, y.Value), x, marks);
        return marks;
    }
}
