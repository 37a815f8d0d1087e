namespace Adjoint;

// Where the extreme elements of an axis lie: positions, without gradients.
public static partial class TensorMethods
{
    extension(Tensor x)
    {
        /// <summary>
        /// The position of the largest element along an axis: the first of several; a NaN counts as the largest.
        /// </summary>
        /// <param name="axis">The axis, which is dropped; a negative one counts from the last.</param>
        /// <returns>Positions, int64, without gradient.</returns>
        /// <exception cref="AdjointException">There is no such axis, or it is empty.</exception>
        public Tensor ArgMax(int axis = -1) => Run(x, axis, isLargest: true, "ArgMax");

        /// <summary>
        /// The position of the smallest element along an axis: the first of several; a NaN counts as the smallest.
        /// </summary>
        /// <param name="axis">The axis, which is dropped; a negative one counts from the last.</param>
        /// <returns>Positions, int64, without gradient.</returns>
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
