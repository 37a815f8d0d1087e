using System.Runtime.InteropServices;
using Adjoint.Memory;

namespace Adjoint;

public sealed partial class Tensor
{
    /// <summary>An uninitialized tensor, for code that writes every element.</summary>
    internal static Tensor Empty(Shape shape, DType dtype = DType.Float32) => Empty(shape, dtype, Execution.Current);

    /// <inheritdoc cref="Empty(Shape, DType)"/>
    internal static Tensor Empty(Shape shape, DType dtype, Execution execution) =>
        new(Storage.Allocate((long)shape.Elements * dtype.Size(), execution), shape, dtype);

    /// <summary>An uninitialized tensor in the memory of a device.</summary>
    internal static Tensor Empty(Shape shape, DType dtype, Device device)
    {
        var execution = Execution.Current;
        if (!Device.AreSeveral) return Empty(shape, dtype, execution);
        var before = execution.Enter(device);
        try
        {
            return Empty(shape, dtype, execution);
        }
        finally
        {
            execution.Device = before;
        }
    }

    /// <summary>
    /// An uninitialized tensor for plain numbers: a constant of the step that is being captured, with memory of its
    /// own.
    /// </summary>
    internal static Tensor NewConstant(Shape shape, DType dtype)
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

    /// <summary>
    /// Copies values, in row-major order, into a tensor of the given shape; without one, into a vector, even of a
    /// single value (<c>Tensor.Scalar</c> makes a tensor without axes).
    /// </summary>
    /// <typeparam name="T">The type of the values, which decides the element type.</typeparam>
    /// <param name="values">As many values as the shape has elements.</param>
    /// <param name="shape">The sizes of the axes; none: a vector.</param>
    /// <returns>A contiguous tensor, without gradient.</returns>
    /// <exception cref="AdjointException">
    /// The shape has another number of elements, or there is no such element type.
    /// </exception>
    public static Tensor From<T>(ReadOnlySpan<T> values, params ReadOnlySpan<int> shape) where T : unmanaged =>
        Copy(values, Shape.Create(shape.Length == 0 ? [values.Length] : shape));

    /// <summary>Copies values, in row-major order, into a tensor of just this shape, which may have no axes.</summary>
    internal static Tensor Copy<T>(ReadOnlySpan<T> values, Shape shape) where T : unmanaged
    {
        if (shape.Elements != values.Length)
            throw new AdjointException(
                $"From: {values.Length} values do not fill the shape {shape}, which has {shape.Elements} elements");
        var dtype = DTypes.Of<T>();
        var tensor = Execution.Current.Arena is null ? Empty(shape, dtype) : NewConstant(shape, dtype);
        if (tensor.Storage.Foreign is { } memory) memory.CopyFrom(MemoryMarshal.AsBytes(values));
        else values.CopyTo(tensor.Data<T>());
        return tensor;
    }

    /// <inheritdoc cref="From{T}(ReadOnlySpan{T}, ReadOnlySpan{int})"/>
    public static Tensor From<T>(T[] values, params ReadOnlySpan<int> shape) where T : unmanaged =>
        From((ReadOnlySpan<T>)values, shape);

    /// <summary>Copies a rectangular array, <c>{{1, 2}, {3, 4}}</c>, into a tensor of shape (rows, columns).</summary>
    /// <typeparam name="T">The type of the values, which decides the element type.</typeparam>
    /// <param name="values">The rows and columns of the matrix.</param>
    /// <returns>A contiguous tensor (rows, columns), without gradient.</returns>
    public static Tensor From<T>(T[,] values) where T : unmanaged =>
        From(values.Length == 0 ? [] : MemoryMarshal.CreateReadOnlySpan(ref values[0, 0], values.Length),
            values.GetLength(0), values.GetLength(1));
}
