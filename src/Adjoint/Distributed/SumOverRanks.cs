using System.Numerics;
using System.Runtime.InteropServices;
using Adjoint.Primitives;

namespace Adjoint.Distributed;

/// <summary>
/// y = Σ x of all ranks of a world, added in the order of <see cref="ShardTree"/>. Operands: x and y, of one floating
/// type and shape, which is the same on all ranks; y contiguous. It waits for the other ranks.
/// </summary>
/// <param name="Communicator">The world.</param>
internal readonly record struct SumOverRanks(Communicator Communicator) : ISpanPrimitive<SumOverRanks>
{
    /// <inheritdoc/>
    public static string Name => "SumOverRanks";

    /// <inheritdoc/>
    public static void Check(in SumOverRanks primitive, ReadOnlySpan<Tensor?> operands)
    {
        Operands.Expect(Name, operands, 2);
        Operands.Result(Name, operands[1]!);
        Operands.SameTypeAndShape(Name, "x", operands[0]!, operands[1]!);
    }

    /// <inheritdoc/>
    public static void Run<T>(in SumOverRanks primitive, Elements elements)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var call = $"sum of {elements[1]!.Shape} over ranks";
        var all = primitive.Communicator.AllGather(call, MemoryMarshal.AsBytes(elements.Read<T>(0)));
        var ranks = Enumerable.Range(0, all.Length).Select(rank => (rank, rank + 1));
        var sums = new Stack<byte[]>();
        foreach (var (own, merges) in all.Zip(ShardTree.Merges(ranks, all.Length)))
        {
            var top = own;
            for (var i = 0; i < merges; i++)
            {
                var below = sums.Pop();
                Add<T>(MemoryMarshal.Cast<byte, T>(below.AsSpan()), MemoryMarshal.Cast<byte, T>(top));
                top = below;
            }
            sums.Push(top);
        }
        MemoryMarshal.Cast<byte, T>(sums.Pop()).CopyTo(elements.Write<T>(1));
    }

    private static void Add<T>(Span<T> sum, ReadOnlySpan<T> x) where T : unmanaged, IAdditionOperators<T, T, T>
    {
        for (var i = 0; i < sum.Length; i++) sum[i] += x[i];
    }
}
