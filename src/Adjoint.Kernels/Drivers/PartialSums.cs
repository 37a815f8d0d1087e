using System.Numerics;
using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>
/// Sums of blocks of a reduction, cut at fixed places and added in order, so that a result does not depend on the
/// number of threads.
/// </summary>
internal static unsafe class PartialSums
{
    /// <summary>total[i] += Σ over blocks sums[block · length + i].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void AddTo<T>(T* total, T* sums, nint length, int blocks)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (var block = 0; block < blocks; block++)
            Zip.Run(new AddOperator(), total, sums + block * length, total, length);
    }

    private readonly struct AddOperator : IBinaryOperator
    {
        public V Invoke<V>(V x, V y) where V : struct, ILanes<V> => x + y;
    }
}
