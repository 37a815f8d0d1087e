using Adjoint.Kernels;

namespace Adjoint.Primitives;

/// <summary>
/// y = x where y may be a view: a part of a larger tensor, or its axes in another order. Operands: x and y, of one
/// shape and type, both of any layout.
/// </summary>
public readonly record struct CopyInto : IPrimitive<CopyInto>
{
    /// <inheritdoc/>
    public static string Name => "CopyInto";

    /// <inheritdoc/>
    public static void Check(in CopyInto primitive, ReadOnlySpan<Tensor?> operands)
    {
        Operands.Expect(Name, operands, 2);
        Operands.Alike(Name, "x", operands[0]!, operands[1]!);
    }

    /// <inheritdoc/>
    public static void RunOnCpu(in CopyInto primitive, ReadOnlySpan<Tensor?> operands)
    {
        var (x, y) = (Copy.Packed(operands[0]!), operands[1]!);
        switch (x.DType.Size())
        {
            case 1: Scatter<byte>(x, y); break;
            case 4: Scatter<float>(x, y); break;
            case 8: Scatter<double>(x, y); break;
            default: throw Operands.NoBody(Name, x.DType);
        }
        Copy.Unpack(x, operands[0]!);
    }

    private static unsafe void Scatter<T>(Tensor x, Tensor y) where T : unmanaged
    {
        fixed (T* from = &x.Origin<T>(), to = &y.Origin<T>()) Strided.Scatter(from, to, y.Strides, y.Shape.Sizes);
    }
}
