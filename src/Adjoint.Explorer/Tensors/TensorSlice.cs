using System.Globalization;

namespace Adjoint.Explorer;

/// <summary>Two axes of a tensor as a matrix, the others at an index each.</summary>
/// <param name="Rows">The axis of the rows.</param>
/// <param name="Columns">The axis of the columns.</param>
/// <param name="At">The indices by axis; those of the two axes do not count.</param>
internal sealed record TensorSlice(int Rows, int Columns, int[] At)
{
    /// <summary>Reads what a page asks for.</summary>
    /// <exception cref="AdjointException">A number is missing, or an index is none.</exception>
    internal static TensorSlice Of(Query query) => new(query.Needed("rows"), query.Needed("columns"),
    [
        .. query.Text("at").Split(',', StringSplitOptions.RemoveEmptyEntries).Select(text =>
            int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var index) ? index
            : throw new AdjointException($"{query.Path}: 'at' must be indices with commas between: found '{text}'")),
    ]);

    /// <summary>
    /// The matrix, a view without a copy. A number is (1, 1); a vector is one row, whatever the axes.
    /// </summary>
    /// <exception cref="AdjointException">The tensor has no such axes, or no such index.</exception>
    internal Tensor Of(Tensor tensor)
    {
        var rank = tensor.Rank;
        if (rank < 2) return tensor.Reshape(1, tensor.Length);
        if (Rows == Columns || (uint)Rows >= (uint)rank || (uint)Columns >= (uint)rank)
            throw new AdjointException(
                $"a slice has two different axes for its rows and columns: found {Rows} and {Columns} of {rank}");
        if (At.Length != rank)
            throw new AdjointException($"a slice of {tensor.Shape} needs {rank} indices: found {At.Length}");
        for (var axis = rank - 1; axis >= 0; axis--)
            if (axis != Rows && axis != Columns)
                tensor = At[axis] < tensor.Shape[axis]
                    ? tensor.Select(axis, At[axis])
                    : throw new NotThereException(
                        $"there is no index {At[axis]} on axis {axis}; there are {tensor.Shape[axis]}, from 0");
        return Rows < Columns ? tensor : tensor.Transpose();
    }
}
