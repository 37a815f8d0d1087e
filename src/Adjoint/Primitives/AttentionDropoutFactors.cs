using System.Numerics;
using Adjoint.Kernels;

namespace Adjoint.Primitives;

/// <summary>
/// The factors by which <see cref="Attention"/> with this dropout multiplies its weights: 0 where it drops them, else
/// 1 / (1 − dropout). Operands: the key (2), float64, contiguous; the factors (n, h, t, s), contiguous, of floating
/// type.
/// </summary>
/// <param name="Dropout">The probability that a weight is dropped, in [0, 1).</param>
public readonly record struct AttentionDropoutFactors(double Dropout) : IFloatingPrimitive<AttentionDropoutFactors>
{
    /// <inheritdoc/>
    public static string Name => "AttentionDropoutFactors";

    /// <inheritdoc/>
    public static void Check(in AttentionDropoutFactors primitive, ReadOnlySpan<Tensor?> operands)
    {
        Operands.Expect(Name, operands, 2);
        var y = operands[1]!;
        Operands.HasContiguous(Name, "key", operands[0]!, DType.Float64, 2);
        Operands.HasRank(Name, "y", y, Operands.Result(Name, y), 4, "(n, h, t, s)");
        if (primitive.Dropout is not (>= 0 and < 1))
            throw new AdjointException($"{Name}: the probability must be in [0, 1): found {primitive.Dropout}");
    }

    /// <inheritdoc/>
    public static void RunOnCpu(in AttentionDropoutFactors primitive, ReadOnlySpan<Tensor?> operands)
    {
        // The key is floating, but not what decides which type is computed in.
        if (operands[1]!.DType == DType.Float64) Run<double>(primitive, operands);
        else if (operands[1]!.DType == DType.Float32) Run<float>(primitive, operands);
        else FloatingPrimitive.Run(primitive, operands);
    }

    /// <inheritdoc/>
    public static unsafe void Run<T>(in AttentionDropoutFactors primitive, ReadOnlySpan<Tensor?> operands)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var y = operands[1]!;
        var keys = y.Shape[3];
        var dropout = AttentionOperands.Dropout(new(false, 1, primitive.Dropout), operands[0]);
        fixed (T* to = y.Data<T>())
            for (var row = 0; keys > 0 && row < y.Length / keys; row++)
                dropout.Factors(row, 0, keys, keys, to + (nint)row * keys, 1);
    }
}
