using System.Runtime.CompilerServices;

namespace Adjoint;

/// <summary>What to take of an axis: one position (the axis disappears) or a range (it stays). Made from <c>int</c>, <see cref="Index"/> and <see cref="Range"/>.</summary>
public readonly struct AxisIndex
{
    private AxisIndex(Range range, bool isPosition) => (Range, IsPosition) = (range, isPosition);

    internal Range Range { get; }
    internal bool IsPosition { get; }

    /// <summary>A position; negative ones count from the end.</summary>
    public static implicit operator AxisIndex(int index) => index < 0 ? new Index(-index, fromEnd: true) : new Index(index);

    /// <summary>A position, such as <c>^1</c>.</summary>
    public static implicit operator AxisIndex(Index index) => new(new Range(index, index), isPosition: true);

    /// <summary>A part, such as <c>1..^1</c>.</summary>
    public static implicit operator AxisIndex(Range range) => new(range, isPosition: false);
}

// The one operation on tensors that is not an extension: C# has no extension indexers.
public sealed partial class Tensor
{
    /// <summary>A part of the first axes, without copying: <c>x[0]</c>, <c>x[^1, 2..5]</c>, <c>x[.., 3]</c>.</summary>
    /// <exception cref="AdjointException">More indices than axes, or one outside its axis.</exception>
    [IndexerName("Part")]
    public Tensor this[params ReadOnlySpan<AxisIndex> indices]
    {
        get
        {
            if (indices.Length > Rank)
                throw new AdjointException($"Index: {indices.Length} indices for the {Rank} axes of {Shape}");
            var (result, at) = (this, 0);
            foreach (var index in indices)
            {
                var size = result.Shape[at];
                var start = index.Range.Start.GetOffset(size);
                var end = index.IsPosition ? start + 1 : index.Range.End.GetOffset(size);
                if (start < 0 || end > size || end < start)
                    throw new AdjointException($"Index: {(index.IsPosition ? index.Range.Start.ToString() : index.Range.ToString())} is outside axis {at} of {result.Shape}, of size {size}");
                result = result.Slice(at, start, end - start);
                if (index.IsPosition) result = result.Squeeze(at);
                else at++;
            }
            return result;
        }
    }
}
