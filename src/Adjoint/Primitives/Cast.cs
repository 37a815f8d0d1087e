using System.Numerics;

namespace Adjoint.Primitives;

/// <summary>
/// y = x in another type. To a floating type: the nearest value, ties to even, ∞ beyond the largest. From a floating
/// type to integers: truncated towards 0, clamped to the range, 0 for NaN. From integers to narrower ones: the lower
/// bits, as in NumPy and PyTorch. A truth value is whether x is not 0, NaN included, and becomes 1 or 0. Operands: x,
/// of any layout, and y, contiguous; of one shape and any types.
/// </summary>
public readonly record struct Cast : IPrimitive<Cast>
{
    /// <inheritdoc/>
    public static string Name => "Cast";

    /// <inheritdoc/>
    public static void Check(in Cast primitive, ReadOnlySpan<Tensor?> operands)
    {
        Operands.Expect(Name, operands, 2);
        Operands.Has(Name, "x", operands[0]!, operands[0]!.DType, operands[1]!.Shape.Sizes);
        Operands.Contiguous(Name, "y", operands[1]!);
    }

    /// <inheritdoc/>
    public static void RunOnCpu(in Cast primitive, ReadOnlySpan<Tensor?> operands)
    {
        var (x, y) = (Copy.Contiguous(operands[0]!), operands[1]!);
        var from = new From(x, y);
        ElementTypes.Number(x.DType, ref from);
        Copy.ReleaseCopy(x, operands[0]!);
    }

    private readonly struct From(Tensor x, Tensor y) : INumberVisitor
    {
        public void Visit<T>() where T : unmanaged, INumber<T>
        {
            var to = new To<T>(x, y);
            ElementTypes.Number(y.DType, ref to);
        }

        public void VisitTruth() => Visit<byte>();
    }

    private readonly unsafe struct To<TFrom>(Tensor x, Tensor y) : INumberVisitor
        where TFrom : unmanaged, INumber<TFrom>
    {
        public void Visit<T>() where T : unmanaged, INumber<T>
        {
            fixed (TFrom* from = &x.Origin<TFrom>())
            fixed (T* to = &y.Origin<T>()) Kernels.Cast.Run(from, to, y.Length);
        }

        public void VisitTruth()
        {
            fixed (TFrom* from = &x.Origin<TFrom>())
            fixed (byte* to = y.Bytes) Kernels.Cast.ToBoolean(from, to, y.Length);
        }
    }
}
