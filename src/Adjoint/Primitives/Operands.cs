using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Adjoint.Kernels;

namespace Adjoint.Primitives;

/// <summary>
/// Checks for <see cref="IPrimitive{TSelf}.Check"/>: kernels work on bare pointers, so an operand of another type,
/// shape or layout than they expect would make them read or write whatever lies beside it. Valid operands cost a few
/// comparisons; others are refused with a message that names the primitive and the operand.
/// </summary>
public static class Operands
{
    internal const string Remedy = "; an op's Infer must give the shape and type that its Forward computes";

    /// <summary>Checks that there are as many operands as the primitive takes.</summary>
    /// <param name="primitive">The primitive's name, for the message.</param>
    /// <param name="operands">What it reads, null where an optional operand is left out; then what it writes.</param>
    /// <param name="count">The number of operands that the primitive takes.</param>
    /// <param name="optional">The positions of operands that may be null.</param>
    /// <exception cref="AdjointException">There are more or fewer, or another one is null.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Expect(
        string primitive, ReadOnlySpan<Tensor?> operands, int count, params ReadOnlySpan<int> optional)
    {
        if (operands.Length != count) ThrowCount(primitive, operands.Length, count);
        for (var i = 0; i < operands.Length; i++)
            if (operands[i] is null && !optional.Contains(i)) ThrowMissing(primitive, i, count);
    }

    /// <summary>The error of an element type that a body does not compute on.</summary>
    internal static AdjointException NoBody(string primitive, DType type) =>
        new($"{primitive}: does not compute on {type.Label()}; cast with .To(…)");

    /// <summary>Checks that a result has a floating type and is contiguous.</summary>
    /// <param name="primitive">The primitive's name, for the message.</param>
    /// <param name="y">The result to check.</param>
    /// <returns>The element type of the result.</returns>
    /// <exception cref="AdjointException">Its type is not floating, or it has gaps.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DType Result(string primitive, Tensor y)
    {
        if (!y.IsContiguous || !y.DType.IsFloating()) ThrowResult(primitive, y, ElementKinds.Floating);
        return y.DType;
    }

    /// <summary>A result: contiguous, of a type that is computed on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static DType Result(string primitive, Tensor y, ElementKinds kinds)
    {
        if (!y.IsContiguous || !y.DType.IsFloating() && !kinds.Has(y.DType)) ThrowResult(primitive, y, kinds);
        return y.DType;
    }

    /// <summary>Checks that an operand has the type and the shape of a result.</summary>
    /// <param name="primitive">The primitive's name, for the message.</param>
    /// <param name="name">The operand's name, for the message.</param>
    /// <param name="x">The operand to check.</param>
    /// <param name="y">The result to compare with.</param>
    /// <exception cref="AdjointException">Its type or shape differs.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SameTypeAndShape(string primitive, string name, Tensor x, Tensor y)
    {
        if (x.DType != y.DType || x.Shape != y.Shape)
            ThrowOperand(primitive, name, x, $"{y.Shape} {y.DType.Label()}, as the result");
    }

    /// <summary>Checks that an operand has the type of a result, and a shape that broadcasts to the result's.</summary>
    /// <param name="primitive">The primitive's name, for the message.</param>
    /// <param name="name">The operand's name, for the message.</param>
    /// <param name="x">The operand to check.</param>
    /// <param name="y">The result to compare with.</param>
    /// <exception cref="AdjointException">Its type differs, or its shape does not broadcast.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Broadcasts(string primitive, string name, Tensor x, Tensor y)
    {
        if (x.DType != y.DType || x.Shape != y.Shape && !Broadcasts(x.Shape.Sizes, y.Shape.Sizes))
            ThrowOperand(primitive, name, x, $"{y.DType.Label()} and broadcast to the result, {y.Shape}");
    }

    /// <summary>An operand of a type whose shape broadcasts to another.</summary>
    internal static void BroadcastsTo(string primitive, string name, Tensor x, DType type, Shape shape)
    {
        if (x.DType != type || x.Shape != shape && !Broadcasts(x.Shape.Sizes, shape.Sizes))
            ThrowOperand(primitive, name, x, $"{type.Label()} and broadcast to the result, {shape}");
    }

    /// <summary>Checks that an operand has the given type and sizes.</summary>
    /// <param name="primitive">The primitive's name, for the message.</param>
    /// <param name="name">The operand's name, for the message.</param>
    /// <param name="x">The operand to check.</param>
    /// <param name="type">The element type it must have.</param>
    /// <param name="sizes">The sizes it must have.</param>
    /// <exception cref="AdjointException">Its type or shape differs.</exception>
    public static void Has(string primitive, string name, Tensor x, DType type, params ReadOnlySpan<int> sizes)
    {
        if (x.DType != type || !x.Shape.Sizes.SequenceEqual(sizes))
            ThrowOperand(primitive, name, x, $"{Shape.Create(sizes)} {type.Label()}");
    }

    /// <summary>An operand has a type and these sizes, and is read or written where it lies.</summary>
    internal static void HasContiguous(string primitive, string name, Tensor x, DType type,
        params ReadOnlySpan<int> sizes)
    {
        Has(primitive, name, x, type, sizes);
        Contiguous(primitive, name, x);
    }

    /// <summary>Checks that an operand is contiguous, for bodies that read or write it in place.</summary>
    /// <param name="primitive">The primitive's name, for the message.</param>
    /// <param name="name">The operand's name, for the message.</param>
    /// <param name="x">The operand to check.</param>
    /// <exception cref="AdjointException">It has gaps, or its axes are permuted.</exception>
    public static void Contiguous(string primitive, string name, Tensor x)
    {
        if (!x.IsContiguous) ThrowOperand(primitive, name, x, "contiguous; call .Contiguous() on it");
    }

    /// <summary>The result of a fold: what is left of x's axes, with or without those of size 1.</summary>
    internal static void Reduced(string primitive, Tensor x, ReadOnlySpan<bool> reduced, Tensor y)
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
            ThrowOperand(primitive, "y", y, $"{x.DType.Label()} and what is left of {x.Shape} without the axes "
                + $"marked in [{string.Join(", ", reduced.ToArray())}]");
    }

    /// <summary>C = A·B over the last two axes, the others alike.</summary>
    internal static void Product(string primitive, Tensor a, Tensor b, Tensor? bias, Tensor c)
    {
        var rank = c.Rank;
        if (a.DType != c.DType || b.DType != c.DType || rank < 2 || a.Rank != rank || b.Rank != rank
            || !Fits(a.Shape.Sizes, b.Shape.Sizes, c.Shape.Sizes))
            throw new AdjointException(
                $"{primitive}: (…, m, k)·(…, k, n) → (…, m, n) of one type is needed: found "
                    + $"{a.Shape} {a.DType.Label()}, {b.Shape} {b.DType.Label()}, {c.Shape} {c.DType.Label()}{Remedy}");
        if (bias is not null) Has(primitive, "bias", bias, c.DType, c.Shape[-1]);
        NoOverlap(primitive, a, c);
        NoOverlap(primitive, b, c);

        static bool Fits(ReadOnlySpan<int> a, ReadOnlySpan<int> b, ReadOnlySpan<int> c)
        {
            var lead = c.Length - 2;
            return a[^1] == b[^2] && c[^2] == a[^2] && c[^1] == b[^1]
                && (lead == 0 || a[..lead].SequenceEqual(c[..lead]) && b[..lead].SequenceEqual(c[..lead]));
        }
    }

    /// <summary>
    /// Checks that a contiguous result shares no byte with an operand that is read again after some of the result was
    /// written.
    /// </summary>
    /// <param name="primitive">The primitive's name, for the message.</param>
    /// <param name="x">The operand that is read.</param>
    /// <param name="result">The result, which is written.</param>
    /// <exception cref="AdjointException">Their memory overlaps.</exception>
    public static void NoOverlap(string primitive, Tensor x, Tensor result)
    {
        if (x.Storage != result.Storage || x.Length == 0 || result.Length == 0) return;
        var last = (nint)x.Offset;
        for (var axis = 0; axis < x.Rank; axis++) last += (x.Shape[axis] - 1) * x.StrideAt(axis);
        if (last < result.Offset || x.Offset >= result.Offset + (nint)result.Length) return;
        throw new AdjointException(
            $"{primitive}: the result {result.Shape} lies in the memory of an operand {x.Shape}, which is read while "
                + "it is written; compute into a tensor of its own, then copy");
    }

    /// <summary>How many channels there are in x (n, c, …).</summary>
    internal static int Channels(string primitive, Tensor x)
    {
        if (x.Rank < 2) ThrowOperand(primitive, "x", x, "(n, channels, …)");
        return x.Shape[1];
    }

    /// <summary>Checks that an operand has the given type and rank.</summary>
    /// <param name="primitive">The primitive's name, for the message.</param>
    /// <param name="name">The operand's name, for the message.</param>
    /// <param name="x">The operand to check.</param>
    /// <param name="type">The element type it must have.</param>
    /// <param name="rank">The number of axes it must have.</param>
    /// <param name="axes">The axes, for the message: <c>(rows, columns)</c>.</param>
    /// <exception cref="AdjointException">Its type or rank differs.</exception>
    public static void HasRank(string primitive, string name, Tensor x, DType type, int rank, string axes)
    {
        if (x.Rank != rank || x.DType != type) ThrowOperand(primitive, name, x, $"{axes} {type.Label()}");
    }

    /// <summary>An operand of a type and so many elements, whatever its axes.</summary>
    internal static void HasLength(string primitive, string name, Tensor x, DType type, int length)
    {
        if (x.Length != length || x.DType != type)
            ThrowOperand(primitive, name, x, $"{type.Label()} of {length} elements");
    }

    /// <summary>An operand with a last axis.</summary>
    internal static void HasRows(string primitive, string name, Tensor x)
    {
        if (x.Rank == 0) ThrowOperand(primitive, name, x, "(…, columns); a scalar has no rows");
    }

    /// <summary>A scalar, or one expanded: the gradient of every sum and mean is such.</summary>
    internal static bool IsOneNumber(Tensor x)
    {
        if (x.Length == 0) return false;
        foreach (var stride in x.Strides)
            if (stride != 0) return x.Length == 1;
        return true;
    }

    /// <summary>Strides that read x as if it had the shape that it broadcasts to.</summary>
    internal static nint[] BroadcastStrides(Tensor x, Shape to)
    {
        var strides = new nint[to.Rank];
        var missing = to.Rank - x.Rank;
        for (var axis = missing; axis < to.Rank; axis++)
            strides[axis] = x.Shape[axis - missing] == 1 && to[axis] != 1 ? 0 : x.StrideAt(axis - missing);
        return strides;
    }

    /// <summary>
    /// The same elements over as few axes as their layouts allow: neighbors join where all operands step from one to
    /// the next alike.
    /// </summary>
    /// <param name="shape">The sizes.</param>
    /// <param name="strides">Of each operand; those of the axes that are left move to the front.</param>
    /// <returns>The sizes of the axes that are left.</returns>
    internal static int[] JoinAxes(Shape shape, params ReadOnlySpan<nint[]> strides)
    {
        var sizes = shape.Sizes.ToArray();
        var left = 0;
        for (var axis = 0; axis < sizes.Length; axis++)
        {
            var size = sizes[axis];
            if (size == 1) continue;
            var joins = left > 0;
            foreach (var steps in strides) joins = joins && steps[left - 1] == steps[axis] * size;
            if (!joins) left++;
            sizes[left - 1] = joins ? sizes[left - 1] * size : size;
            foreach (var steps in strides) steps[left - 1] = steps[axis];
        }
        return sizes[..left];
    }

    private static bool Broadcasts(ReadOnlySpan<int> from, ReadOnlySpan<int> to)
    {
        if (from.Length > to.Length) return false;
        for (var i = 1; i <= from.Length; i++)
            if (from[^i] != to[^i] && from[^i] != 1) return false;
        return true;
    }

    [DoesNotReturn, MethodImpl(MethodImplOptions.NoInlining)]
    private static void ThrowResult(string primitive, Tensor y, ElementKinds kinds) =>
        throw new AdjointException(kinds.Has(y.DType)
            ? $"{primitive}: the result must be contiguous: found a view {y.Shape} with gaps; compute into a tensor "
                + $"of its own, then copy"
            : $"{primitive}: computes on floating types: found {y.DType.Label()}; cast with .To(DType.Float32)");

    [DoesNotReturn, MethodImpl(MethodImplOptions.NoInlining)]
    private static void ThrowOperand(string primitive, string name, Tensor x, string expected) =>
        throw new AdjointException(
            $"{primitive}: {name} must be {expected}: found {x.Shape} {x.DType.Label()}{Remedy}");

    [DoesNotReturn, MethodImpl(MethodImplOptions.NoInlining)]
    private static void ThrowCount(string primitive, int found, int expected) =>
        throw new AdjointException($"{primitive}: takes {expected} operands, results last: found {found}");

    [DoesNotReturn, MethodImpl(MethodImplOptions.NoInlining)]
    private static void ThrowMissing(string primitive, int index, int count) =>
        throw new AdjointException($"{primitive}: operand {index} of {count} must not be left out: found null");
}
