namespace Adjoint;

/// <summary>
/// For what is composed of ops: half precision would be rounded at each of them, and sums of many elements overflow
/// float16 that their mean would fit.
/// </summary>
internal static class Widening
{
    extension(Tensor x)
    {
        /// <summary>Whether the type in memory is not the one that is computed in.</summary>
        internal bool IsHalf => x.DType.Computing() != x.DType;

        /// <summary>
        /// The same numbers in the type that is computed in: the tensor itself, unless that is another.
        /// </summary>
        internal Tensor Widened() => x.To(x.DType.Computing());
    }
}
