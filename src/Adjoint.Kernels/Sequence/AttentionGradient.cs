using System.Numerics;
using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>
/// What <see cref="AttentionBackward{TKernel, V, T}"/> reads besides the operands of the forward pass.
/// </summary>
internal readonly unsafe struct AttentionGradient<T>(
    in AttentionProblem<T> problem, T* output, T* logSumExp, T* gradient, in AttentionStrides strides)
    where T : unmanaged
{
    public readonly AttentionProblem<T> Problem = problem;
    public readonly T* Output = output, LogSumExp = logSumExp, Gradient = gradient;
    public readonly AttentionStrides Strides = strides;
}

/// <summary>
/// The gradient of a strip's scores by a block of keys: the weights P = e^(score − logsumexp) are computed again, and
/// ∂L/∂S = P ∘ (∂L/∂P − D), where ∂L/∂P = g·Vᵀ and D is the sum of g ∘ output of each query (Dao et al. 2022).
/// </summary>
internal static unsafe class AttentionGradientStrip<TKernel, V, T>
    where TKernel : struct, IMicroKernel where V : struct, ILanes<V, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private static int NR => AttentionTiles<TKernel, V, T>.NR;

    /// <summary>Elements of what is packed of a strip: see <see cref="Pack"/>.</summary>
    internal static nint Length(in AttentionProblem<T> problem) => (nint)NR * (problem.Width + problem.ValueWidth + 2);

    /// <summary>Queries and gradients of the strip, feature by feature, logsumexp and D of each query.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Pack(in AttentionGradient<T> of, in AttentionStrip strip, T* to)
    {
        var (problem, e) = (of.Problem, of.Problem.ValueWidth);
        AttentionScores<TKernel, V, T>.PackQueries(problem, strip, to);
        to += (nint)NR * problem.Width;
        var gradient = of.Gradient + of.Strides.At(strip.Batch, strip.Head, strip.First);
        AttentionPacking.Columns(gradient, of.Strides, strip.Count, NR, e, to);
        to += (nint)NR * e;
        var row = ((nint)strip.Batch * problem.Heads + strip.Head) * problem.Queries + strip.First;
        for (var lane = 0; lane < NR; lane++)
        {
            var exists = lane < strip.Count;
            var logSumExp = exists ? of.LogSumExp[row + lane] : T.PositiveInfinity;
            // A query that sees no key: e^(−∞ − ∞) is 0.
            to[lane] = T.IsNegativeInfinity(logSumExp) ? T.PositiveInfinity : logSumExp;
            to[NR + lane] = exists
                ? Dot(gradient + lane * of.Strides.Row, of.Strides.Column, of.Output + (row + lane) * e, e)
                : T.Zero;
        }
    }

    // The sum of one order, however the first lies.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static T Dot(T* x, nint step, T* y, int length)
    {
        T a = T.Zero, b = T.Zero, c = T.Zero, d = T.Zero;
        var i = 0;
        for (; i <= length - 4; i += 4, x += 4 * step)
        {
            a = T.FusedMultiplyAdd(x[0], y[i], a);
            b = T.FusedMultiplyAdd(x[step], y[i + 1], b);
            c = T.FusedMultiplyAdd(x[2 * step], y[i + 2], c);
            d = T.FusedMultiplyAdd(x[3 * step], y[i + 3], d);
        }
        for (; i < length; i++, x += step) a = T.FusedMultiplyAdd(*x, y[i], a);
        return a + b + (c + d);
    }

    /// <summary>
    /// The weights, those that were dropped being 0, into <paramref name="scores"/>, and the gradients of the scores.
    /// Both are 0 where a query does not see a key, and in rows that fill up the last tile.
    /// </summary>
    /// <param name="problem">The operands.</param>
    /// <param name="strip">The queries.</param>
    /// <param name="key">The first key of the block.</param>
    /// <param name="count">How many keys of the block the strip sees at most.</param>
    /// <param name="isFinite">Whether keys and values of the block are.</param>
    /// <param name="keys">The keys, packed for the micro-kernel.</param>
    /// <param name="values">The values, packed likewise.</param>
    /// <param name="packed">What <see cref="Pack"/> wrote.</param>
    /// <param name="factors">Memory for a tile of the mask or of dropout.</param>
    /// <param name="scores">The weights.</param>
    /// <param name="gradients">The gradients of the scores.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Run(in AttentionProblem<T> problem, in AttentionStrip strip, int key, int count, bool isFinite,
        T* keys, T* values, T* packed, T* factors, T* scores, T* gradients)
    {
        var unmasked = AttentionScores<TKernel, V, T>.Run(problem, strip, key, count, keys, packed, factors, scores);
        // A NaN in a key would reach the lanes without a query.
        if (!isFinite && strip.Count < NR)
        {
            AttentionScores<TKernel, V, T>.HidePadding(strip, count, scores);
            unmasked = 0;
        }
        packed += (nint)NR * problem.Width;
        var (mr, e) = (TKernel.MR, problem.ValueWidth);
        for (var row = 0; row < count; row += mr)
            AttentionTiles<TKernel, V, T>.Product(e, values + (nint)row * e, packed, NR, gradients + row * NR);
        packed += (nint)NR * e;
        if (problem.Dropout.IsOn)
        {
            AttentionScores<TKernel, V, T>.LoadFactors(problem, strip, key, count, factors);
            for (nint i = 0; i < (nint)count * NR; i += V.Count)
                V.Store(V.Load(gradients + i) * V.Load(factors + i), gradients + i);
        }
        Weigh(scores, gradients, unmasked, count, packed);
        if (problem.Dropout.IsOn)
            for (nint i = 0; i < (nint)count * NR; i += V.Count)
                V.Store(V.Load(scores + i) * V.Load(factors + i), scores + i);
        var padding = ((count + mr - 1) / mr * mr - count) * NR;
        new Span<T>(scores + count * NR, padding).Clear();
        new Span<T>(gradients + count * NR, padding).Clear();
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Weigh(T* scores, T* gradients, int unmasked, int count, T* logSumExp)
    {
        for (var i = 0; i < NR; i += V.Count)
        {
            var (shift, mean) = (V.Load(logSumExp + i), V.Load(logSumExp + NR + i));
            for (var row = 0; row < unmasked; row++)
            {
                var at = row * NR + i;
                var weight = V.Exp(V.Load(scores + at) - shift);
                V.Store(weight, scores + at);
                V.Store(weight * (V.Load(gradients + at) - mean), gradients + at);
            }
            var (hidden, zero) = (V.Splat(double.NegativeInfinity), V.Splat(0));
            for (var row = unmasked; row < count; row++)
            {
                var at = row * NR + i;
                var score = V.Load(scores + at);
                var isHidden = V.Equal(score, hidden);
                var weight = V.Select(isHidden, zero, V.Exp(score - shift));
                V.Store(weight, scores + at);
                V.Store(V.Select(isHidden, zero, weight * (V.Load(gradients + at) - mean)), gradients + at);
            }
        }
    }
}
