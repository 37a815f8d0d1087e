using Adjoint.Memory;
using Adjoint.Primitives;

namespace Adjoint;

// Tensors of plain numbers. In a captured step they are constants: computed once, when it is recorded.
public static partial class TensorMethods
{
    extension(Tensor)
    {
        /// <summary>All elements 0.</summary>
        /// <exception cref="AdjointException">A size is negative, or there are too many elements.</exception>
        public static Tensor Zeros(params ReadOnlySpan<int> shape) => Tensor.Full(Shape.Create(shape), 0);

        /// <summary>All elements 0, or false.</summary>
        /// <exception cref="AdjointException">There are too many elements for one tensor.</exception>
        public static Tensor Zeros(Shape shape, DType dtype) => Tensor.Full(shape, 0, dtype);

        /// <summary>All elements 1.</summary>
        /// <exception cref="AdjointException">A size is negative, or there are too many elements.</exception>
        public static Tensor Ones(params ReadOnlySpan<int> shape) => Tensor.Full(Shape.Create(shape), 1);

        /// <summary>All elements 1, or true.</summary>
        /// <exception cref="AdjointException">There are too many elements for one tensor.</exception>
        public static Tensor Ones(Shape shape, DType dtype) => Tensor.Full(shape, 1, dtype);

        /// <summary>
        /// All elements <paramref name="value"/>, rounded to the type: in integers without the fraction, and the
        /// nearest there is, 0 for NaN; a truth value, whether it is not 0. A whole number (<c>2</c>, not <c>2.0</c>)
        /// keeps all its digits in int64.
        /// </summary>
        /// <exception cref="AdjointException">There are too many elements for one tensor.</exception>
        public static Tensor Full(Shape shape, Number value, DType dtype = DType.Float32) =>
            Make(new Fill(value), shape, dtype);

        /// <summary>A tensor without axes, of a number as <c>Full</c> takes it.</summary>
        public static Tensor Scalar(Number value, DType dtype = DType.Float32) => Tensor.Full(default, value, dtype);

        /// <summary>start, start + step, … up to but without <paramref name="stop"/>.</summary>
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

        /// <summary>0, 1, … <paramref name="count"/> − 1 as int64.</summary>
        /// <exception cref="AdjointException">There would be too many elements for one tensor.</exception>
        public static Tensor Arange(int count) => Tensor.Arange(0, count, 1, DType.Int64);

        /// <summary>The identity matrix: ones on the diagonal.</summary>
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
