using Adjoint.Primitives;

namespace Adjoint;

// Tensors of random numbers. A captured step draws anew each time that it runs, from where the stream is then.
public static partial class TensorMethods
{
    extension(Tensor)
    {
        /// <summary>Random numbers, uniform in [0, 1), from <see cref="Generator.Default"/>.</summary>
        /// <param name="shape">The sizes of the axes; none: a scalar.</param>
        /// <returns>A contiguous float32 tensor, without gradient.</returns>
        /// <exception cref="AdjointException">A size is negative, or there are too many elements.</exception>
        public static Tensor Rand(params ReadOnlySpan<int> shape) =>
            Tensor.Rand(Shape.Create(shape), Generator.Default);

        /// <summary>Random numbers, uniform in [0, 1), from the given stream.</summary>
        /// <param name="shape">The sizes of the axes.</param>
        /// <param name="generator">The random stream, which advances.</param>
        /// <param name="dtype">The element type, a floating one; float32 by default.</param>
        /// <returns>A contiguous tensor, without gradient.</returns>
        /// <exception cref="AdjointException">The type is not floating, or there are too many elements.</exception>
        public static Tensor Rand(Shape shape, Generator generator, DType dtype = DType.Float32) =>
            Draw(nameof(Rand), new(Distribution.Uniform), shape, generator, dtype);

        /// <summary>Random numbers, normal with mean 0 and variance 1, from <see cref="Generator.Default"/>.</summary>
        /// <param name="shape">The sizes of the axes; none: a scalar.</param>
        /// <returns>A contiguous float32 tensor, without gradient.</returns>
        /// <exception cref="AdjointException">A size is negative, or there are too many elements.</exception>
        public static Tensor Randn(params ReadOnlySpan<int> shape) =>
            Tensor.Randn(Shape.Create(shape), Generator.Default);

        /// <summary>Random numbers, normal with mean 0 and variance 1, from the given stream.</summary>
        /// <param name="shape">The sizes of the axes.</param>
        /// <param name="generator">The random stream, which advances.</param>
        /// <param name="dtype">The element type, a floating one; float32 by default.</param>
        /// <returns>A contiguous tensor, without gradient.</returns>
        /// <exception cref="AdjointException">The type is not floating, or there are too many elements.</exception>
        public static Tensor Randn(Shape shape, Generator generator, DType dtype = DType.Float32) =>
            Draw(nameof(Randn), new(Distribution.Normal), shape, generator, dtype);

        /// <summary>
        /// Random numbers that are 1 with the given probability, else 0, from the given stream, such as a mask for
        /// dropout.
        /// </summary>
        /// <param name="shape">The sizes of the axes.</param>
        /// <param name="probability">The probability of 1, in [0, 1].</param>
        /// <param name="generator">The random stream, which advances.</param>
        /// <param name="dtype">The element type, a floating one; float32 by default.</param>
        /// <returns>A contiguous tensor, without gradient.</returns>
        /// <exception cref="AdjointException">
        /// The probability is not in [0, 1], the type is not floating, or there are too many elements.
        /// </exception>
        public static Tensor Bernoulli(
            Shape shape, double probability, Generator generator, DType dtype = DType.Float32) =>
            probability is >= 0 and <= 1
                ? Draw(nameof(Bernoulli), new(Distribution.Bernoulli, probability), shape, generator, dtype)
                : throw new AdjointException(
                    $"Bernoulli: the probability must be in [0, 1]: found {probability}");
    }

    private static Tensor Draw(
        string op, in RandomNumbers numbers, Shape shape, Generator generator, DType dtype)
    {
        if (!dtype.IsFloating())
            throw new AdjointException(
                $"{op}: random numbers need a floating type: found {dtype.Label()}; draw float32, and "
                + "cast with .To(…)");
        var result = Tensor.Empty(shape, dtype);
        Backend.Run(numbers, result, generator.State);
        generator.State.BumpVersion();
        return result;
    }
}
