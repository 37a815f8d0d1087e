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
    internal static Tensor Stack(string name, IReadOnlyList<Tensor> samples)
    {
        var first = samples[0];
        for (var i = 1; i < samples.Count; i++)
            if (samples[i].Shape != first.Shape || samples[i].DType != first.DType)
                throw new AdjointException(
                    $"Collate: samples of '{name}' must have one shape and type to be stacked: found {first.Shape} "
                    + $"{first.DType.Label()} and {samples[i].Shape} {samples[i].DType.Label()}; bring them to one "
                    + "size by a transform, or give the loader a Collate that pads");
        var result = Tensor.Empty([samples.Count, .. first.Shape.Sizes], first.DType, Device.Cpu);
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
            var length = Samples[0].Length;
            for (var i = 0; i < Samples.Count; i++) Samples[i].CopyTo(to.Slice(i * length, length));
        }
    }
}
