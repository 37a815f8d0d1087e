namespace Adjoint;

// Where the extreme elements of an axis lie: positions, without gradients.
public static partial class TensorMethods
{
    extension(Tensor x)
    {
        /// <summary>
        /// Where the largest element of an axis is (the first of several; a NaN counts as largest), as int64; the axis
        /// disappears.
        /// </summary>
        /// <exception cref="AdjointException">There is no such axis, or it is empty.</exception>
        public Tensor ArgMax(int axis = -1) => Run(x, axis, isLargest: true, "ArgMax");

        /// <summary>
        /// Where the smallest element of an axis is (the first of several; a NaN counts as smallest), as int64; the
        /// axis disappears.
        /// </summary>
        /// <exception cref="AdjointException">There is no such axis, or it is empty.</exception>
        public Tensor ArgMin(int axis = -1) => Run(x, axis, isLargest: false, "ArgMin");
    }

    private static Tensor Run(Tensor x, int axis, bool isLargest, string op)
    {
        var at = x.Shape.Axis(axis, op);
        if (x.Shape[at] == 0) throw new AdjointException($"{op}: axis {axis} of {x.Shape} is empty");
        int[] sizes = [.. x.Shape.Sizes[..at], .. x.Shape.Sizes[(at + 1)..]];
        var places = Tensor.Empty(sizes, DType.Int64, x.Device);
        Backend.Run(new Primitives.ArgReduce(at, isLargest), x, places);
        return places;
    }
}
