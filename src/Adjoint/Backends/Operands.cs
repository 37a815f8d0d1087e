using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Adjoint.Kernels;

namespace Adjoint;

/// <summary>
/// The checks at the backend's door: kernels work on bare pointers, so an operand of another type, shape or layout
/// than they expect would read or write whatever lies beside it. What fits costs a few comparisons.
/// </summary>
internal static class Operands
{
    /// <summary>A result: floating and contiguous.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static DType Result(string operation, Tensor y)
    {
        if (!y.IsContiguous || !y.DType.IsFloating()) ThrowResult(operation, y);
        return y.DType;
    }

    /// <summary>An operand of the result's type and shape.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Alike(string operation, string name, Tensor x, Tensor y)
    {
        if (x.DType != y.DType || x.Shape != y.Shape)
            ThrowOperand(operation, name, x, $"{y.Shape} {y.DType.Label()}, as the result");
    }

    /// <summary>An operand of the result's type whose shape broadcasts to the result's.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Broadcasts(string operation, string name, Tensor x, Tensor y)
    {
        if (x.DType != y.DType || x.Shape != y.Shape && !Broadcasts(x.Shape.Sizes, y.Shape.Sizes))
            ThrowOperand(operation, name, x, $"{y.DType.Label()} and broadcast to the result, {y.Shape}");
    }

    /// <summary>An operand of a type and these sizes.</summary>
    internal static void Has(string operation, string name, Tensor x, DType type, params ReadOnlySpan<int> sizes)
    {
        if (x.DType != type || !x.Shape.Sizes.SequenceEqual(sizes))
            ThrowOperand(operation, name, x, $"{Shape.Create(sizes)} {type.Label()}");
    }

    /// <summary>An operand of a type and these sizes that is read or written where it lies.</summary>
    internal static void HasDense(string operation, string name, Tensor x, DType type, params ReadOnlySpan<int> sizes)
    {
        Has(operation, name, x, type, sizes);
        Dense(operation, name, x);
    }

    /// <summary>An operand that is read or written where it lies.</summary>
    internal static void Dense(string operation, string name, Tensor x)
    {
        if (!x.IsContiguous) ThrowOperand(operation, name, x, "contiguous; call .Contiguous() on it");
    }

    /// <summary>The result of a fold: what is left of x's axes, with or without those of size 1.</summary>
    internal static void Reduced(Tensor x, ReadOnlySpan<bool> reduced, Tensor y)
    {
        var fits = x.DType == y.DType && reduced.Length == x.Rank;
        var sizes = y.Shape.Sizes;
        var at = 0;
        for (var axis = 0; fits && axis < reduced.Length; axis++)
        {
            var size = x.Shape.Sizes[axis];
            if (reduced[axis] || size == 1) continue;
            while (at < sizes.Length && sizes[at] == 1) at++;
            fits = at < sizes.Length && sizes[at++] == size;
        }
        for (; fits && at < sizes.Length; at++) fits = sizes[at] == 1;
        if (!fits)
            ThrowOperand("Reduce", "y", y, $"{x.DType.Label()} and what is left of {x.Shape} without the axes "
                + $"marked in [{string.Join(", ", reduced.ToArray())}]");
    }

    /// <summary>C = A·B over the last two axes, the others alike.</summary>
    internal static void Product(Tensor a, Tensor b, Tensor? bias, Tensor c)
    {
        const string op = "MatMul";
        var rank = c.Rank;
        if (a.DType != c.DType || b.DType != c.DType || rank < 2 || a.Rank != rank || b.Rank != rank
            || !Fits(a.Shape.Sizes, b.Shape.Sizes, c.Shape.Sizes))
            throw new AdjointException(
                $"{op}: (…, m, k)·(…, k, n) → (…, m, n) of one type is needed: found {a.Shape} {a.DType.Label()}, "
                    + $"{b.Shape} {b.DType.Label()}, {c.Shape} {c.DType.Label()}{Remedy}");
        if (bias is not null) Has(op, "bias", bias, c.DType, c.Shape[-1]);
        Apart(op, a, c);
        Apart(op, b, c);

        static bool Fits(ReadOnlySpan<int> a, ReadOnlySpan<int> b, ReadOnlySpan<int> c)
        {
            var lead = c.Length - 2;
            return a[^1] == b[^2] && c[^2] == a[^2] && c[^1] == b[^1]
                && (lead == 0 || a[..lead].SequenceEqual(c[..lead]) && b[..lead].SequenceEqual(c[..lead]));
        }
    }

    /// <summary>
    /// A contiguous result that lies in none of the bytes of an operand, which is read again after some of the result
    /// was written.
    /// </summary>
    internal static void Apart(string operation, Tensor x, Tensor result)
    {
        if (x.Storage != result.Storage || x.Length == 0 || result.Length == 0) return;
        var last = (nint)x.Offset;
        for (var axis = 0; axis < x.Rank; axis++) last += (x.Shape[axis] - 1) * x.StrideAt(axis);
        if (last < result.Offset || x.Offset >= result.Offset + (nint)result.Length) return;
        throw new AdjointException(
            $"{operation}: the result {result.Shape} lies in the memory of an operand {x.Shape}, which is read while "
                + "it is written; compute into a tensor of its own, then copy");
    }

    /// <summary>The sizes of a convolution, worked out anew from its operands.</summary>
    internal static ConvShape Convolution(string operation, in ConvShape shape, Tensor x, Tensor w, Tensor? bias,
        Tensor y, DType type)
    {
        var options = new ConvOptions((shape.StrideHeight, shape.StrideWidth), (shape.PadHeight, shape.PadWidth),
            (shape.DilationHeight, shape.DilationWidth), shape.Groups);
        var own = options.Shape(x.Shape, w.Shape, operation);
        if (own with { StrideHeight = shape.StrideHeight, StrideWidth = shape.StrideWidth } != shape)
            throw new AdjointException(
                $"{operation}: {shape} is not the shape of a convolution of {x.Shape} by {w.Shape}{Remedy}");
        Has(operation, "x", x, type, own.Samples, own.Channels, own.Height, own.Width);
        Has(operation, "w", w, type, own.Filters, own.Channels / own.Groups, own.KernelHeight, own.KernelWidth);
        Has(operation, "y", y, type, own.Samples, own.Filters, own.OutHeight, own.OutWidth);
        if (bias is not null) Has(operation, "bias", bias, type, own.Filters);
        return own;
    }

    /// <summary>How many channels there are in x (n, c, …).</summary>
    internal static int Channels(string operation, Tensor x)
    {
        if (x.Rank < 2) ThrowOperand(operation, "x", x, "(n, channels, …)");
        return x.Shape[1];
    }

    /// <summary>
    /// Windows over x (n, c, h, w), of which each holds at least one element of x, and what they give.
    /// </summary>
    internal static void Windows(string operation, in PoolShape s, Tensor x, Tensor y, Tensor index, DType type)
    {
        PoolWindows.Check(
            (s.KernelHeight, s.KernelWidth), (s.StrideHeight, s.StrideWidth), (s.PadHeight, s.PadWidth), operation);
        if (x.Rank != 4 || s.Planes != x.Shape[0] * x.Shape[1] || s.OutHeight < 0 || s.OutWidth < 0
            || (s.OutHeight - 1L) * s.StrideHeight >= (long)s.Height + s.PadHeight
            || (s.OutWidth - 1L) * s.StrideWidth >= (long)s.Width + s.PadWidth)
            throw new AdjointException($"{operation}: {s} does not lay windows over {x.Shape}{Remedy}");
        Has(operation, "x", x, type, x.Shape[0], x.Shape[1], s.Height, s.Width);
        Has(operation, "y", y, type, x.Shape[0], x.Shape[1], s.OutHeight, s.OutWidth);
        if (index.DType != DType.Bool || index.Length != y.Length)
            ThrowOperand(operation, "index", index, $"one bool for each of {y.Shape}");
        Dense(operation, "index", index);
    }

    /// <summary>
    /// Positions of an axis of <paramref name="whole"/>, and one slice of <paramref name="parts"/> for each.
    /// </summary>
    internal static void Positions(string operation, Tensor whole, int axis, int[] index, Tensor parts)
    {
        var fits = whole.DType == parts.DType && whole.Rank == parts.Rank && (uint)axis < (uint)whole.Rank;
        for (var a = 0; fits && a < whole.Rank; a++)
            fits = parts.Shape[a] == (a == axis ? index.Length : whole.Shape[a]);
        if (!fits)
            throw new AdjointException(
                $"{operation}: {index.Length} positions of axis {axis} of {whole.Shape} {whole.DType.Label()} do "
                    + $"not fit {parts.Shape} {parts.DType.Label()}{Remedy}");
        var size = whole.Shape[axis];
        foreach (var i in index)
            if ((uint)i >= (uint)size)
                throw new AdjointException(
                    $"{operation}: {i} is outside axis {axis} of {whole.Shape}; use 0..{size - 1}");
    }

    /// <summary>Logits (n, c) with class indices (n) in 0 … c − 1.</summary>
    internal static void Labels(string operation, Tensor logits, Tensor labels, DType type)
    {
        if (logits.Rank != 2 || logits.DType != type)
            ThrowOperand(operation, "logits", logits, $"(n, classes) {type.Label()}");
        Has(operation, "labels", labels, DType.Int64, logits.Shape[0]);
        var classes = logits.Shape[1];
        foreach (var label in CpuBackend.Packed(labels).Data<long>())
            if (label < 0 || label >= classes)
                throw new AdjointException(
                    $"CrossEntropy: label {label} is no class of logits {logits.Shape}; use 0..{classes - 1}");
    }

    private const string Remedy = "; an op's Infer must give the shape and type that its Forward computes";

    private static bool Broadcasts(ReadOnlySpan<int> from, ReadOnlySpan<int> to)
    {
        if (from.Length > to.Length) return false;
        for (var i = 1; i <= from.Length; i++)
            if (from[^i] != to[^i] && from[^i] != 1) return false;
        return true;
    }

    [DoesNotReturn, MethodImpl(MethodImplOptions.NoInlining)]
    private static void ThrowResult(string operation, Tensor y) => throw new AdjointException(y.DType.IsFloating()
        ? $"{operation}: the result must be contiguous: found a view {y.Shape} with gaps; compute into a tensor "
            + $"of its own, then copy"
        : $"{operation}: computes on float32 or float64: found {y.DType.Label()}; cast with .To(DType.Float32)");

    [DoesNotReturn, MethodImpl(MethodImplOptions.NoInlining)]
    private static void ThrowOperand(string operation, string name, Tensor x, string expected) =>
        throw new AdjointException(
            $"{operation}: {name} must be {expected}: found {x.Shape} {x.DType.Label()}{Remedy}");
}
