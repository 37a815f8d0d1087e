namespace Adjoint;

// What kind of number an element is: tensors of truth values, without gradients.
public static partial class TensorMethods
{
    extension(Tensor x)
    {
        /// <summary>Whether x is NaN, element by element; integers and truth values never are.</summary>
        /// <returns>A bool tensor of x's shape, without gradient.</returns>
        public Tensor IsNaN() => x.NotEqualTo(x);

        /// <summary>Whether x is ∞ or −∞, element by element; integers and truth values never are.</summary>
        /// <returns>A bool tensor of x's shape, without gradient.</returns>
        public Tensor IsInfinity() => x.DType.IsFloating()
            ? x.Detach().Abs().EqualTo(double.PositiveInfinity)
            : x.NotEqualTo(x);

        /// <summary>
        /// Whether x is neither NaN nor infinite, element by element; integers and truth values always are finite.
        /// </summary>
        /// <returns>A bool tensor of x's shape, without gradient.</returns>
        public Tensor IsFinite() => x.DType.IsFloating()
            ? x.Detach().Abs().Less(double.PositiveInfinity)
            : x.EqualTo(x);
    }
}
