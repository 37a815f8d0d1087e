using Adjoint.Kernels;

namespace Adjoint.Primitives;

/// <summary>
/// y = x where y may be a view: a slice of a larger tensor, or one with permuted axes. Operands: x and y, of one shape
/// and type, both of any layout.
/// </summary>
public readonly record struct CopyInto : IPrimitive<CopyInto>
{
    /// <inheritdoc/>
    public static string Name => "CopyInto";

    /// <inheritdoc/>
    public static void Check(in CopyInto primitive, ReadOnlySpan<Tensor?> operands)
    {
        Operands.Expect(Name, operands, 2);
        Operands.SameTypeAndShape(Name, "x", operands[0]!, operands[1]!);
    }

    /// <inheritdoc/>
    public static void RunOnCpu(in CopyInto primitive, ReadOnlySpan<Tensor?> operands)
    {
        var (x, y) = (Copy.Contiguous(operands[0]!), operands[1]!);
        var scatter = new Scattering(x, y);
        ElementTypes.Bits(x.DType, ref scatter);
        Copy.ReleaseCopy(x, operands[0]!);
    }

    private readonly unsafe struct Scattering(Tensor x, Tensor y) : IBitsVisitor
    {
        public void Visit<T>() where T : unmanaged
        {
            fixed (T* from = &x.Origin<T>(), to = &y.Origin<T>()) Strided.Scatter(from, to, y.Strides, y.Shape.Sizes);
        }
    }
}
