namespace Adjoint;

// A tensor in parts: slices of one axis, which share its memory.
public static partial class TensorMethods
{
    extension(Tensor x)
    {
        /// <summary>
        /// Slices of equal size, one after another along an axis, without copying; the last may be smaller.
        /// </summary>
        /// <param name="size">The size of a slice, 1 or more.</param>
        /// <param name="axis">The axis; a negative one counts from the last.</param>
        /// <returns>The slices, views that share x's memory.</returns>
        /// <exception cref="AdjointException">The size is below 1.</exception>
        public Tensor[] Split(int size, int axis = 0)
        {
            if (size < 1) throw new AdjointException($"Split: the size of a part must be 1 or more: found {size}");
            var whole = x.Shape[x.Shape.Axis(axis, "Split")];
            var sizes = new int[Math.Max(1, (int)(((long)whole + size - 1) / size))];
            Array.Fill(sizes, size);
            sizes[^1] = whole - size * (sizes.Length - 1);
            return x.Split(sizes, axis);
        }

        /// <summary>Slices of given sizes, one after another along an axis, without copying.</summary>
        /// <param name="sizes">The slices' sizes, which add up to the axis.</param>
        /// <param name="axis">The axis; a negative one counts from the last.</param>
        /// <returns>The slices, views that share x's memory.</returns>
        /// <exception cref="AdjointException">A size is negative, or they do not add up to the axis.</exception>
        public Tensor[] Split(ReadOnlySpan<int> sizes, int axis = 0)
        {
            var (whole, total, fits) = (x.Shape[x.Shape.Axis(axis, "Split")], 0L, true);
            foreach (var size in sizes)
            {
                total += size;
                fits &= size >= 0;
            }
            if (!fits || total != whole)
                throw new AdjointException(
                    $"Split: sizes of parts must be 0 or more and add up to {whole}, the size of axis {axis} of "
                    + $"{x.Shape}: found [{string.Join(", ", sizes.ToArray())}]");
            var (parts, at) = (new Tensor[sizes.Length], 0);
            for (var i = 0; i < parts.Length; at += sizes[i++]) parts[i] = x.Slice(axis, at, sizes[i]);
            return parts;
        }

        /// <summary>
        /// Divides an axis into a number of slices of equal size, without copying. If it does not divide evenly, the
        /// last is smaller, and there may be fewer slices: an axis of 6 in 4 chunks gives three of 2; an empty axis
        /// gives one.
        /// </summary>
        /// <param name="chunks">The number of slices, 1 or more, at most.</param>
        /// <param name="axis">The axis; a negative one counts from the last.</param>
        /// <returns>The slices, views that share x's memory.</returns>
        /// <exception cref="AdjointException">The number is below 1.</exception>
        public Tensor[] Chunk(int chunks, int axis = 0)
        {
            if (chunks < 1) throw new AdjointException($"Chunk: the number of parts must be 1 or more: found {chunks}");
            var whole = x.Shape[x.Shape.Axis(axis, "Chunk")];
            return x.Split((int)Math.Max(1, ((long)whole + chunks - 1) / chunks), axis);
        }
    }
}
