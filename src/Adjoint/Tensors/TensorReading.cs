using System.Numerics;
using System.Runtime.InteropServices;
using Adjoint.Kernels;
using Adjoint.Memory;

namespace Adjoint;

public sealed partial class Tensor
{
    /// <summary>Copies the elements to a new array, in row-major order.</summary>
    /// <typeparam name="T">The tensor's own element type, as <c>float</c> for float32.</typeparam>
    /// <returns>An array of <see cref="Length"/> elements.</returns>
    /// <exception cref="AdjointException">
    /// <typeparamref name="T"/> is not the tensor's type, or its memory was recycled.
    /// </exception>
    public T[] ToArray<T>() where T : unmanaged
    {
        RequireType<T>(nameof(ToArray));
        if (Length > Array.MaxLength)
            throw new AdjointException(
                $"ToArray: {Shape} has {Length:N0} elements; an array holds at most {Array.MaxLength:N0}; take it "
                    + $"in parts");
        var values = new T[Length];
        CopyTo<T>(values);
        return values;
    }

    /// <summary>Copies the elements to a span, in row-major order.</summary>
    /// <typeparam name="T">The tensor's own element type, as <c>float</c> for float32.</typeparam>
    /// <param name="destination">Room for <see cref="Length"/> elements.</param>
    /// <exception cref="AdjointException">The type or the length differs, or the memory was recycled.</exception>
    public unsafe void CopyTo<T>(Span<T> destination) where T : unmanaged
    {
        RequireType<T>(nameof(CopyTo));
        if (destination.Length != Length)
            throw new AdjointException(
                $"CopyTo: the destination has {destination.Length} elements, the tensor {Shape} has {Length}");
        Execution.Current.Arena?.NoteRead(Storage);
        if (IsContiguous)
            Data<T>().CopyTo(destination);
        else
            fixed (T* from = &Origin<T>(), to = destination)
                Strided.Copy(from, Strides, to, Shape.Sizes);
        GC.KeepAlive(this);
    }

    /// <summary>Overwrites the elements in place, in row-major order.</summary>
    /// <typeparam name="T">The tensor's own element type, as <c>float</c> for float32.</typeparam>
    /// <param name="source">As many values as the tensor has elements.</param>
    /// <exception cref="AdjointException">
    /// The type or the length differs, or elements share memory, as those of an expanded tensor do.
    /// </exception>
    public unsafe void CopyFrom<T>(ReadOnlySpan<T> source) where T : unmanaged
    {
        RequireType<T>(nameof(CopyFrom));
        if (source.Length != Length)
            throw new AdjointException(
                $"CopyFrom: the source has {source.Length} elements, the tensor {Shape} has {Length}");
        RequireDistinctElements(nameof(CopyFrom));
        Execution.Current.Arena?.CheckWrite(Storage, nameof(CopyFrom));
        RequireWritable(nameof(CopyFrom));
        if (IsContiguous)
            source.CopyTo(Data<T>());
        else
            fixed (T* from = source, to = &Origin<T>())
                Strided.Scatter(from, to, Strides, Shape.Sizes);
        BumpVersion();
        Execution.Current.StorageWatcher?.NoteWritten(Storage);
        GC.KeepAlive(this);
    }

    /// <summary>
    /// The value of a tensor with one element, as a double: a truth value as 1 or 0, an int64 above 2⁵³ rounded.
    /// <see cref="Item{T}"/> gives all digits.
    /// </summary>
    /// <returns>The value of the element.</returns>
    /// <exception cref="AdjointException">There is not exactly one element.</exception>
    public double Item()
    {
        var item = new ItemVisitor { Tensor = this };
        ElementTypes.Number(DType, ref item);
        return item.Value;
    }

    /// <summary>The value of a tensor with one element, in its own type: <c>x.Item&lt;long&gt;()</c>.</summary>
    /// <typeparam name="T">The tensor's own element type, as <c>long</c> for int64.</typeparam>
    /// <returns>The value of the element.</returns>
    /// <exception cref="AdjointException">
    /// There is not exactly one element, or its type is not <typeparamref name="T"/>.
    /// </exception>
    public T Item<T>() where T : unmanaged
    {
        if (Length != 1)
            throw new AdjointException(
                $"Item: a tensor with one element is needed: found {Shape}; index it, reduce it, or use ToArray");
        RequireType<T>(nameof(Item));
        Execution.Current.Arena?.NoteRead(Storage);
        return Origin<T>();
    }

    /// <summary>The element at the given indices, as a double.</summary>
    /// <param name="indices">One index for each axis; negative ones count from the end.</param>
    /// <returns>The value of the element.</returns>
    /// <exception cref="AdjointException">There is not one index for each axis, or one is out of range.</exception>
    public double ItemAt(params ReadOnlySpan<int> indices)
    {
        if (indices.Length != Rank)
            throw new AdjointException($"ItemAt: {Shape} needs {Rank} indices: found {indices.Length}");
        var at = offset;
        for (var axis = 0; axis < Rank; axis++)
            at += (int)StrideAt(axis) * WrapIndex(indices[axis], axis);
        return View(default, at).Item();
    }

    /// <summary>
    /// Whether both have the same type, shape and bits, in row-major order: a NaN equals itself, and −0 is not 0.
    /// </summary>
    internal bool HasBitsOf(Tensor other)
    {
        if (Shape != other.Shape || DType != other.DType) return false;
        var same = new SameVisitor { X = this, Y = other };
        ElementTypes.Element(DType, ref same);
        return same.AreSame;
    }

    /// <summary>A contiguous copy, without history.</summary>
    private Tensor Copy()
    {
        var copy = Empty(Shape, DType, Device);
        if (Storage.Foreign is { } memory)
        {
            // What computes on a device lies in a layer above: by way of the CPU.
            var bytes = Empty([Storage.ByteLength], DType.Bool, Device.Cpu).Storage;
            memory.CopyTo(bytes.Bytes);
            copy.Storage.Foreign!.CopyFrom(Over(bytes, offset).Copy().Bytes);
            return copy;
        }
        var copying = new CopyVisitor(this, copy);
        ElementTypes.Element(DType, ref copying);
        return copy;
    }

    internal int WrapIndex(int index, int axis)
    {
        var size = Shape[axis];
        return index >= -size && index < size
            ? (index < 0 ? index + size : index)
            : throw new AdjointException($"Index: {index} is outside axis {axis} of {Shape}; use {-size}..{size - 1}");
    }

    private void RequireType<T>(string op) where T : unmanaged
    {
        if (DTypes.Of<T>() != DType)
            throw new AdjointException(
                $"{op}: the tensor holds {DType.Label()}, not {DTypes.Of<T>().Label()}; cast with "
                + $".To(DType.{DTypes.Of<T>()})");
    }

    /// <summary>Refuses to write values of their own where elements share memory: one would be left.</summary>
    internal void RequireDistinctElements(string op)
    {
        if (IsContiguous || Length == 0) return;
        for (var axis = 0; axis < Rank; axis++)
            if (Shape[axis] > 1 && StrideAt(axis) == 0)
                throw new AdjointException(
                    $"{op}: elements of {Shape} share memory along axis {axis}, as Expand makes them, and cannot "
                    + "take values of their own; write into the tensor that was expanded, or into a .Clone()");
        // Each step must lead past all that the smaller ones reach.
        for (var axis = 0; axis < Rank; axis++)
            if (Shape[axis] > 1 && StrideAt(axis) <= ReachBelow(axis))
                throw new AdjointException(
                    $"{op}: elements of {Shape} may share memory along axis {axis}, as windows that overlap do, and "
                    + "cannot take values of their own; write into the tensor that it is a view of, or into "
                    + "a .Clone()");
    }

    // How far the axes with smaller strides lead together; of two with the same, the first counts as smaller.
    private nint ReachBelow(int axis)
    {
        nint reach = 0;
        for (var other = 0; other < Rank; other++)
            if (Shape[other] > 1 && (StrideAt(other), other).CompareTo((StrideAt(axis), axis)) < 0)
                reach += (Shape[other] - 1) * StrideAt(other);
        return reach;
    }

    /// <summary>Refuses to write in place what gradients would flow through.</summary>
    internal void RequireWritable(string op)
    {
        if (!RequiresGrad) Source = null;
        else if (Source is not null && GradMode.IsEnabled)
            throw new AdjointException(
                $"{op}: this tensor was made by {Source.Op.Name} and takes part in a graph; write inside `using (new "
                + "NoGrad())` or make a new tensor");
    }

    private struct ItemVisitor : INumberVisitor
    {
        public Tensor Tensor;
        public double Value;

        public void Visit<T>() where T : unmanaged, INumber<T> =>
            Value = double.CreateTruncating(Tensor.Item<T>());

        public void VisitTruth() => Value = Tensor.Item<bool>() ? 1 : 0;
    }

    private struct SameVisitor : IElementVisitor
    {
        public Tensor X;
        public Tensor Y;
        public bool AreSame;

        public void Visit<T>() where T : unmanaged => AreSame = MemoryMarshal.AsBytes<T>(X.ToArray<T>())
            .SequenceEqual(MemoryMarshal.AsBytes<T>(Y.ToArray<T>()));
    }

    private readonly struct CopyVisitor(Tensor from, Tensor to) : IElementVisitor
    {
        public void Visit<T>() where T : unmanaged => from.CopyTo(to.Data<T>());
    }
}
