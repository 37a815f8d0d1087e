using System.Numerics;
using System.Runtime.InteropServices;
using Adjoint.Kernels;

namespace Adjoint.Primitives;

/// <summary>
/// What attention and its gradients take and check alike. Their first operands: queries (n, h, t, d), keys (n, g, s, d)
/// and values (n, g, s, e) of one floating type; then, each of them or null: a mask that broadcasts to (n, h, t, s),
/// bool or of that type; slopes (h) of the computing type; lengths (n), int64; the key of dropout (2), float64, uniform
/// in [0, 1). All of any layout.
/// </summary>
internal static class AttentionOperands
{
    /// <summary>How many there are.</summary>
    internal const int Count = 7;

    /// <summary>The shape of the scores.</summary>
    internal static Shape Scores(ReadOnlySpan<Tensor?> operands) =>
        (int[])[.. operands[0]!.Shape.Sizes[..3], operands[1]!.Shape[2]];

    /// <summary>Products of queries and keys, and those of the same size, by the features of each.</summary>
    internal static double Flops(
        in AttentionAttributes attributes, ReadOnlySpan<Tensor?> operands, int widths, int valueWidths)
    {
        var scores = Scores(operands);
        double all = 2.0 * scores[0] * scores[1] * scores[2] * scores[3];
        if (attributes.IsCausal && scores[3] > 0) all *= 1 - 0.5 * Math.Min(scores[2], scores[3]) / scores[3];
        return all * (widths * (double)operands[0]!.Shape[3] + valueWidths * (double)operands[2]!.Shape[3]);
    }

    /// <summary>Checks that there are so many operands behind the first ones.</summary>
    internal static void CheckCount(string primitive, ReadOnlySpan<Tensor?> operands, int others)
    {
        if (operands.Length != Count + others)
            throw new AdjointException(
                $"{primitive}: takes {Count + others} operands, results last: found {operands.Length}");
        for (var i = 0; i < operands.Length; i++)
            if (operands[i] is null && i is (< 3 or >= Count))
                throw new AdjointException(
                    $"{primitive}: operand {i} of {operands.Length} must not be left out: found null");
    }

    /// <summary>Checks the first operands, what forward wrote, and the gradient of its result.</summary>
    internal static void CheckGradient(
        string primitive, in AttentionAttributes attributes, ReadOnlySpan<Tensor?> operands)
    {
        var type = Check(primitive, attributes, operands);
        var (y, g) = (operands[Count]!, operands[Count + 2]!);
        var (q, v) = (operands[0]!, operands[2]!);
        Operands.HasContiguous(primitive, "y", y, type, q.Shape[0], q.Shape[1], q.Shape[2], v.Shape[3]);
        Operands.HasContiguous(primitive, "logSumExp", operands[Count + 1]!, type.Computing(), q.Shape.Sizes[..3]);
        Operands.SameTypeAndShape(primitive, "g", g, y);
    }

    /// <summary>Checks the first operands.</summary>
    /// <returns>Their type.</returns>
    internal static DType Check(string primitive, in AttentionAttributes attributes, ReadOnlySpan<Tensor?> operands)
    {
        var (q, k, v) = (operands[0]!, operands[1]!, operands[2]!);
        var type = q.DType;
        Operands.HasRank(primitive, "q", q, type, 4, "(n, h, t, d)");
        Operands.HasRank(primitive, "v", v, type, 4, "(n, g, s, e)");
        var (n, h, g, s) = (q.Shape[0], q.Shape[1], v.Shape[1], v.Shape[2]);
        Operands.Has(primitive, "k", k, type, n, g, s, q.Shape[3]);
        Operands.Has(primitive, "v", v, type, n, g, s, v.Shape[3]);
        if (g == 0 ? h != 0 : h % g != 0)
            throw new AdjointException(
                $"{primitive}: the heads of keys must divide those of queries: found {g} and {h}{Operands.Remedy}");
        if (operands[3] is { } mask)
            Operands.BroadcastsTo(
                primitive, "mask", mask, mask.DType == DType.Bool ? DType.Bool : type, Scores(operands));
        if (operands[4] is { } slopes) Operands.Has(primitive, "slopes", slopes, type.Computing(), h);
        if (operands[5] is { } lengths) Operands.Has(primitive, "lengths", lengths, DType.Int64, n);
        if (operands[6] is { } key) Operands.HasContiguous(primitive, "key", key, DType.Float64, 2);
        if (attributes.Dropout is not (>= 0 and < 1) || attributes.Dropout > 0 && operands[6] is null)
            throw new AdjointException(
                $"{primitive}: dropout takes a probability in [0, 1) and a key: found {attributes.Dropout}");
        return type;
    }

    /// <summary>Runs a body with the operands as the kernels take them.</summary>
    internal static unsafe void Run<T, TBody>(in AttentionAttributes attributes, ReadOnlySpan<Tensor?> operands)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> where TBody : struct, IAttentionBody<T>
    {
        var (q, k, v, mask) = (operands[0]!, operands[1]!, operands[2]!, operands[3]);
        var slopes = operands[4] is { } some ? Copy.Contiguous(some) : null;
        var lengths = operands[5] is { } counts ? Copy.Contiguous(counts) : null;
        if (lengths is not null) CheckLengths(lengths, k.Shape[2]);
        fixed (T* queries = &q.Origin<T>(), keys = &k.Origin<T>(), values = &v.Origin<T>(),
            bias = mask is null || mask.DType == DType.Bool ? default : Start<T>(mask),
            slope = slopes is null ? default : Start<T>(slopes))
        fixed (bool* visible = mask is { DType: DType.Bool } ? Start<bool>(mask) : default)
        fixed (long* length = lengths is null ? default : Start<long>(lengths))
            TBody.Run(
                new()
                {
                    Batch = q.Shape[0],
                    Heads = q.Shape[1],
                    KeyValueHeads = k.Shape[1],
                    Queries = q.Shape[2],
                    Keys = k.Shape[2],
                    Width = q.Shape[3],
                    ValueWidth = v.Shape[3],
                    Q = queries,
                    QStrides = Strides(q.Strides),
                    K = keys,
                    KStrides = Strides(k.Strides),
                    V = values,
                    VStrides = Strides(v.Strides),
                    Scale = attributes.Scale,
                    IsCausal = attributes.IsCausal,
                    Visible = visible,
                    Bias = bias,
                    MaskStrides = mask is null ? default
                        : Strides(Operands.BroadcastStrides(mask, Scores(operands))),
                    Slopes = slope,
                    Lengths = length,
                    Dropout = Dropout(attributes, operands[6]),
                }, operands[Count..]);
        if (slopes is not null) Copy.ReleaseCopy(slopes, operands[4]!);
        if (lengths is not null) Copy.ReleaseCopy(lengths, operands[5]!);
    }

    /// <summary>The strides of the four axes.</summary>
    internal static AttentionStrides Strides(ReadOnlySpan<nint> strides) =>
        new(strides[0], strides[1], strides[2], strides[3]);

    /// <summary>Two uniform numbers become the seed and the stream of those that decide what is dropped.</summary>
    internal static AttentionDropout Dropout(in AttentionAttributes attributes, Tensor? key)
    {
        if (key is null || attributes.Dropout == 0) return new(1, 0, 0);
        var numbers = key.Data<double>();
        return new(1 - attributes.Dropout, Whole(numbers[0]), Whole(numbers[1]));

        static ulong Whole(double uniform) => (ulong)(uniform * (1L << 53));
    }

    private static Span<T> Start<T>(Tensor x) where T : unmanaged => MemoryMarshal.CreateSpan(ref x.Origin<T>(), 1);

    private static void CheckLengths(Tensor lengths, int keys)
    {
        var numbers = lengths.Data<long>();
        for (var i = 0; i < numbers.Length; i++)
            if (numbers[i] < 0 || numbers[i] > keys)
                throw new AdjointException(
                    $"ScaledDotProductAttention: the lengths must be from 0 to {keys}, the number of keys: found " +
                        $"{numbers[i]} for "
                    + $"sample {i}; count the keys that are no padding");
    }
}

/// <summary>What is done with the operands of attention.</summary>
internal interface IAttentionBody<T> where T : unmanaged
{
    /// <summary>Runs on the operands, and on those that follow them.</summary>
    static abstract void Run(in AttentionProblem<T> problem, ReadOnlySpan<Tensor?> rest);
}
