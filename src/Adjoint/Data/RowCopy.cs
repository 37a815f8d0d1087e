namespace Adjoint.Data;

/// <summary>Copies samples into batches, whatever their element type: plain copies, without a graph.</summary>
internal static class RowCopy
{
    /// <summary>Rows of a tensor, (N, …), as a new tensor (n, …) on the CPU.</summary>
    internal static Tensor Take(Tensor source, ReadOnlySpan<int> rows)
    {
        var result = Tensor.Empty([rows.Length, .. source.Shape.Sizes[1..]], source.DType, Device.Cpu);
        var visitor = new TakeVisitor { Source = source, Result = result, Rows = rows };
        ElementTypes.Element(source.DType, ref visitor);
        return result;
    }

    /// <summary>Tensors of one shape and type, along a new first axis, on the CPU.</summary>
    /// <param name="name">The field, for messages.</param>
    /// <param name="samples">The tensors.</param>
    /// <param name="owners">Whose they are, for messages; null: samples 0, 1, ….</param>
    internal static Tensor Stack(string name, IReadOnlyList<Tensor> samples, IReadOnlyList<Sample>? owners = null)
    {
        var first = samples[0];
        for (var i = 1; i < samples.Count; i++)
            if (samples[i].Shape != first.Shape || samples[i].DType != first.DType)
                throw new AdjointException(
                    $"Collate: samples of '{name}' must have one shape and type to be stacked: found "
                    + $"{samples[i].Shape} {samples[i].DType.Label()} ({owners?[i].Place(i) ?? $"sample {i}"}), "
                    + $"expected {first.Shape} {first.DType.Label()} ({owners?[0].Place(0) ?? "sample 0"}); bring them "
                    + "to one size by a transform, or give the loader a PaddingCollate");
        var result = Tensor.Empty([samples.Count, .. first.Shape.Sizes], first.DType, Device.Cpu);
        var visitor = new StackVisitor { Samples = samples, Result = result };
        ElementTypes.Element(first.DType, ref visitor);
        return result;
    }

    /// <summary>
    /// Tensors that differ in their first axis alone, along a new one, each followed by padding up to a length.
    /// </summary>
    internal static Tensor Pad(IReadOnlyList<Tensor> samples, int length, Number fill)
    {
        var first = samples[0];
        int[] sizes = [samples.Count, length, .. first.Shape.Sizes[1..]];
        Shape.CheckFits(sizes, first.DType, "PaddingCollate");
        var result = Tensor.Full(sizes, fill, first.DType);
        var visitor = new StackVisitor { Samples = samples, Result = result };
        ElementTypes.Element(first.DType, ref visitor);
        return result;
    }

    private ref struct TakeVisitor : IElementVisitor
    {
        public Tensor Source, Result;
        public ReadOnlySpan<int> Rows;

        public void Visit<T>() where T : unmanaged
        {
            var from = Source.Data<T>();
            var to = Result.Data<T>();
            var length = Rows.Length == 0 ? 0 : to.Length / Rows.Length;
            for (var i = 0; i < Rows.Length; i++) from.Slice(Rows[i] * length, length).CopyTo(to[(i * length)..]);
            GC.KeepAlive(Source);
        }
    }

    private ref struct StackVisitor : IElementVisitor
    {
        public IReadOnlyList<Tensor> Samples;
        public Tensor Result;

        public void Visit<T>() where T : unmanaged
        {
            var to = Result.Data<T>();
            var length = to.Length / Samples.Count;
            for (var i = 0; i < Samples.Count; i++) Samples[i].CopyTo(to.Slice(i * length, Samples[i].Length));
        }
    }
}
