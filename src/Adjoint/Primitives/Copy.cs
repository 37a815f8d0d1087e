using Adjoint.Kernels;

namespace Adjoint.Primitives;

/// <summary>y = x. Operands: x, of any layout, and y, contiguous; of one shape and any one type.</summary>
public readonly record struct Copy : IPrimitive<Copy>
{
    /// <inheritdoc/>
    public static string Name => "Copy";

    /// <inheritdoc/>
    public static bool IsElementwise => true;

    /// <inheritdoc/>
    public static void Check(in Copy primitive, ReadOnlySpan<Tensor?> operands)
    {
        Operands.Expect(Name, operands, 2);
        Operands.SameTypeAndShape(Name, "x", operands[0]!, operands[1]!);
        Operands.Contiguous(Name, "y", operands[1]!);
    }

    /// <inheritdoc/>
    public static void RunOnCpu(in Copy primitive, ReadOnlySpan<Tensor?> operands)
    {
        var (x, y) = (operands[0]!, operands[1]!);
        if (x.IsContiguous) x.Bytes.CopyTo(y.Bytes);
        else
        {
            var gather = new Gathering(x, y);
            ElementTypes.Bits(x.DType, ref gather);
        }
    }

    /// <inheritdoc/>
    public static unsafe void RunBlock(in Copy primitive, void** block, int operands, int count, DType type)
    {
        var bytes = (long)count * type.Size();
        Buffer.MemoryCopy(block[0], block[1], bytes, bytes);
    }

    /// <summary>
    /// For bodies on the CPU: the tensor itself, or a contiguous copy. <see cref="ReleaseCopy"/> it where it is used
    /// last.
    /// </summary>
    internal static Tensor Contiguous(Tensor x)
    {
        if (x.IsContiguous) return x;
        var y = Tensor.Empty(x.Shape, x.DType);
        RunOnCpu(default, [x, y]);
        GC.KeepAlive(x);
        return y;
    }

    /// <summary>
    /// Hands a copy back to the pool, which need not wait for the collector to find it; and keeps either alive until
    /// here, since kernels held bare addresses.
    /// </summary>
    internal static void ReleaseCopy(Tensor contiguous, Tensor x)
    {
        if (contiguous.Storage != x.Storage) contiguous.Storage.Release("it was a contiguous copy for one operation");
        GC.KeepAlive(contiguous);
    }

    private readonly unsafe struct Gathering(Tensor x, Tensor y) : IBitsVisitor
    {
        public void Visit<T>() where T : unmanaged
        {
            fixed (T* from = &x.Origin<T>(), to = &y.Origin<T>()) Strided.Copy(from, x.Strides, to, x.Shape.Sizes);
        }
    }
}
