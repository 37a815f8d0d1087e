using Adjoint.Kernels;
using Adjoint.Primitives;

namespace Adjoint.Distributed;

/// <summary>
/// total + factor·x in two roundings, so that it is the same whether or not both are done in one pass.
/// </summary>
internal readonly struct AddScaled(double factor) : IBinaryOperator
{
    public V Invoke<V>(V total, V x) where V : struct, ILanes<V> => total + x * V.Splat(factor);

    /// <summary>Adds factor·x to a total of the same type and shape, in place.</summary>
    internal static void Run(Tensor total, Tensor x, double factor)
    {
        if (total.Length > 0) Backend.Run(new Zip<AddScaled>(new(factor)), total, x, total);
    }
}
