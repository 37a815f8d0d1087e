using System.Runtime.InteropServices;
using Adjoint.Memory;
using Numerics = System.Numerics.Tensors;

namespace Adjoint;

// To and from System.Numerics.Tensors, and memory of .NET.
public sealed partial class Tensor
{
    /// <summary>
    /// The elements where they lie, without a copy, for code that works on <c>System.Numerics.Tensors</c>. Views keep
    /// their strides: 0 along an axis that was expanded or has size 1. A tensor without axes becomes a vector of one
    /// element, since a tensor span has at least one axis. The span shows what is written to the tensor later, and
    /// stays readable for as long as it is used, whatever becomes of the tensor: memory that a span was taken of never
    /// returns to the pool.
    /// </summary>
    /// <typeparam name="T">The tensor's own element type, as <c>float</c> for float32.</typeparam>
    /// <returns>A span over the memory of this tensor, with its sizes and strides.</returns>
    /// <exception cref="AdjointException">
    /// <typeparamref name="T"/> is not the tensor's type; the tensor is not kept (<see cref="Keep"/>), its memory was
    /// recycled or lies on another device, its elements overlap, as windows do, or they are pages of a file.
    /// </exception>
    public Numerics.ReadOnlyTensorSpan<T> AsReadOnlyTensorSpan<T>() where T : unmanaged
    {
        const string name = nameof(AsReadOnlyTensorSpan);
        RequireType<T>(name);
        Execution.Current.Arena?.NoteRead(Storage);
        // Memory that was recycled or lies elsewhere says so.
        ref var origin = ref Origin<T>();
        if (!Storage.IsKept)
            throw new AdjointException(
                $"{name}: {Shape} {DType.Label()} is not kept, and Backward() would recycle its memory under the span; "
                + "call .Keep() first, or copy with .ToNumericsTensor()");
        if (Storage.IsMapped)
            throw new AdjointException(
                $"{name}: {Shape} {DType.Label()} are pages of a file, which a span does not keep mapped; take it of "
                + "a .Clone().Keep(), or copy with .ToNumericsTensor()");
        if (Length == 0) return Numerics.Tensor.CreateFromShape<T>(Lengths()).AsReadOnlyTensorSpan();
        nint reach = 0;
        // Of an axis that is never stepped along, a tensor span wants a stride of 0.
        var steps = new nint[Math.Max(1, Rank)];
        for (var axis = 0; axis < Rank; axis++)
        {
            if (Shape[axis] == 1) continue;
            steps[axis] = StrideAt(axis);
            reach += (Shape[axis] - 1) * steps[axis];
        }
        Storage.NoteViewer();
        // After the note, since a release on another thread takes the memory away before it asks.
        origin = ref Origin<T>();
        try
        {
            return new(MemoryMarshal.CreateReadOnlySpan(ref origin, (int)reach + 1), Lengths(), steps);
        }
        catch (ArgumentException error)
        {
            throw new AdjointException(
                $"{name}: elements of {Shape} with strides ({string.Join(", ", steps)}) overlap, which a tensor span "
                + "cannot express; take it of a .Clone().Keep()", error);
        }
        finally
        {
            GC.KeepAlive(this);
        }
    }

    /// <summary>
    /// Copies the elements to a tensor of <c>System.Numerics.Tensors</c>, contiguous and with memory of its own. A
    /// tensor without axes becomes a vector of one element, since those have at least one axis.
    /// </summary>
    /// <typeparam name="T">The tensor's own element type, as <c>float</c> for float32.</typeparam>
    /// <returns>A tensor of these sizes.</returns>
    /// <exception cref="AdjointException">
    /// <typeparamref name="T"/> is not the tensor's type, or its memory was recycled or lies on another device.
    /// </exception>
    public Numerics.Tensor<T> ToNumericsTensor<T>() where T : unmanaged
    {
        RequireType<T>(nameof(ToNumericsTensor));
        return Numerics.Tensor.Create(ToArray<T>(), Lengths());
    }

    /// <summary>Copies a tensor of <c>System.Numerics.Tensors</c>, sizes and elements.</summary>
    /// <typeparam name="T">The type of the values, which decides the element type.</typeparam>
    /// <param name="values">The tensor, of any layout.</param>
    /// <returns>A contiguous tensor, without gradient.</returns>
    /// <exception cref="AdjointException">
    /// There is no such element type, or there are more elements than a tensor holds.
    /// </exception>
    public static Tensor From<T>(Numerics.Tensor<T> values) where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(values);
        return From(values.AsReadOnlyTensorSpan());
    }

    /// <summary>Copies a tensor span of <c>System.Numerics.Tensors</c>, sizes and elements.</summary>
    /// <inheritdoc cref="From{T}(Numerics.Tensor{T})"/>
    public static Tensor From<T>(Numerics.ReadOnlyTensorSpan<T> values) where T : unmanaged
    {
        if (values.FlattenedLength > Array.MaxLength)
            throw new AdjointException(
                $"From: ({string.Join(", ", values.Lengths.ToArray())}) has {values.FlattenedLength:N0} elements; a "
                + $"tensor is made of at most {Array.MaxLength:N0} values; take it in parts");
        // One that was never given any sizes has no axes, and no elements either.
        if (values.Rank == 0) return Copy<T>([], Shape.Create([0]));
        var shape = Shape.Create(Array.ConvertAll(values.Lengths.ToArray(), length => checked((int)length)));
        if (shape.Elements == 0) return Copy<T>([], shape);
        if (values.IsDense) return Copy(MemoryMarshal.CreateReadOnlySpan(in values.GetPinnableReference(),
            shape.Elements), shape);
        var inOrder = new T[shape.Elements];
        values.FlattenTo(inOrder);
        return Copy<T>(inOrder, shape);
    }

    /// <inheritdoc cref="From{T}(ReadOnlySpan{T}, ReadOnlySpan{int})"/>
    public static Tensor From<T>(ReadOnlyMemory<T> values, params ReadOnlySpan<int> shape) where T : unmanaged =>
        From(values.Span, shape);

    /// <inheritdoc cref="From{T}(ReadOnlySpan{T}, ReadOnlySpan{int})"/>
    public static Tensor From<T>(Memory<T> values, params ReadOnlySpan<int> shape) where T : unmanaged =>
        From((ReadOnlySpan<T>)values.Span, shape);

    private nint[] Lengths() => Rank == 0 ? [1] : Array.ConvertAll(Shape.Sizes.ToArray(), size => (nint)size);
}
