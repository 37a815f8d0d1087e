using System.Runtime.CompilerServices;

namespace Adjoint;

/// <summary>What to take of an axis: one position (the axis disappears) or a range (it stays). Made from <c>int</c>, <see cref="Index"/> and <see cref="Range"/>.</summary>
public readonly struct AxisIndex
{
    private readonly Range range;
    private readonly int? signed;

    private AxisIndex(Range range, bool isPosition, int? signed = null) =>
        (this.range, IsPosition, this.signed) = (range, isPosition, signed);

    internal bool IsPosition { get; }

    /// <summary>A position; negative ones count from the end.</summary>
    public static implicit operator AxisIndex(int index) => new(default, isPosition: true, index);

    /// <summary>A position, such as <c>^1</c>.</summary>
    public static implicit operator AxisIndex(Index index) => new(new Range(index, index), isPosition: true);

    /// <summary>A part, such as <c>1..^1</c>.</summary>
    public static implicit operator AxisIndex(Range range) => new(range, isPosition: false);

    /// <summary>
    /// Where it begins and ends in an axis of a size; not inside the axis where what was asked for is not.
    /// </summary>
    internal (long Start, long End) In(int size)
    {
        var start = signed is { } index ? index < 0 ? (long)index + size : index : range.Start.GetOffset(size);
        return (start, IsPosition ? start + 1 : range.End.GetOffset(size));
    }

    /// <inheritdoc/>
    public override string ToString() =>
        signed is { } index ? (index < 0 ? $"^{-(long)index}" : $"{index}")
        : IsPosition ? range.Start.ToString()
        : range.ToString();
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
                var (start, end) = index.In(size);
                if (start < 0 || end > size || end < start)
                    throw new AdjointException(
                        $"Index: {index} is outside axis {at} of {result.Shape}, of size {size}");
                result = result.Slice(at, (int)start, (int)(end - start));
                if (index.IsPosition) result = result.Squeeze(at);
                else at++;
            }
            return result;
        }
    }
}
