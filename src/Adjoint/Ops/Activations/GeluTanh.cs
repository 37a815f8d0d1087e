namespace Adjoint;

// The approximation of GELU by the hyperbolic tangent, composed from other ops.
public static partial class TensorMethods
{
    extension(Tensor x)
    {
        /// <summary>
        /// GELU by its tanh approximation, ½x(1 + tanh(√(2/π)(x + 0.044715x³))) (Hendrycks and Gimpel 2016, §2).
        /// </summary>
        /// <returns>A tensor of x's shape and type; float32 for integers.</returns>
        public Tensor GeluTanh()
        {
            var wide = x.Widened();
            var y = wide * 0.5 * (1 + ((wide + wide.Square() * wide * 0.044715) * Math.Sqrt(2 / Math.PI)).Tanh());
            return x.IsHalf ? y.To(x.DType) : y;
        }
    }
}
