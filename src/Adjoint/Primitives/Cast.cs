using System.Numerics;

namespace Adjoint.Primitives;

/// <summary>
/// y = x in another type: rounded to the nearest; a whole number is cut towards 0, the nearest there is for what lies
/// outside of int64, 0 for NaN; a truth value is whether x is not 0, and becomes 1 or 0. Operands: x, of any layout,
/// and y, contiguous; of one shape and any types.
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
        Operands.Dense(Name, "y", operands[1]!);
    }

    /// <inheritdoc/>
    public static void RunOnCpu(in Cast primitive, ReadOnlySpan<Tensor?> operands)
    {
        var (x, y) = (Copy.Packed(operands[0]!), operands[1]!);
        switch (x.DType)
        {
            case DType.Float32: From<float>(x, y); break;
            case DType.Float64: From<double>(x, y); break;
            case DType.Int64: From<long>(x, y); break;
            case DType.Bool: From<byte>(x, y); break;
            default: throw Operands.NoBody(Name, x.DType);
        }
        Copy.Unpack(x, operands[0]!);
    }

    private static unsafe void From<T>(Tensor x, Tensor y) where T : unmanaged, INumber<T>
    {
        fixed (T* from = &x.Origin<T>())
        fixed (byte* to = y.Bytes)
            switch (y.DType)
            {
                case DType.Float32: Kernels.Cast.Run(from, (float*)to, y.Length); break;
                case DType.Float64: Kernels.Cast.Run(from, (double*)to, y.Length); break;
                case DType.Int64: Kernels.Cast.Run(from, (long*)to, y.Length); break;
                case DType.Bool: Kernels.Cast.Truth(from, to, y.Length); break;
                default: throw Operands.NoBody(Name, y.DType);
            }
    }
}
