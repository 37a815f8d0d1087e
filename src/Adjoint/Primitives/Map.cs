using Adjoint.Kernels;

namespace Adjoint.Primitives;

/// <summary>
/// y = f(x), element by element. Operands: x, y, of one shape and floating type; y contiguous, x of any layout.
/// </summary>
/// <param name="Lane">f.</param>
public readonly record struct Map<TLane>(TLane Lane) : IPrimitive<Map<TLane>> where TLane : struct, IUnaryLane
{
    /// <inheritdoc/>
    public static string Name => "Map";

    /// <inheritdoc/>
    public static bool IsElementwise => true;

    /// <inheritdoc/>
    public static void Check(in Map<TLane> primitive, ReadOnlySpan<Tensor?> operands)
    {
        Operands.Expect(Name, operands, 2);
        Operands.Result(Name, operands[1]!);
        Operands.Alike(Name, "x", operands[0]!, operands[1]!);
    }

    /// <inheritdoc/>
    public static unsafe void RunOnCpu(in Map<TLane> primitive, ReadOnlySpan<Tensor?> operands)
    {
        var (x, y) = (Copy.Packed(operands[0]!), operands[1]!);
        switch (y.DType)
        {
            case DType.Float32:
                fixed (float* from = x.Data<float>(), to = y.Data<float>())
                    Kernels.Map.Run(primitive.Lane, from, to, y.Length);
                break;
            case DType.Float64:
                fixed (double* from = x.Data<double>(), to = y.Data<double>())
                    Kernels.Map.Run(primitive.Lane, from, to, y.Length);
                break;
            default: throw Operands.NoBody(Name, y.DType);
        }
        Copy.Unpack(x, operands[0]!);
    }

    /// <inheritdoc/>
    public static unsafe void RunBlock(in Map<TLane> primitive, void** block, int count, DType type)
    {
        switch (type)
        {
            case DType.Float32:
                Kernels.Map.Run(primitive.Lane, (float*)block[0], (float*)block[1], count);
                break;
            case DType.Float64:
                Kernels.Map.Run(primitive.Lane, (double*)block[0], (double*)block[1], count);
                break;
            default: throw Operands.NoBody(Name, type);
        }
    }
}
