using System.Numerics;
using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>
/// The gradient of the numbers that are added to the scores: ∂L/∂S, summed over what the mask is broadcast along. A job
/// has a block of keys of its own, unless they share their numbers, and goes through all queries in order.
/// </summary>
internal unsafe struct AttentionMaskBackward<TKernel, V, T> : IChunkJob
    where TKernel : struct, IMicroKernel where V : struct, ILanes<V, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    // A multiple of the rows of every tile.
    private const int KeyBlock = 192;

    private readonly AttentionGradient<T> of;
    private readonly T* to;
    private readonly AttentionStrides strides;
    private readonly int blocks, blocksPerJob;

    private AttentionMaskBackward(in AttentionGradient<T> of, T* to, in AttentionStrides strides)
    {
        this.of = of;
        this.to = to;
        this.strides = strides;
        blocks = (of.Problem.Keys + KeyBlock - 1) / KeyBlock;
        blocksPerJob = strides.Column == 0 ? Math.Max(1, blocks) : 1;
    }

    private static int NR => AttentionTiles<TKernel, V, T>.NR;

    /// <summary>Adds the gradients to where they belong.</summary>
    internal static void Run(in AttentionGradient<T> of, T* to, in AttentionStrides strides)
    {
        var job = new AttentionMaskBackward<TKernel, V, T>(of, to, strides);
        Workers.For((job.blocks + job.blocksPerJob - 1) / job.blocksPerJob, ref job);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public readonly void Run(int number)
    {
        var (d, e) = (of.Problem.Width, of.Problem.ValueWidth);
        var tile = (nint)KeyBlock * NR;
        using var lease = Scratch.Rent<T>(ScratchSlot.Attention,
            AttentionGradientStrip<TKernel, V, T>.Length(of.Problem) + KeyBlock * ((nint)d + e) + 3 * tile);
        for (var block = number * blocksPerJob; block < Math.Min(blocks, (number + 1) * blocksPerJob); block++)
            for (var batch = 0; batch < of.Problem.Batch; batch++)
                for (var head = 0; head < of.Problem.Heads; head++)
                    Block(batch, head, block * KeyBlock, lease.Pointer);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void Block(int batch, int head, int key, T* keys)
    {
        var problem = of.Problem;
        var count = Math.Min(KeyBlock, problem.KeysUpTo(batch, problem.Queries - 1) - key);
        if (count <= 0) return;
        var values = keys + (nint)KeyBlock * problem.Width;
        var factors = values + (nint)KeyBlock * problem.ValueWidth;
        var scores = factors + KeyBlock * NR;
        var gradients = scores + KeyBlock * NR;
        var packed = gradients + KeyBlock * NR;
        var group = head / problem.GroupSize;
        AttentionPacking.Tiles(problem.K + problem.KStrides.At(batch, group, key), problem.KStrides, count, TKernel.MR,
            problem.Width, keys);
        AttentionPacking.Tiles(problem.V + problem.VStrides.At(batch, group, key), problem.VStrides, count, TKernel.MR,
            problem.ValueWidth, values);
        for (var query = 0; query < problem.Queries; query += NR)
        {
            var strip = problem.Strip(batch, head, query, NR);
            var visible = Math.Min(count, strip.Keys - key);
            if (visible <= 0) continue;
            AttentionGradientStrip<TKernel, V, T>.Pack(of, strip, packed);
            AttentionGradientStrip<TKernel, V, T>.Run(problem, strip, key, visible, isFinite: true, keys, values,
                packed, factors, scores, gradients);
            var at = to + strides.At(batch, head, query) + key * strides.Column;
            for (var lane = 0; lane < strip.Count; lane++)
                for (var row = 0; row < visible; row++)
                    at[lane * strides.Row + row * strides.Column] += gradients[row * NR + lane];
        }
    }
}
