using Adjoint.Kernels;
using Adjoint.Primitives;

namespace Adjoint;

/// <summary>
/// What normalizations have in common: types of scale and shift, and the rows of those over last axes.
/// </summary>
internal static class NormOperands
{
    /// <summary>
    /// Scale and shift in the type of x, or in the type that x is computed in: a master copy of half-precision weights
    /// is used as it is.
    /// </summary>
    internal static Tensor[]? Promote(ReadOnlySpan<Tensor> inputs)
    {
        var type = inputs[0].DType;
        if (!type.IsFloating()) return null;
        var all = inputs.ToArray();
        for (var i = 1; i < all.Length; i++)
            if (all[i].DType != type.Computing()) all[i] = all[i].To(type);
        return all;
    }

    /// <summary>The shape rule of a norm over last axes.</summary>
    internal static TensorSpec InferRows(string op, Tensor x, Tensor gamma)
    {
        CheckFloating(op, x);
        var lead = x.Rank - gamma.Rank;
        for (var axis = 0; axis < gamma.Rank; axis++)
            if (lead < 0 || x.Shape[lead + axis] != gamma.Shape[axis])
                throw new AdjointException(
                    $"{op}: the last axes of the input must be those of the scale {gamma.Shape}: found {x.Shape}");
        return new(x.Shape, x.DType);
    }

    internal static void CheckFloating(string op, Tensor x)
    {
        if (!x.DType.IsFloating())
            throw new AdjointException(
                $"{op}: a floating input is needed: found {x.Shape} {x.DType.Label()}; cast with .To(DType.Float32)");
    }

    /// <summary>For what forward keeps of each row.</summary>
    internal static Tensor AllocateMoments(OpContext context, Tensor x, Tensor gamma) =>
        context.Allocate([NormRows.Count(x, gamma), RowNorm.Moments], x.DType.Computing());

    /// <summary>The rows of a norm over the last axes, as (rows, columns) in the type that is computed in.</summary>
    internal static Tensor Rows(Tensor x, Tensor gamma) =>
        x.Widened().Reshape(NormRows.Count(x, gamma), gamma.Length);
}
