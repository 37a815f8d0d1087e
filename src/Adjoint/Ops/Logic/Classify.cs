namespace Adjoint;

// What kind of number an element is: tensors of truth values, without gradients.
public static partial class TensorMethods
{
    extension(Tensor x)
    {
        /// <summary>Where x is NaN; integers and truth values never are.</summary>
        public Tensor IsNaN() => x.NotEqualTo(x);

        /// <summary>Where x is ∞ or −∞; integers and truth values never are.</summary>
        public Tensor IsInfinity() => x.DType.IsFloating()
            ? x.Detach().Abs().EqualTo(double.PositiveInfinity)
            : x.NotEqualTo(x);

        /// <summary>Where x is neither NaN nor infinite; integers and truth values never are.</summary>
        public Tensor IsFinite() => x.DType.IsFloating()
            ? x.Detach().Abs().Less(double.PositiveInfinity)
            : x.EqualTo(x);
    }
}
