using System.Numerics;
using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>
/// Scores of a strip: so many queries of one head as a tile has columns, side by side, by a block of keys, one below
/// the other. What a softmax needs of a query is then found lane by lane. A key that a query does not see has the score
/// −∞, whatever is in it.
/// </summary>
internal static unsafe class AttentionScores<TKernel, V, T>
    where TKernel : struct, IMicroKernel where V : struct, ILanes<V, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private static int NR => AttentionTiles<TKernel, V, T>.NR;

    /// <summary>The queries of a strip, scaled, feature by feature, with zeros for lanes without one.</summary>
    internal static void PackQueries(in AttentionProblem<T> problem, in AttentionStrip strip, T* to)
    {
        AttentionPacking.Columns(problem.Q + problem.QStrides.At(strip.Batch, strip.Head, strip.First),
            problem.QStrides, strip.Count, NR, problem.Width, to);
        Scale(to, (nint)NR * problem.Width, problem.Scale);
    }

    /// <summary>x = by·x; whole vectors.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Scale(T* x, nint length, double by)
    {
        for (nint i = 0; i < length; i += V.Count) V.Store(V.Load(x + i) * V.Splat(by), x + i);
    }

    /// <summary>Scores of the strip, and the first key from which on there may be a −∞.</summary>
    /// <param name="problem">The operands.</param>
    /// <param name="strip">The queries.</param>
    /// <param name="key">The first key of the block.</param>
    /// <param name="count">Keys of the block; its rows in memory are rounded up to whole tiles.</param>
    /// <param name="packedKeys">The keys, packed for the micro-kernel.</param>
    /// <param name="packedQueries">The queries, scaled, feature by feature.</param>
    /// <param name="bias">Memory for a tile of the mask.</param>
    /// <param name="scores">The scores, a row for each key.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static int Run(in AttentionProblem<T> problem, in AttentionStrip strip, int key, int count, T* packedKeys,
        T* packedQueries, T* bias, T* scores)
    {
        var (mr, width) = (TKernel.MR, problem.Width);
        for (var row = 0; row < count; row += mr)
            AttentionTiles<TKernel, V, T>.Product(
                width, packedKeys + (nint)row * width, packedQueries, NR, scores + row * NR);
        if (problem.Slopes != null)
            AddSlope(scores, count, problem.Slopes[strip.Head], strip.First + problem.Shift - key);
        var unmasked = count;
        if (problem.IsCausal)
        {
            unmasked = Math.Clamp(strip.First + problem.Shift + 1 - key, 0, count);
            HideLater(scores, unmasked, count, key - strip.First - problem.Shift);
        }
        if (!problem.HasMask) return unmasked;
        LoadMask(problem, strip, key, count, bias);
        AddMask(scores, bias, count);
        return 0;
    }

    /// <summary>Draws which weights are dropped, and multiplies them by 0, the others by 1 / probability.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Drop(
        in AttentionProblem<T> problem, in AttentionStrip strip, int key, int count, T* factors, T* weights)
    {
        LoadFactors(problem, strip, key, count, factors);
        for (nint i = 0; i < (nint)count * NR; i += V.Count)
            V.Store(V.Load(weights + i) * V.Load(factors + i), weights + i);
    }

    /// <summary>The factors of the weights that are kept, and 0 for those that are dropped.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void LoadFactors(
        in AttentionProblem<T> problem, in AttentionStrip strip, int key, int count, T* factors)
    {
        var row = ((long)strip.Batch * problem.Heads + strip.Head) * problem.Queries + strip.First;
        for (var lane = 0; lane < NR; lane++)
            problem.Dropout.Factors(row + lane, key, count, problem.Keys, factors + lane, NR);
    }

    /// <summary>Gives lanes without a query the score −∞.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void HidePadding(in AttentionStrip strip, int count, T* scores)
    {
        for (var row = 0; row < count; row++, scores += NR)
            for (var lane = strip.Count; lane < NR; lane++) scores[lane] = T.NegativeInfinity;
    }

    // −slope·|position − key|.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddSlope(T* scores, int count, T slope, int position)
    {
        var lanes = stackalloc T[NR];
        for (var lane = 0; lane < NR; lane++) lanes[lane] = T.CreateTruncating(lane);
        var factor = V.Splat(-slope);
        for (var row = 0; row < count; row++, scores += NR)
        {
            var distance = V.Splat(T.CreateTruncating(position - row));
            for (var i = 0; i < NR; i += V.Count)
                V.Store(V.Fma(factor, V.Abs(V.Load(lanes + i) + distance), V.Load(scores + i)), scores + i);
        }
    }

    // A lane sees a row where lane ≥ row + offset.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void HideLater(T* scores, int first, int count, int offset)
    {
        var lanes = stackalloc T[NR];
        for (var lane = 0; lane < NR; lane++) lanes[lane] = T.CreateTruncating(lane);
        var hidden = V.Splat(double.NegativeInfinity);
        for (var row = first; row < count; row++)
        {
            var from = V.Splat(T.CreateTruncating(row + offset));
            var at = scores + row * NR;
            for (var i = 0; i < NR; i += V.Count)
                V.Store(V.Select(V.Less(V.Load(lanes + i), from), hidden, V.Load(at + i)), at + i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void LoadMask(in AttentionProblem<T> problem, in AttentionStrip strip, int key, int count, T* bias)
    {
        var (first, strides) = (problem.MaskAt(strip.Batch, strip.Head, strip.First, key), problem.MaskStrides);
        if (problem.Visible != null)
            for (var row = 0; row < count; row++)
            {
                var from = problem.Visible + first + row * strides.Column;
                for (var lane = 0; lane < NR; lane++)
                    bias[row * NR + lane] =
                        lane >= strip.Count || from[lane * strides.Row] ? T.Zero : T.NegativeInfinity;
            }
        else if (strides.Column == 1 && strip.Count == NR)
            Packing.Transpose(problem.Bias + first, strides.Row, NR, count, bias, NR);
        else
            for (var row = 0; row < count; row++)
            {
                var from = problem.Bias + first + row * strides.Column;
                for (var lane = 0; lane < NR; lane++)
                    bias[row * NR + lane] = lane >= strip.Count ? T.Zero : from[lane * strides.Row];
            }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddMask(T* scores, T* bias, int count)
    {
        var hidden = V.Splat(double.NegativeInfinity);
        for (nint i = 0; i < (nint)count * NR; i += V.Count)
        {
            var b = V.Load(bias + i);
            V.Store(V.Select(V.Equal(b, hidden), hidden, V.Load(scores + i) + b), scores + i);
        }
    }
}

/// <summary>Queries that are computed side by side.</summary>
/// <param name="Batch">The sample.</param>
/// <param name="Head">The head.</param>
/// <param name="First">The first query.</param>
/// <param name="Count">How many there are; the lanes beyond are computed and ignored.</param>
/// <param name="Keys">No key from there on is seen by any of them.</param>
internal readonly record struct AttentionStrip(int Batch, int Head, int First, int Count, int Keys);
