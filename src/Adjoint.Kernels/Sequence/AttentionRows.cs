using System.Numerics;
using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>
/// Attention forward of a few queries, as when a text is written token by token: keys and values are read where they
/// lie, features side by side in the lanes, and only those that a query sees.
/// </summary>
internal readonly unsafe struct AttentionRows<V, T> : IChunkJob
    where V : struct, ILanes<V, T> where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    // Up to so many queries it is faster than a strip, most of whose lanes would be empty.
    private const int MaxQueries = 4;

    // A multiple of 4, so that dropout's numbers begin with a block of their own, and of all numbers of lanes.
    private const int KeyBlock = 256;

    private readonly AttentionProblem<T> problem;
    private readonly T* output, logSumExp;

    private AttentionRows(in AttentionProblem<T> problem, T* output, T* logSumExp)
    {
        this.problem = problem;
        this.output = output;
        this.logSumExp = logSumExp;
    }

    /// <summary>Whether there are few queries.</summary>
    internal static bool Fits(in AttentionProblem<T> problem) => problem.Queries <= MaxQueries;

    internal static void Run(in AttentionProblem<T> problem, T* output, T* logSumExp)
    {
        var job = new AttentionRows<V, T>(problem, output, logSumExp);
        Workers.For(checked(problem.Batch * problem.Heads), ref job);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run(int number)
    {
        var (batch, head) = (number / problem.Heads, number % problem.Heads);
        using var lease = Scratch.Rent<T>(
            ScratchSlot.Attention, problem.Width + KeyBlock + 2 * V.Count * V.Count
                + KeyBlock * ((nint)problem.Width + problem.ValueWidth));
        for (var query = 0; query < problem.Queries; query++) Query(batch, head, query, lease.Pointer);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Query(int batch, int head, int query, T* weights)
    {
        T* scaled = weights + KeyBlock, sums = scaled + problem.Width, copies = sums + 2 * V.Count * V.Count;
        var (group, scale) = (head / problem.GroupSize, T.CreateTruncating(problem.Scale));
        var q = problem.Q + problem.QStrides.At(batch, head, query);
        for (var i = 0; i < problem.Width; i++) scaled[i] = q[i * problem.QStrides.Column] * scale;
        var row = ((nint)batch * problem.Heads + head) * problem.Queries + query;
        var to = output + row * problem.ValueWidth;
        new Span<T>(to, problem.ValueWidth).Clear();
        var keys = stackalloc int[KeyBlock];
        var (max, sum, seen) = (T.NegativeInfinity, T.Zero, problem.KeysUpTo(batch, query));
        for (var key = 0; key < seen; key += KeyBlock)
        {
            var count = Visible(batch, head, query, key, Math.Min(KeyBlock, seen - key), keys);
            var length = Math.Min(KeyBlock, seen - key);
            var k = Dense(problem.K + problem.KStrides.At(batch, group, key), problem.KStrides, length, problem.Width,
                copies, out var stepK);
            Scores(scaled, k, stepK, keys, count, weights, sums);
            AddBias(batch, head, query, key, keys, count, weights);
            var total = ExpRow.Run(weights, weights, count, out var largest);
            if (T.IsNegativeInfinity(largest)) continue;
            // By what was summed with another maximum is to be multiplied, and what is new.
            var common = T.Max(max, largest);
            var (before, now) = (T.Exp(max - common), T.Exp(largest - common));
            (max, sum) = (common, sum * before + total * now);
            for (var i = 0; i < count; i++) weights[i] *= now;
            if (problem.Dropout.IsOn) Drop(row, key, keys, count, weights);
            var v = Dense(problem.V + problem.VStrides.At(batch, group, key), problem.VStrides, length,
                problem.ValueWidth, copies + (nint)KeyBlock * problem.Width, out var stepV);
            Values(weights, v, stepV, keys, count, before, to);
        }
        for (var i = 0; sum != T.Zero && i < problem.ValueWidth; i++) to[i] /= sum;
        logSumExp[row] = max + T.Log(sum);
    }

    // Those of a block that the query sees, counted from its first.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private int Visible(int batch, int head, int query, int key, int count, int* keys)
    {
        var found = 0;
        for (var i = 0; i < count; i++)
            if (!problem.HasMask || problem.Sees(batch, head, query, key + i)) keys[found++] = i;
        return found;
    }

    // The rows where they lie, or a copy where the features of each do not lie side by side.
    private static T* Dense(T* from, in AttentionStrides strides, int rows, int width, T* copies, out nint step)
    {
        step = strides.Row;
        if (strides.Column == 1 || width == 1) return from;
        AttentionPacking.Rows(from, strides, rows, width, width, copies);
        step = width;
        return copies;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Scores(T* query, T* k, nint step, int* keys, int count, T* scores, T* sums)
    {
        var transposed = sums + V.Count * V.Count;
        var whole = problem.Width / V.Count * V.Count;
        for (var first = 0; first < count; first += V.Count)
        {
            var rows = Math.Min(V.Count, count - first);
            for (var i = 0; i < rows; i++)
            {
                var from = k + keys[first + i] * step;
                var (a, b, at) = (V.Splat(0), V.Splat(0), 0);
                for (; at <= whole - 2 * V.Count; at += 2 * V.Count)
                {
                    a = V.Fma(V.Load(query + at), V.Load(from + at), a);
                    b = V.Fma(V.Load(query + at + V.Count), V.Load(from + at + V.Count), b);
                }
                if (at < whole) a = V.Fma(V.Load(query + at), V.Load(from + at), a);
                V.Store(a + b, sums + i * V.Count);
                var rest = T.Zero;
                for (at = whole; at < problem.Width; at++) rest = T.FusedMultiplyAdd(query[at], from[at], rest);
                scores[first + i] = rest;
            }
            // The lanes of a row are added by adding rows of the transpose.
            Packing.Transpose(sums, V.Count, rows, V.Count, transposed, V.Count);
            var total = V.Splat(0);
            for (var lane = 0; lane < V.Count; lane++) total += V.Load(transposed + lane * V.Count);
            V.Store(total, transposed);
            for (var i = 0; i < rows; i++) scores[first + i] += transposed[i];
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void AddBias(int batch, int head, int query, int key, int* keys, int count, T* scores)
    {
        if (problem.Slopes != null)
            for (var i = 0; i < count; i++)
                scores[i] -= problem.Slopes[head]
                    * T.CreateTruncating(Math.Abs(query + problem.Shift - key - keys[i]));
        if (problem.Bias != null)
            for (var i = 0; i < count; i++)
                scores[i] += problem.Bias[problem.MaskAt(batch, head, query, key + keys[i])];
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Drop(nint row, int key, int* keys, int count, T* weights)
    {
        var factors = stackalloc T[KeyBlock];
        problem.Dropout.Factors(row, key, keys[count - 1] + 1, problem.Keys, factors, 1);
        for (var i = 0; i < count; i++) weights[i] *= factors[keys[i]];
    }

    // to = factor·to + weights·V.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Values(T* weights, T* v, nint step, int* keys, int count, T factor, T* to)
    {
        var (at, rescaling) = (0, V.Splat(factor));
        for (; at <= problem.ValueWidth - 4 * V.Count; at += 4 * V.Count)
        {
            var (a, b) = (V.Load(to + at) * rescaling, V.Load(to + at + V.Count) * rescaling);
            var (c, d) = (V.Load(to + at + 2 * V.Count) * rescaling, V.Load(to + at + 3 * V.Count) * rescaling);
            for (var i = 0; i < count; i++)
            {
                var weight = V.Splat(weights[i]);
                var from = v + keys[i] * step + at;
                a = V.Fma(weight, V.Load(from), a);
                b = V.Fma(weight, V.Load(from + V.Count), b);
                c = V.Fma(weight, V.Load(from + 2 * V.Count), c);
                d = V.Fma(weight, V.Load(from + 3 * V.Count), d);
            }
            V.Store(a, to + at);
            V.Store(b, to + at + V.Count);
            V.Store(c, to + at + 2 * V.Count);
            V.Store(d, to + at + 3 * V.Count);
        }
        for (; at <= problem.ValueWidth - V.Count; at += V.Count)
        {
            var sum = V.Load(to + at) * rescaling;
            for (var i = 0; i < count; i++) sum = V.Fma(V.Splat(weights[i]), V.Load(v + keys[i] * step + at), sum);
            V.Store(sum, to + at);
        }
        for (; at < problem.ValueWidth; at++)
        {
            var sum = to[at] * factor;
            for (var i = 0; i < count; i++) sum = T.FusedMultiplyAdd(weights[i], v[keys[i] * step + at], sum);
            to[at] = sum;
        }
    }
}
