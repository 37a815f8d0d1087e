using System.Runtime.CompilerServices;

namespace Adjoint;

/// <summary>
/// What to take of an axis: one position (the axis is dropped) or a range (it stays). Converts from <c>int</c>,
/// <see cref="Index"/> and <see cref="Range"/>.
/// </summary>
public readonly struct AxisIndex
{
    private readonly Range range;
    private readonly int? signed;

    private AxisIndex(Range range, bool isPosition, int? signed = null) =>
        (this.range, IsPosition, this.signed) = (range, isPosition, signed);

    internal bool IsPosition { get; }

    /// <summary>One position of an axis; a negative one counts from the end.</summary>
    /// <param name="index">The position, from −size to size − 1.</param>
    /// <returns>The index that drops the axis.</returns>
    public static implicit operator AxisIndex(int index) => new(default, isPosition: true, index);

    /// <summary>One position of an axis, such as <c>^1</c> for the last.</summary>
    /// <param name="index">The position, from the start or the end.</param>
    /// <returns>The index that drops the axis.</returns>
    public static implicit operator AxisIndex(Index index) => new(new Range(index, index), isPosition: true);

    /// <summary>A range of an axis, such as <c>1..^1</c> without both ends.</summary>
    /// <param name="range">The range, its end excluded.</param>
    /// <returns>The index that keeps the axis.</returns>
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
    /// <summary>
    /// Some of the elements along the first axes, without copying: <c>x[0]</c>, <c>x[^1, 2..5]</c>, <c>x[.., 3]</c>.
    /// </summary>
    /// <param name="indices">An index or a range for each of the first axes; axes behind them are taken whole.</param>
    /// <returns>A view that shares x's memory; gradients pass.</returns>
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
