using Adjoint.Primitives;

namespace Adjoint.Distributed;

/// <summary>
/// Memory to widen tensors of half precision in, one at a time. A recording of a captured step knows nothing of it.
/// </summary>
internal sealed class WideScratch
{
    private readonly FlatBuffer memory;

    /// <summary>Allocates memory for the largest of some tensors.</summary>
    internal WideScratch(IEnumerable<Tensor> tensors) =>
        memory = new(tensors.Where(x => x.IsHalf).Select(x => x.Length).DefaultIfEmpty().Max(), DType.Float32);

    /// <summary>A tensor in the type that is computed in: itself, or a copy, valid until the next call.</summary>
    internal Tensor Widen(Tensor x)
    {
        if (!x.IsHalf) return x;
        var wide = memory.Of(x.Shape, 0);
        if (x.Length > 0) Backend.Run(new Primitives.Cast(), x, wide);
        return wide;
    }
}
