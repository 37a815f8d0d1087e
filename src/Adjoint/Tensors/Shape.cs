using System.Collections;
using System.Runtime.CompilerServices;

namespace Adjoint;

/// <summary>The sizes of a tensor's axes, outermost first. A scalar has no axes.</summary>
[CollectionBuilder(typeof(Shape), nameof(Create))]
public readonly struct Shape : IEquatable<Shape>, IReadOnlyList<int>
{
    // Handed on from tensor to tensor, so that what follows from the sizes is worked out once. Null for a scalar.
    private readonly Facts? facts;

    private Shape(int[] sizes) => facts = sizes.Length == 0 ? null : new(sizes);

    /// <summary>Copies the sizes into a shape.</summary>
    /// <param name="sizes">The size of each axis, outermost first, 0 or more.</param>
    /// <returns>The shape, with a copy of the sizes.</returns>
    /// <exception cref="AdjointException">
    /// A size is negative, or the product of those that are not 0 is 2³¹ or more.
    /// </exception>
    public static Shape Create(ReadOnlySpan<int> sizes)
    {
        Check(sizes);
        return new Shape(sizes.ToArray());
    }

    /// <summary>A size that was worked out, as an int.</summary>
    /// <exception cref="AdjointException">It does not fit.</exception>
    internal static int Size(Int128 size, string op) => size <= int.MaxValue
        ? (int)size
        : throw new AdjointException(
            $"{op}: an axis of the result would have size {size}; the largest is {int.MaxValue}; use smaller sizes");

    /// <summary>
    /// For what would take as much memory as its result to prepare: refuses a result that is too large, before that.
    /// </summary>
    /// <exception cref="AdjointException">
    /// A tensor of these sizes could not be allocated, were none of them 0.
    /// </exception>
    internal static void CheckFits(ReadOnlySpan<int> sizes, DType dtype, string op)
    {
        Check(sizes);
        long bytes = dtype.Size();
        foreach (var size in sizes) bytes *= Math.Max(1, size);
        if (bytes > Memory.Storage.MaxBytes)
            throw new AdjointException(
                $"{op}: a result {Describe(sizes)} {dtype.Label()} takes {bytes:N0} bytes; the largest tensor is "
                    + $"{Memory.Storage.MaxBytes:N0} bytes; use smaller sizes");
    }

    // Without the zeros, so that the order of the sizes does not matter and no product of some of them overflows
    // either.
    private static void Check(ReadOnlySpan<int> sizes)
    {
        long length = 1;
        foreach (var size in sizes)
        {
            if (size < 0)
                throw new AdjointException($"Shape: sizes must not be negative: found {Describe(sizes)}");
            length *= Math.Max(1, size);
            if (length > int.MaxValue)
                throw new AdjointException(
                    $"Shape: {Describe(sizes)} has more than {int.MaxValue:N0} elements; split the tensor");
        }
    }

    /// <summary>The number of axes, 0 for a scalar.</summary>
    public int Rank => Sizes.Length;

    /// <inheritdoc/>
    public int Count => Rank;

    /// <summary>The number of elements: the product of the sizes; 1 for a scalar.</summary>
    public int Elements => facts is { } known ? known.Elements : 1;

    /// <summary>The size of each axis, outermost first.</summary>
    public ReadOnlySpan<int> Sizes => facts?.Sizes;

    /// <summary>Row-major strides in elements.</summary>
    internal ReadOnlySpan<nint> Strides => facts?.Strides;

    /// <summary>The size of one axis.</summary>
    /// <param name="axis">The axis, from −rank to rank − 1; a negative one counts from the last.</param>
    /// <returns>The size, 0 or more.</returns>
    public int this[int axis] => facts?.Sizes is { } s && (uint)(axis < 0 ? axis + s.Length : axis) < (uint)s.Length
        ? s[axis < 0 ? axis + s.Length : axis]
        : throw new AdjointException($"Shape: axis {axis} is outside {this}; it has {Rank} axes");

    /// <summary>Converts an array of sizes, which is copied.</summary>
    /// <param name="sizes">The size of each axis, outermost first, 0 or more.</param>
    /// <returns>The shape of these sizes.</returns>
    public static implicit operator Shape(int[] sizes) => Create(sizes);

    /// <summary>Whether both have the same rank and sizes.</summary>
    /// <param name="a">One of the shapes.</param>
    /// <param name="b">The other shape.</param>
    /// <returns>True where they are equal.</returns>
    public static bool operator ==(Shape a, Shape b) => a.Equals(b);

    /// <summary>Whether both differ in rank or in a size.</summary>
    /// <param name="a">One of the shapes.</param>
    /// <param name="b">The other shape.</param>
    /// <returns>True where they differ.</returns>
    public static bool operator !=(Shape a, Shape b) => !a.Equals(b);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Equals(Shape other) => ReferenceEquals(facts, other.facts) || HasSizes(other);

    private bool HasSizes(Shape other)
    {
        var own = Sizes;
        var others = other.Sizes;
        if (own.Length != others.Length) return false;
        // A few sizes: a call that compares memory would take longer.
        for (var axis = 0; axis < own.Length; axis++)
            if (own[axis] != others[axis]) return false;
        return true;
    }

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Shape other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        foreach (var size in Sizes) hash.Add(size);
        return hash.ToHashCode();
    }

    /// <summary>The sizes in parentheses: <c>(128, 784)</c>.</summary>
    /// <returns>The shape as text.</returns>
    public override string ToString() => Describe(Sizes);

    /// <inheritdoc/>
    public IEnumerator<int> GetEnumerator() => ((IEnumerable<int>)(facts?.Sizes ?? [])).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>The number of elements over some of a shape's axes.</summary>
    internal static int Product(ReadOnlySpan<int> sizes)
    {
        var product = 1;
        foreach (var size in sizes) product *= size;
        return product;
    }

    /// <summary>Turns a possibly negative axis into one in 0..rank-1.</summary>
    /// <exception cref="AdjointException">The axis is outside.</exception>
    internal int Axis(int axis, string op) => axis >= -Rank && axis < Rank
        ? (axis < 0 ? axis + Rank : axis)
        : throw new AdjointException($"{op}: axis {axis} is outside {this}; "
            + (Rank == 0 ? "a scalar has none: .Reshape(1) makes it a vector" : $"use {-Rank}..{Rank - 1}"));

    /// <summary>NumPy's rule: align at the last axis; sizes must agree or one of them be 1.</summary>
    /// <exception cref="AdjointException">The shapes do not broadcast.</exception>
    internal static Shape Broadcast(Shape a, Shape b, string op)
    {
        if (a == b) return a;
        var rank = Math.Max(a.Rank, b.Rank);
        var sizes = new int[rank];
        for (var i = 1; i <= rank; i++)
        {
            var left = i <= a.Rank ? a[-i] : 1;
            var right = i <= b.Rank ? b[-i] : 1;
            if (left != right && left != 1 && right != 1)
                throw new AdjointException(
                    $"{op}: shapes do not broadcast: {a} and {b}: sizes {left} and {right} at axis {-i} must be equal "
                    + "or 1");
            sizes[^i] = left == 1 ? right : left;
        }
        Check(sizes);
        return new Shape(sizes);
    }

    private static string Describe(ReadOnlySpan<int> sizes) => sizes.Length == 1
        ? $"({sizes[0]},)"
        : $"({string.Join(", ", sizes.ToArray())})";

    private sealed class Facts
    {
        internal Facts(int[] sizes)
        {
            (Sizes, Strides) = (sizes, new nint[sizes.Length]);
            nint step = 1;
            for (var axis = sizes.Length - 1; axis >= 0; axis--)
            {
                Strides[axis] = step;
                step *= sizes[axis];
            }
            Elements = (int)step;
        }

        internal int[] Sizes { get; }

        internal nint[] Strides { get; }

        internal int Elements { get; }
    }
}
