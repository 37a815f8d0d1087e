using Adjoint.Primitives;

namespace Adjoint;

// Writes in place; a captured step writes each time that it runs.
public static partial class TensorMethods
{
    extension(Tensor tensor)
    {
        /// <summary>
        /// Sets every element, in place, of a view too; the number is rounded to the type: in integers truncated and
        /// clamped to the range, 0 for NaN; a truth value is whether it is not 0.
        /// </summary>
        /// <param name="value">The number for every element.</param>
        /// <exception cref="AdjointException">The tensor takes part in a graph, or its memory was recycled.</exception>
        public void Fill(Number value)
        {
            tensor.RequireWritable(nameof(Fill));
            Backend.Run(new Fill(value), tensor);
            tensor.BumpVersion();
        }

        /// <summary>Overwrites the elements in place with those of a tensor of the same shape and type.</summary>
        /// <param name="source">The new values, of any layout.</param>
        /// <exception cref="AdjointException">
        /// The shape or the type differs, elements of the tensor share memory, as those of an expanded one do, the
        /// tensor takes part in a graph, or memory was recycled.
        /// </exception>
        public void CopyFrom(Tensor source)
        {
            if (source.Shape != tensor.Shape || source.DType != tensor.DType)
                throw new AdjointException(
                    $"CopyFrom: the source must be {tensor.Shape} {tensor.DType.Label()}: found {source.Shape} "
                    + $"{source.DType.Label()}");
            tensor.RequireDistinctElements(nameof(CopyFrom));
            tensor.RequireWritable(nameof(CopyFrom));
            // Where both lie in the same memory, elements would be overwritten before they are read.
            if (source.Storage == tensor.Storage) source = source.Duplicate();
            if (tensor.IsContiguous) Backend.Run(new Copy(), source, tensor);
            else Backend.Run(new CopyInto(), source, tensor);
            tensor.BumpVersion();
        }

        /// <summary>The values in memory of their own, without history; a replay copies them again.</summary>
        internal Tensor Duplicate()
        {
            var execution = Execution.Current;
            var device = execution.Enter(tensor.Device);
            try
            {
                var duplicate = Tensor.Empty(tensor.Shape, tensor.DType, execution);
                Backend.Run(new Copy(), tensor, duplicate);
                return duplicate;
            }
            finally
            {
                execution.Device = device;
            }
        }
    }
}
