using System.Numerics;
using Adjoint.Kernels;

namespace Adjoint.Primitives;

/// <summary>
/// The cross-entropy of each row of logits x = h·Wᵀ + b, and, where wanted, the gradients of h, W and b, without logits
/// of all rows in memory: they are computed for a block of rows, whose gradient softmax(x) − t is multiplied into the
/// others at once. Operands: hidden h (n, d) and weight W (c, d), of any layout; int64 labels (n); bias b (c) or null;
/// the gradient of each loss (n), contiguous, or null: 1 for each; losses (n); the number of rows that count (), of the
/// computing type; the gradients of h, W and b, contiguous, each null where it is not wanted. A row with the label
/// <see cref="SoftmaxCrossEntropy.IgnoredLabel"/> does not count, and is not read.
/// </summary>
/// <param name="Smoothing">The share s of the target that is spread over all classes.</param>
/// <param name="IsMean">Whether the gradients are those of the mean, else of the sum.</param>
public readonly record struct LinearCrossEntropy(double Smoothing, bool IsMean) : IFloatingPrimitive<LinearCrossEntropy>
{
    // Logits of a block fit the second-level cache, but products of fewer rows would pay for passes over W.
    private const int BlockLength = 1 << 18, MinRows = 128;

    /// <inheritdoc/>
    public static string Name => "LinearCrossEntropy";

    /// <inheritdoc/>
    public static int Outputs => 5;

    /// <inheritdoc/>
    public static double Flops(in LinearCrossEntropy primitive, ReadOnlySpan<Tensor?> operands)
    {
        var products = 1 + (operands[7] is null ? 0 : 1) + (operands[8] is null ? 0 : 1);
        return 2.0 * products * operands[0]!.Length * operands[1]!.Shape[0];
    }

    /// <inheritdoc/>
    public static void Check(in LinearCrossEntropy primitive, ReadOnlySpan<Tensor?> operands)
    {
        Operands.Expect(Name, operands, 10, optional: [3, 4, 7, 8, 9]);
        var (hidden, weight, losses) = (operands[0]!, operands[1]!, operands[5]!);
        var type = Operands.Result(Name, losses);
        Operands.HasRank(Name, "hidden", hidden, type, 2, "(n, width)");
        var (n, d) = (hidden.Shape[0], hidden.Shape[1]);
        Operands.HasRank(Name, "weight", weight, type, 2, "(classes, width)");
        var classes = weight.Shape[0];
        Operands.Has(Name, "weight", weight, type, classes, d);
        Operands.Has(Name, "labels", operands[2]!, DType.Int64, n);
        if (operands[3] is { } bias) Operands.Has(Name, "bias", bias, type, classes);
        if (operands[4] is { } above) Operands.HasContiguous(Name, "gradient of the losses", above, type, n);
        Operands.Has(Name, "losses", losses, type, n);
        Operands.Has(Name, "count", operands[6]!, type.Computing());
        if (operands[7] is { } ofHidden) Operands.HasContiguous(Name, "gradient of hidden", ofHidden, type, n, d);
        if (operands[8] is { } ofWeight)
            Operands.HasContiguous(Name, "gradient of weight", ofWeight, type, classes, d);
        if (operands[9] is { } ofBias) Operands.HasContiguous(Name, "gradient of bias", ofBias, type, classes);
    }

    /// <inheritdoc/>
    public static void Run<T>(in LinearCrossEntropy primitive, ReadOnlySpan<Tensor?> operands)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var contiguous = new Tensor?[operands.Length];
        for (var i = 0; i < contiguous.Length; i++)
            contiguous[i] = operands[i] is { } operand ? Copy.Contiguous(operand) : null;
        var (labels, classes) = (contiguous[2]!, operands[1]!.Shape[0]);
        var count = SoftmaxCrossEntropy.CountClasses(labels, classes, Name, $"weight {operands[1]!.Shape}");
        operands[6]!.Data<T>()[0] = T.CreateTruncating(count);
        if (count == labels.Length) RunBlocks<T>(primitive, contiguous);
        else RunOfCounting<T>(primitive, contiguous, count);
        for (var i = 0; i < contiguous.Length; i++)
            if (contiguous[i] is { } one) Copy.ReleaseCopy(one, operands[i]!);
    }

    // What is left out may be anything, NaN as well: the others are moved together, and back.
    private static void RunOfCounting<T>(in LinearCrossEntropy primitive, ReadOnlySpan<Tensor?> operands, int count)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var labels = operands[2]!.Data<long>();
        var rows = new int[count];
        for (int row = 0, at = 0; row < labels.Length; row++)
            if (labels[row] != SoftmaxCrossEntropy.IgnoredLabel) rows[at++] = row;
        var own = operands.ToArray();
        own[0] = Picked<T>(operands[0]!, rows);
        own[2] = Picked<long>(operands[2]!, rows);
        if (operands[4] is { } above) own[4] = Picked<T>(above, rows);
        own[5] = Tensor.Empty([count], operands[5]!.DType);
        if (operands[7] is { } ofHidden) own[7] = Tensor.Empty(own[0]!.Shape, ofHidden.DType);
        RunBlocks<T>(primitive, own);
        Put<T>(own[5]!, rows, operands[5]!);
        if (operands[7] is not null) Put<T>(own[7]!, rows, operands[7]!);
        for (var i = 0; i < own.Length; i++)
            if (own[i] is { } one) Copy.ReleaseCopy(one, operands[i]!);
    }

    private static unsafe void RunBlocks<T>(in LinearCrossEntropy primitive, ReadOnlySpan<Tensor?> operands)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var (hidden, weight, labels, losses) = (operands[0]!, operands[1]!, operands[2]!, operands[5]!);
        var (n, d, c) = (hidden.Shape[0], hidden.Shape[1], weight.Shape[0]);
        if (n == 0)
        {
            operands[8]?.Bytes.Clear();
            operands[9]?.Bytes.Clear();
            return;
        }
        var rows = Math.Min(n, Math.Max(MinRows, BlockLength / Math.Max(1, c)));
        var hasGradient = operands[7] is not null || operands[8] is not null || operands[9] is not null;
        var logits = Tensor.Empty([rows, c], weight.DType);
        var gradient = hasGradient ? Tensor.Empty([rows, c], weight.DType) : null;
        var ones = new T[rows];
        Array.Fill(ones, T.One);
        fixed (long* label = labels.Data<long>())
        fixed (T* h = hidden.Data<T>(), w = weight.Data<T>(), b = Of<T>(operands[3]), scale = Of<T>(operands[4]),
            loss = losses.Data<T>(), dh = Of<T>(operands[7]), dw = Of<T>(operands[8]), db = Of<T>(operands[9]),
            x = logits.Data<T>(), dx = Of<T>(gradient), one = ones)
            for (var i = 0; i < n; i += rows)
            {
                var m = Math.Min(rows, n - i);
                var beta = i == 0 ? T.Zero : T.One;
                var at = (nint)i * d;
                Gemm.Run(false, true, m, c, d, T.One, h + at, d, w, d, T.Zero, x, c, b, new NoActivation());
                Kernels.SoftmaxCrossEntropy.Run(x, label + i, loss + i, dx, m, c, primitive.Smoothing,
                    primitive.IsMean ? 1.0 / n : 1, scale == null ? null : scale + i);
                if (dh != null) Gemm.Run(false, false, m, d, c, T.One, dx, c, w, d, T.Zero, dh + at, d);
                if (dw != null) Gemm.Run(true, false, c, d, m, T.One, dx, c, h + at, d, beta, dw, d);
                if (db != null) Gemm.Run(false, false, 1, c, m, T.One, one, m, dx, c, beta, db, c);
            }
        logits.Storage.Release("it held logits of a block of rows");
        gradient?.Storage.Release("it held the gradient of a block of rows");
        GC.KeepAlive(logits);
        GC.KeepAlive(gradient);
    }

    private static Span<T> Of<T>(Tensor? x) where T : unmanaged => x is null ? default : x.Data<T>();

    private static Tensor Picked<T>(Tensor x, int[] rows) where T : unmanaged
    {
        var sizes = x.Shape.Sizes.ToArray();
        sizes[0] = rows.Length;
        var y = Tensor.Empty(sizes, x.DType);
        var width = x.Rank == 1 ? 1 : sizes[1];
        for (var i = 0; i < rows.Length; i++)
            x.Data<T>().Slice(rows[i] * width, width).CopyTo(y.Data<T>()[(i * width)..]);
        return y;
    }

    private static void Put<T>(Tensor x, int[] rows, Tensor y) where T : unmanaged
    {
        y.Bytes.Clear();
        var width = x.Rank == 1 ? 1 : x.Shape[1];
        for (var i = 0; i < rows.Length; i++)
            x.Data<T>().Slice(i * width, width).CopyTo(y.Data<T>()[(rows[i] * width)..]);
    }
}
