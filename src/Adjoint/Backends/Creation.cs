using Adjoint.Memory;
using Adjoint.Primitives;

namespace Adjoint;

// Tensors of plain numbers. In a captured step they are constants: computed once, when it is recorded.
public static partial class TensorMethods
{
    extension(Tensor)
    {
        /// <summary>A float32 tensor of zeros.</summary>
        /// <param name="shape">The sizes of the axes; none: a scalar.</param>
        /// <returns>A contiguous float32 tensor, without gradient.</returns>
        /// <exception cref="AdjointException">A size is negative, or there are too many elements.</exception>
        public static Tensor Zeros(params ReadOnlySpan<int> shape) => Tensor.Full(Shape.Create(shape), 0);

        /// <summary>A tensor of zeros, or false.</summary>
        /// <param name="shape">The sizes of the axes.</param>
        /// <param name="dtype">The element type.</param>
        /// <returns>A contiguous tensor, without gradient.</returns>
        /// <exception cref="AdjointException">There are too many elements for one tensor.</exception>
        public static Tensor Zeros(Shape shape, DType dtype) => Tensor.Full(shape, 0, dtype);

        /// <summary>A float32 tensor of ones.</summary>
        /// <param name="shape">The sizes of the axes; none: a scalar.</param>
        /// <returns>A contiguous float32 tensor, without gradient.</returns>
        /// <exception cref="AdjointException">A size is negative, or there are too many elements.</exception>
        public static Tensor Ones(params ReadOnlySpan<int> shape) => Tensor.Full(Shape.Create(shape), 1);

        /// <summary>A tensor of ones, or true.</summary>
        /// <param name="shape">The sizes of the axes.</param>
        /// <param name="dtype">The element type.</param>
        /// <returns>A contiguous tensor, without gradient.</returns>
        /// <exception cref="AdjointException">There are too many elements for one tensor.</exception>
        public static Tensor Ones(Shape shape, DType dtype) => Tensor.Full(shape, 1, dtype);

        /// <summary>
        /// A tensor filled with one number, rounded to the type: in integers truncated and clamped to the range, 0 for
        /// NaN; a truth value is whether it is not 0. An integer (<c>2</c>, not <c>2.0</c>) keeps all its digits in
        /// int64.
        /// </summary>
        /// <param name="shape">The sizes of the axes.</param>
        /// <param name="value">The value of every element.</param>
        /// <param name="dtype">The element type; float32 by default.</param>
        /// <returns>A contiguous tensor, without gradient.</returns>
        /// <exception cref="AdjointException">There are too many elements for one tensor.</exception>
        public static Tensor Full(Shape shape, Number value, DType dtype = DType.Float32) =>
            Make(new Fill(value), shape, dtype);

        /// <summary>A scalar: a tensor without axes, its number rounded as by <c>Full</c>.</summary>
        /// <param name="value">The value of its one element.</param>
        /// <param name="dtype">The element type; float32 by default.</param>
        /// <returns>A contiguous tensor, without gradient.</returns>
        public static Tensor Scalar(Number value, DType dtype = DType.Float32) => Tensor.Full(default, value, dtype);

        /// <summary>The numbers start, start + step, … up to but excluding <paramref name="stop"/>.</summary>
        /// <param name="start">The first element.</param>
        /// <param name="stop">The bound, which is not reached.</param>
        /// <param name="step">The difference between neighbors; negative to count down.</param>
        /// <param name="dtype">The element type; float32 by default.</param>
        /// <returns>A vector of ⌈(stop − start) / step⌉ elements.</returns>
        /// <exception cref="AdjointException">
        /// The step is 0 or not finite, or there would be too many elements for one tensor.
        /// </exception>
        public static Tensor Arange(double start, double stop, double step = 1, DType dtype = DType.Float32)
        {
            if (step == 0 || !double.IsFinite(start) || !double.IsFinite(stop) || !double.IsFinite(step))
                throw new AdjointException(
                    "Arange: start, stop and step must be finite and the step not 0: found "
                    + $"{start}, {stop}, {step}");
            var count = Math.Max(0, Math.Ceiling((stop - start) / step));
            if (!(count * dtype.Size() <= Storage.MaxBytes))
                throw new AdjointException(
                    $"Arange: {count} elements from {start} to {stop} in steps of {step} do not fit one tensor of "
                    + $"{dtype.Label()}; the largest has {Storage.MaxBytes / dtype.Size():N0}; use a larger step");
            return Make(new Arange(start, step), [(int)count], dtype);
        }

        /// <summary>The integers 0, 1, … <paramref name="count"/> − 1.</summary>
        /// <param name="count">The number of elements, 0 or more.</param>
        /// <returns>An int64 vector.</returns>
        /// <exception cref="AdjointException">There would be too many elements for one tensor.</exception>
        public static Tensor Arange(int count) => Tensor.Arange(0, count, 1, DType.Int64);

        /// <summary>The identity matrix: ones on the diagonal, zeros elsewhere.</summary>
        /// <param name="rows">The number of rows, 0 or more.</param>
        /// <param name="columns">The number of columns; as many as rows by default.</param>
        /// <param name="dtype">The element type; float32 by default.</param>
        /// <returns>A matrix (rows, columns).</returns>
        /// <exception cref="AdjointException">
        /// A number is negative, or there would be too many elements for one tensor.
        /// </exception>
        public static Tensor Eye(int rows, int? columns = null, DType dtype = DType.Float32)
        {
            var width = columns ?? rows;
            var matrix = Tensor.Zeros([rows, width], dtype);
            var diagonal = Math.Min(rows, width);
            Run(new Fill(1), matrix.View([diagonal], [(nint)width + 1], 0));
            return matrix;
        }
    }

    private static Tensor Make<TPrimitive>(in TPrimitive primitive, Shape shape, DType dtype)
        where TPrimitive : struct, IPrimitive<TPrimitive>
    {
        var result = Execution.Current.Arena is null ? Tensor.Empty(shape, dtype) : Tensor.NewConstant(shape, dtype);
        Run(primitive, result);
        return result;
    }

    // What is constant is no part of a captured step.
    private static void Run<TPrimitive>(in TPrimitive primitive, Tensor result)
        where TPrimitive : struct, IPrimitive<TPrimitive>
    {
        if (Execution.Current.Arena is null) Backend.Run(primitive, result);
        else Backend.Dispatch(primitive, [result]);
    }
}
