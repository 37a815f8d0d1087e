namespace Adjoint;

/// <summary>
/// Where the elements of a view lie: element (i₀, i₁, …) is i₀·strides[0] + i₁·strides[1] + … + offset elements after
/// the input's first. A stride of 0 repeats; elements may share memory, as in overlapping windows.
/// </summary>
public readonly struct ViewLayout
{
    /// <summary>A view of a contiguous input, in row-major order without gaps.</summary>
    /// <param name="shape">The sizes of the view's axes.</param>
    /// <param name="offset">The distance from the input's first element to the view's first, in elements.</param>
    public ViewLayout(Shape shape, nint offset = 0) => (Shape, Offset) = (shape, offset);

    /// <summary>A view with any strides.</summary>
    /// <param name="shape">The sizes of the view's axes.</param>
    /// <param name="strides">The distance from one index to the next, in elements, for each axis; 0 or more.</param>
    /// <param name="offset">The distance from the input's first element to the view's first, in elements.</param>
    public ViewLayout(Shape shape, ReadOnlySpan<nint> strides, nint offset = 0)
        : this(shape, offset) => StridesOrNull = strides.ToArray();

    /// <summary>The sizes of the view's axes.</summary>
    public Shape Shape { get; }

    /// <summary>The distance from one index of an axis to the next, in elements, for each axis.</summary>
    public ReadOnlySpan<nint> Strides => StridesOrNull ?? Shape.Strides;

    /// <summary>The distance from the input's first element to the view's first, in elements.</summary>
    public nint Offset { get; }

    /// <summary>Null for those of the shape.</summary>
    internal nint[]? StridesOrNull { get; }

    /// <summary>Every element lies in the input's memory, between its first element and its last.</summary>
    /// <exception cref="AdjointException">One does not.</exception>
    internal void CheckInside(Tensor x, string op)
    {
        var strides = Strides;
        if (strides.Length != Shape.Rank)
            throw new AdjointException(
                $"{op}: a view needs one stride for each axis: found {strides.Length} strides for {Shape}");
        if (StridesOrNull is null && !x.IsContiguous)
            throw new AdjointException(
                $"{op}: a view in row-major order is of a contiguous tensor: found {x.Shape}, a view with gaps; call "
                + ".Contiguous() on it, or give strides that follow from its own");
        if (Shape.Elements == 0) return;
        if (Offset is < 0 or > int.MaxValue) throw Outside(x, op);
        var end = Offset;
        for (var axis = 0; axis < strides.Length; axis++)
        {
            if (Shape.Sizes[axis] == 1) continue;
            if (strides[axis] < 0)
                throw new AdjointException(
                    $"{op}: strides of a view must be 0 or more: found {strides[axis]} for axis {axis} of {Shape}; "
                    + "copy in another order with IndexSelect");
            // More than any tensor has. The sum of sizes is less than 2³¹, as their product is, so no sum overflows.
            if (strides[axis] > int.MaxValue) throw Outside(x, op);
            end += (Shape.Sizes[axis] - 1) * strides[axis];
        }
        if (x.Length == 0 || end > LastOf(x)) throw Outside(x, op);
    }

    private static nint LastOf(Tensor x)
    {
        if (x.IsContiguous) return x.Length - 1;
        nint last = 0;
        for (var axis = 0; axis < x.Rank; axis++) last += (x.Shape[axis] - 1) * x.StrideAt(axis);
        return last;
    }

    private AdjointException Outside(Tensor x, string op) => new(
        $"{op}: a view must lie inside its input: found {Shape} with strides " +
            $"({string.Join(", ", Strides.ToArray())}) from "
        + $"element {Offset} on of {x.Shape} with strides ({string.Join(", ", x.Strides.ToArray())}); "
        + "sizes, strides and offset must keep inside it");
}
