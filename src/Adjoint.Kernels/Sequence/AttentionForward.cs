using System.Numerics;
using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>
/// Attention forward (Dao 2023): for a chunk of queries of one head, block by block of keys: scores, their softmax by
/// what it was so far (Milakov and Gimelshein 2018), values. Outputs are kept transposed, a column for each query,
/// until all keys were seen.
/// </summary>
internal unsafe struct AttentionForward<TKernel, V, T> : IChunkJob
    where TKernel : struct, IMicroKernel where V : struct, ILanes<V, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    // A multiple of the rows of every tile: scores of a block by a strip take 24 KB in float32.
    private const int KeyBlock = 192;

    // Queries of a chunk: their outputs stay in the second-level cache, and packing keys is little beside them.
    private const int MaxChunk = 256;

    // So many chunks keep all threads busy to the end.
    private const int MinChunks = 16;

    private readonly AttentionProblem<T> problem;
    private readonly T* output, logSumExp;
    private readonly int chunk, chunks, valueRows;

    private AttentionForward(in AttentionProblem<T> problem, T* output, T* logSumExp)
    {
        this.problem = problem;
        this.output = output;
        this.logSumExp = logSumExp;
        var (strips, heads) = ((problem.Queries + NR - 1) / NR, (long)problem.Batch * problem.Heads);
        var most = Math.Max(1, MaxChunk / NR);
        var perChunk = (int)Math.Clamp(heads * strips / MinChunks, 1, most);
        (chunk, chunks) = (perChunk * NR, (strips + perChunk - 1) / perChunk);
        valueRows = (problem.ValueWidth + TKernel.MR - 1) / TKernel.MR * TKernel.MR;
    }

    private static int NR => AttentionTiles<TKernel, V, T>.NR;

    // Of a strip: queries, outputs, maximum and sum of each query.
    private readonly nint StateLength => (nint)NR * (problem.Width + valueRows + 2);

    internal static void Run(in AttentionProblem<T> problem, T* output, T* logSumExp)
    {
        var job = new AttentionForward<TKernel, V, T>(problem, output, logSumExp);
        Workers.For(checked(problem.Batch * problem.Heads * job.chunks), ref job);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public readonly void Run(int number)
    {
        var (batch, head) = (number / chunks / problem.Heads, number / chunks % problem.Heads);
        var first = number % chunks * chunk;
        var last = Math.Min(problem.Queries, first + chunk);
        var (strips, tile) = ((last - first + NR - 1) / NR, (nint)KeyBlock * NR);
        using var lease = Scratch.Rent<T>(ScratchSlot.Attention,
            strips * StateLength + KeyBlock * ((nint)problem.Width + valueRows) + 3 * tile + NR);
        var states = lease.Pointer;
        var keys = states + strips * StateLength;
        var values = keys + (nint)KeyBlock * problem.Width;
        var scores = values + (nint)KeyBlock * valueRows;
        T* bias = scores + tile, factors = bias + tile, rescaling = factors + tile;
        var isCleared = stackalloc bool[KeyBlock];

        for (var i = 0; i < strips; i++)
            Begin(problem.Strip(batch, head, first + i * NR, NR), states + i * StateLength);
        var seen = problem.KeysUpTo(batch, last - 1);
        for (var key = 0; key < seen; key += KeyBlock)
        {
            var count = Math.Min(KeyBlock, seen - key);
            var anyCleared = Pack(batch, head, key, count, keys, values, isCleared);
            for (var i = 0; i < strips; i++)
            {
                var strip = problem.Strip(batch, head, first + i * NR, NR);
                var visible = Math.Min(count, strip.Keys - key);
                if (visible <= 0) continue;
                var queries = states + i * StateLength;
                var outputs = queries + (nint)NR * problem.Width;
                var max = outputs + (nint)NR * valueRows;
                AttentionScores<TKernel, V, T>.Run(problem, strip, key, visible, keys, queries, bias, scores);
                Softmax(scores, visible, max, max + NR, rescaling);
                if (problem.Dropout.IsOn)
                    AttentionScores<TKernel, V, T>.Drop(problem, strip, key, visible, factors, scores);
                for (var row = 0; row < valueRows; row += TKernel.MR)
                    AttentionTiles<TKernel, V, T>.Rescale(
                        visible, values + row, valueRows, scores, outputs + row * NR, rescaling);
                if (anyCleared) AddCleared(strip, key, visible, isCleared, scores, outputs);
            }
        }
        for (var i = 0; i < strips; i++)
            Finish(problem.Strip(batch, head, first + i * NR, NR), states + i * StateLength);
    }

    private readonly void Begin(in AttentionStrip strip, T* state)
    {
        AttentionScores<TKernel, V, T>.PackQueries(problem, strip, state);
        var outputs = state + (nint)NR * problem.Width;
        var length = (nint)NR * valueRows;
        new Span<T>(outputs, (int)length).Clear();
        new Span<T>(outputs + length, NR).Fill(T.NegativeInfinity);
        new Span<T>(outputs + length + NR, NR).Clear();
    }

    private readonly bool Pack(int batch, int head, int key, int count, T* keys, T* values, bool* isCleared)
    {
        var group = head / problem.GroupSize;
        AttentionPacking.Tiles(problem.K + problem.KStrides.At(batch, group, key), problem.KStrides, count, TKernel.MR,
            problem.Width, keys);
        AttentionPacking.Rows(problem.V + problem.VStrides.At(batch, group, key), problem.VStrides, count,
            problem.ValueWidth, valueRows, values);
        return AttentionPacking.ClearNonFinite<V, T>(values, count, valueRows, isCleared);
    }

    // Scores become weights, e^(score − max). What was summed with another maximum is to be rescaled.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Softmax(T* scores, int count, T* max, T* sum, T* rescaling)
    {
        for (var i = 0; i < NR; i += V.Count)
        {
            var before = V.Load(max + i);
            var largest = before;
            for (var row = 0; row < count; row++) largest = V.Max(largest, V.Load(scores + row * NR + i));
            V.Store(largest, max + i);
            // A query that has seen no key yet: e^(−∞ − 0) is 0.
            var shift = V.Select(V.Equal(largest, V.Splat(double.NegativeInfinity)), V.Splat(0), largest);
            var factor = V.Exp(before - shift);
            var total = V.Splat(0);
            for (var row = 0; row < count; row++)
            {
                var at = scores + row * NR + i;
                var weight = V.Exp(V.Load(at) - shift);
                total += weight;
                V.Store(weight, at);
            }
            V.Store(V.Fma(V.Load(sum + i), factor, total), sum + i);
            V.Store(factor, rescaling + i);
        }
    }

    // The values that were cleared, for the queries that see them.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void AddCleared(
        in AttentionStrip strip, int key, int count, bool* isCleared, T* weights, T* outputs)
    {
        for (var row = 0; row < count; row++)
        {
            if (!isCleared[row]) continue;
            var value = problem.V
                + problem.VStrides.At(strip.Batch, strip.Head / problem.GroupSize, key + row);
            for (var lane = 0; lane < strip.Count; lane++)
            {
                if (!problem.Sees(strip.Batch, strip.Head, strip.First + lane, key + row)) continue;
                for (var i = 0; i < problem.ValueWidth; i++)
                    outputs[i * NR + lane] += weights[row * NR + lane] * value[i * problem.VStrides.Column];
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void Finish(in AttentionStrip strip, T* state)
    {
        var outputs = state + (nint)NR * problem.Width;
        var max = outputs + (nint)NR * valueRows;
        var sum = max + NR;
        var row = ((nint)strip.Batch * problem.Heads + strip.Head) * problem.Queries + strip.First;
        for (var i = 0; i < NR; i += V.Count)
        {
            var total = V.Load(sum + i);
            // A query that sees no key: 0.
            var factor = V.Select(V.Equal(total, V.Splat(0)), total, V.Splat(1) / total);
            for (var at = outputs + i; at < max; at += NR) V.Store(V.Load(at) * factor, at);
            V.Store(V.Load(max + i) + V.Log(total), max + i);
        }
        new Span<T>(max, strip.Count).CopyTo(new Span<T>(logSumExp + row, strip.Count));
        Packing.Transpose(outputs, NR, problem.ValueWidth, strip.Count, output + row * problem.ValueWidth,
            problem.ValueWidth);
    }
}
