using System.Numerics;

namespace Adjoint.Kernels;

/// <summary>Sums of groups of samples, cut at fixed places and added up in order, so that a result does not depend on the number of threads.</summary>
internal static unsafe class PartialSums
{
    /// <summary>total[i] += Σ over groups sums[group · length + i].</summary>
    internal static void AddTo<T>(T* total, T* sums, nint length, int groups) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (var group = 0; group < groups; group++) Zip.Run(new AddOperator(), total, sums + group * length, total, length);
    }

    private readonly struct AddOperator : IBinaryOperator
    {
        public V Invoke<V>(V x, V y) where V : struct, ILanes<V> => x + y;
    }
}
