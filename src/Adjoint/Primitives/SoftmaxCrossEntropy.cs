using System.Numerics;
using Adjoint.Kernels;

namespace Adjoint.Primitives;

/// <summary>
/// The cross-entropy of each row, ln Σₖ e^xₖ − Σₖ tₖ xₖ with t = (1 − s)·[k = label] + s/c, and, where wanted, its
/// gradient softmax(x) − t, for a mean divided by the number of rows that count. Operands: logits x (n, c) and int64
/// labels (n), of any layout; losses (n), contiguous; gradient (n, c), contiguous, or null; the number of rows that
/// count (), of the computing type. A row with the label <see cref="IgnoredLabel"/> does not count: its loss
/// and its gradient are 0. Any other label that is no class is an error.
/// </summary>
/// <param name="Smoothing">The share s of the target that is spread over all classes.</param>
/// <param name="IsMean">Whether the gradient is that of the mean, else of the sum.</param>
public readonly record struct SoftmaxCrossEntropy(double Smoothing, bool IsMean)
    : IFloatingPrimitive<SoftmaxCrossEntropy>
{
    /// <summary>The label of a row that is left out: −100, PyTorch's <c>ignore_index</c>.</summary>
    public const int IgnoredLabel = -100;

    /// <inheritdoc/>
    public static string Name => "SoftmaxCrossEntropy";

    /// <inheritdoc/>
    public static int Outputs => 3;

    /// <inheritdoc/>
    public static void Check(in SoftmaxCrossEntropy primitive, ReadOnlySpan<Tensor?> operands)
    {
        Operands.Expect(Name, operands, 5, optional: 3);
        var (logits, labels, losses) = (operands[0]!, operands[1]!, operands[2]!);
        var type = Operands.Result(Name, losses);
        Operands.HasRank(Name, "logits", logits, type, 2, "(n, classes)");
        Operands.Has(Name, "labels", labels, DType.Int64, logits.Shape[0]);
        Operands.Has(Name, "losses", losses, type, logits.Shape[0]);
        if (operands[3] is { } gradient) Operands.HasContiguous(Name, "gradient", gradient, type, logits.Shape.Sizes);
        Operands.Has(Name, "count", operands[4]!, type.Computing());
    }

    /// <inheritdoc/>
    public static unsafe void Run<T>(in SoftmaxCrossEntropy primitive, ReadOnlySpan<Tensor?> operands)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var (logits, labels) = (Copy.Contiguous(operands[0]!), Copy.Contiguous(operands[1]!));
        var (losses, gradient) = (operands[2]!, operands[3]);
        var count = CountClasses(labels, logits.Shape[1], "CrossEntropy", $"logits {logits.Shape}");
        fixed (long* target = labels.Data<long>())
        fixed (T* from = logits.Data<T>(), to = losses.Data<T>(), dlogits = gradient is null ? default
            : gradient.Data<T>())
            Kernels.SoftmaxCrossEntropy.Run(from, target, to, dlogits, logits.Shape[0], logits.Shape[1],
                primitive.Smoothing, primitive.IsMean ? 1.0 / count : 1);
        operands[4]!.Data<T>()[0] = T.CreateTruncating(count);
        Copy.ReleaseCopy(logits, operands[0]!);
        Copy.ReleaseCopy(labels, operands[1]!);
    }

    /// <summary>How many labels are classes; refuses one that is neither that nor left out.</summary>
    /// <param name="labels">The labels (n), contiguous.</param>
    /// <param name="classes">The number of classes.</param>
    /// <param name="op">For the message: what the labels are given to.</param>
    /// <param name="of">For the message: what has the classes.</param>
    internal static int CountClasses(Tensor labels, int classes, string op, string of)
    {
        var all = labels.Data<long>();
        var count = 0;
        for (var row = 0; row < all.Length; row++)
            if (all[row] >= 0 && all[row] < classes) count++;
            else if (all[row] != IgnoredLabel)
                throw new AdjointException(
                    $"{op}: label {all[row]} of row {row} is not a class of {of}; use 0..{classes - 1}, or "
                    + $"{IgnoredLabel} to leave a row out");
        return count;
    }
}
