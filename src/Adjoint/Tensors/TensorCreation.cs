using System.Runtime.InteropServices;
using Adjoint.Memory;

namespace Adjoint;

public sealed partial class Tensor
{
    /// <summary>An uninitialised tensor, for code that writes every element.</summary>
    internal static Tensor Empty(Shape shape, DType dtype = DType.Float32) => Empty(shape, dtype, Execution.Current);

    /// <inheritdoc cref="Empty(Shape, DType)"/>
    internal static Tensor Empty(Shape shape, DType dtype, Execution execution) =>
        new(Storage.Allocate((long)shape.Elements * dtype.Size(), execution), shape, dtype);

    // In a captured step what is created from plain numbers is a constant, with memory of its own.
    private static Tensor NewConstant(Shape shape, DType dtype)
    {
        var execution = Execution.Current;
        var arena = execution.Arena;
        execution.Arena = null;
        try
        {
            var constant = Empty(shape, dtype, execution).Keep();
            arena?.NoteConstant(constant.Storage);
            return constant;
        }
        finally
        {
            execution.Arena = arena;
        }
    }

    /// <summary>All elements 0.</summary>
    public static Tensor Zeros(params ReadOnlySpan<int> shape) => Zeros(Shape.Create(shape), DType.Float32);

    /// <summary>All elements 0, or false.</summary>
    public static Tensor Zeros(Shape shape, DType dtype)
    {
        var tensor = Execution.Current.Arena is null ? Empty(shape, dtype) : NewConstant(shape, dtype);
        tensor.Storage.Bytes.Clear();
        return tensor;
    }

    /// <summary>All elements 1.</summary>
    public static Tensor Ones(params ReadOnlySpan<int> shape) => Full(Shape.Create(shape), 1);

    /// <summary>All elements <paramref name="value"/>, rounded to the type.</summary>
    public static Tensor Full(Shape shape, double value, DType dtype = DType.Float32)
    {
        var tensor = Execution.Current.Arena is null ? Empty(shape, dtype) : NewConstant(shape, dtype);
        tensor.FillCore(value);
        return tensor;
    }

    /// <summary>A tensor without axes.</summary>
    public static Tensor Scalar(double value, DType dtype = DType.Float32) => Full(default, value, dtype);

    /// <summary>start, start + step, … up to but without <paramref name="stop"/>.</summary>
    /// <exception cref="AdjointException">
    /// The step is 0 or not finite, or there would be too many elements for one tensor.
    /// </exception>
    public static Tensor Arange(double start, double stop, double step = 1, DType dtype = DType.Float32)
    {
        if (step == 0 || !double.IsFinite(start) || !double.IsFinite(stop) || !double.IsFinite(step))
            throw new AdjointException($"Arange: start, stop and step must be finite and the step not 0: found {start}, {stop}, {step}");
        var count = Math.Max(0, Math.Ceiling((stop - start) / step));
        if (!(count * dtype.Size() <= Storage.MaxBytes))
            throw new AdjointException(
                $"Arange: {count} elements from {start} to {stop} in steps of {step} do not fit one tensor of "
                    + $"{dtype.Label()}; the largest has {Storage.MaxBytes / dtype.Size():N0}; use a larger step");
        var tensor = Zeros([(int)count], dtype);
        switch (dtype)
        {
            case DType.Float32: Count<float>(start, step, tensor); break;
            case DType.Float64: Count<double>(start, step, tensor); break;
            case DType.Int64: Count<long>(start, step, tensor); break;
            default:
                var truth = tensor.Data<bool>();
                for (var i = 0; i < truth.Length; i++) truth[i] = start + i * step != 0;
                break;
        }
        return tensor;
    }

    /// <summary>0, 1, … <paramref name="count"/> − 1 as int64.</summary>
    public static Tensor Arange(int count) => Arange(0, count, 1, DType.Int64);

    /// <summary>The identity matrix: ones on the diagonal.</summary>
    /// <exception cref="AdjointException">
    /// A number is negative, or there would be too many elements for one tensor.
    /// </exception>
    public static Tensor Eye(int rows, int? columns = null, DType dtype = DType.Float32)
    {
        var width = columns ?? rows;
        var tensor = Zeros([rows, width], dtype);
        var diagonal = Math.Min(rows, width);
        for (var i = 0; i < diagonal; i++) tensor.View(default, i * (width + 1)).FillCore(1);
        return tensor;
    }

    /// <summary>
    /// Copies values, in row-major order, into a tensor of the given shape; without one, into a vector, of one value too
    /// (<see cref="Scalar"/> makes a tensor without axes).
    /// </summary>
    /// <exception cref="AdjointException">The shape has another number of elements.</exception>
    public static Tensor From<T>(ReadOnlySpan<T> values, params ReadOnlySpan<int> shape) where T : unmanaged =>
        Copy(values, Shape.Create(shape.Length == 0 ? [values.Length] : shape));

    /// <summary>Copies values, in row-major order, into a tensor of just this shape, which may have no axes.</summary>
    internal static Tensor Copy<T>(ReadOnlySpan<T> values, Shape shape) where T : unmanaged
    {
        if (shape.Elements != values.Length)
            throw new AdjointException(
                $"From: {values.Length} values do not fill the shape {shape}, which has {shape.Elements} elements");
        var tensor = Execution.Current.Arena is null ? Empty(shape, DTypes.Of<T>()) : NewConstant(shape, DTypes.Of<T>());
        values.CopyTo(tensor.Data<T>());
        return tensor;
    }

    /// <inheritdoc cref="From{T}(ReadOnlySpan{T}, ReadOnlySpan{int})"/>
    public static Tensor From<T>(T[] values, params ReadOnlySpan<int> shape) where T : unmanaged =>
        From((ReadOnlySpan<T>)values, shape);

    /// <summary>Copies a rectangular array, <c>{{1, 2}, {3, 4}}</c>, into a tensor of shape (rows, columns).</summary>
    public static Tensor From<T>(T[,] values) where T : unmanaged =>
        From(values.Length == 0 ? [] : MemoryMarshal.CreateReadOnlySpan(ref values[0, 0], values.Length), values.GetLength(0), values.GetLength(1));

    /// <summary>Uniform in [0, 1).</summary>
    public static Tensor Rand(params ReadOnlySpan<int> shape) => Rand(Shape.Create(shape), Generator.Default);

    /// <summary>Uniform in [0, 1), from the given stream.</summary>
    public static Tensor Rand(Shape shape, Generator generator, DType dtype = DType.Float32)
    {
        var tensor = EmptyFloating(shape, dtype, nameof(Rand));
        generator.FillUniform(tensor);
        return tensor;
    }

    /// <summary>Normal with mean 0 and variance 1.</summary>
    public static Tensor Randn(params ReadOnlySpan<int> shape) => Randn(Shape.Create(shape), Generator.Default);

    /// <summary>Normal with mean 0 and variance 1, from the given stream.</summary>
    public static Tensor Randn(Shape shape, Generator generator, DType dtype = DType.Float32)
    {
        var tensor = EmptyFloating(shape, dtype, nameof(Randn));
        generator.FillNormal(tensor);
        return tensor;
    }

    private static Tensor EmptyFloating(Shape shape, DType dtype, string op) => dtype.IsFloating()
        ? Empty(shape, dtype)
        : throw new AdjointException($"{op}: random numbers need a floating type: found {dtype.Label()}");

    private static void Count<T>(double start, double step, Tensor tensor)
        where T : unmanaged, System.Numerics.INumber<T>
    {
        var values = tensor.Data<T>();
        for (var i = 0; i < values.Length; i++) values[i] = T.CreateSaturating(start + i * step);
    }

    private void FillCore(double value)
    {
        switch (DType)
        {
            case DType.Float32: Data<float>().Fill((float)value); break;
            case DType.Float64: Data<double>().Fill(value); break;
            case DType.Int64: Data<long>().Fill((long)value); break;
            default: Data<bool>().Fill(value != 0); break;
        }
    }
}
