using System.Numerics;
using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>
/// Attention backward (Dao 2023): for keys and values of one head, or a part of them, over all queries that read them,
/// chunk by chunk: ∂L/∂V = Pᵀ·g, ∂L/∂K = scale·∂L/∂Sᵀ·Q, ∂L/∂Q = scale·∂L/∂S·K. Every sum has one order, whichever
/// thread computes it. Where there are few heads, each part of the keys has sums of its own for the queries, which are
/// added at the end.
/// </summary>
internal unsafe struct AttentionBackward<TKernel, V, T> : IChunkJob
    where TKernel : struct, IMicroKernel where V : struct, ILanes<V, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    // A multiple of the rows of every tile.
    private const int KeyBlock = 192;

    // Queries of a chunk: what is packed of them stays in the second-level cache.
    private const int MaxChunk = 256;

    // So many jobs keep all threads busy; and so many times the memory of the queries' gradients may be taken.
    private const int MinJobs = 8;

    private readonly AttentionGradient<T> of;
    private readonly T* dk, dv;
    private readonly int parts, keysPerPart, keyRows, keyColumns, valueColumns;
    private T* dq;

    private AttentionBackward(in AttentionGradient<T> of, T* dk, T* dv)
    {
        this.of = of;
        this.dk = dk;
        this.dv = dv;
        var problem = of.Problem;
        var (heads, blocks) = ((long)problem.Batch * problem.KeyValueHeads, Tiles(problem.Keys, KeyBlock));
        var wanted = (int)Math.Clamp((MinJobs + heads - 1) / Math.Max(1, heads), 1, Math.Max(1, blocks));
        keysPerPart = Math.Max(1, Tiles(blocks, wanted)) * KeyBlock;
        parts = Math.Max(1, Tiles(problem.Keys, keysPerPart));
        keyRows = Tiles(problem.Width, TKernel.MR) * TKernel.MR;
        (keyColumns, valueColumns) = (Tiles(problem.Width, NR) * NR, Tiles(problem.ValueWidth, NR) * NR);
    }

    private static int NR => AttentionTiles<TKernel, V, T>.NR;

    // Of a strip: what its scores need, queries and gradients row by row, gradients of the queries.
    private readonly nint StripLength =>
        AttentionGradientStrip<TKernel, V, T>.Length(of.Problem) + (nint)NR * (keyColumns + valueColumns + keyRows);

    internal static void Run(in AttentionGradient<T> of, T* dq, T* dk, T* dv)
    {
        var problem = of.Problem;
        var job = new AttentionBackward<TKernel, V, T>(of, dk, dv) { dq = dq };
        var length = (nint)problem.Batch * problem.Heads * problem.Queries * problem.Width;
        using var sums = Scratch.Rent<T>(ScratchSlot.Sums, job.parts == 1 ? 0 : job.parts * length);
        if (job.parts > 1) job.dq = sums.Pointer;
        Workers.For(checked(problem.Batch * problem.KeyValueHeads * job.parts), ref job);
        if (job.parts == 1) return;
        new Span<T>(sums.Pointer, checked((int)length)).CopyTo(new Span<T>(dq, (int)length));
        PartialSums.AddTo(dq, sums.Pointer + length, length, job.parts - 1);
    }

    private static int Tiles(int size, int tile) => (size + tile - 1) / tile;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public readonly void Run(int number)
    {
        var problem = of.Problem;
        var (head, part) = (number / parts, number % parts);
        var (batch, group) = (head / problem.KeyValueHeads, head % problem.KeyValueHeads);
        var (d, e) = (problem.Width, problem.ValueWidth);
        var first = part * keysPerPart;
        var keys = Math.Min(keysPerPart, problem.Keys - first);
        var rows = Math.Max(0, Tiles(keys, TKernel.MR) * TKernel.MR);
        var (strips, tile) = (Tiles(Math.Min(MaxChunk, problem.Queries), NR), (nint)KeyBlock * NR);
        using var lease = Scratch.Rent<T>(ScratchSlot.Attention, (nint)rows * (keyColumns + valueColumns)
            + strips * StripLength + KeyBlock * ((nint)d + keyRows + e) + 3 * tile);
        var space = new Space
        {
            KeyGradients = lease.Pointer,
            ValueGradients = lease.Pointer + (nint)rows * keyColumns,
            Strips = lease.Pointer + (nint)rows * (keyColumns + valueColumns),
        };
        space.PackedKeys = space.Strips + strips * StripLength;
        space.KeyRows = space.PackedKeys + (nint)KeyBlock * d;
        space.PackedValues = space.KeyRows + (nint)KeyBlock * keyRows;
        space.Factors = space.PackedValues + (nint)KeyBlock * e;
        space.Scores = space.Factors + tile;
        space.Gradients = space.Scores + tile;
        bool* isClearedKey = stackalloc bool[KeyBlock], isClearedQuery = stackalloc bool[2 * MaxChunk];
        space.IsClearedKey = isClearedKey;
        space.IsClearedQuery = isClearedQuery;

        new Span<T>(lease.Pointer, checked((int)((nint)rows * (keyColumns + valueColumns)))).Clear();
        var chunk = MaxChunk / NR * NR;
        for (var i = 0; i < problem.GroupSize; i++)
            for (var query = 0; query < problem.Queries; query += chunk)
                Chunk(batch, group * problem.GroupSize + i, query, Math.Min(problem.Queries, query + chunk), part,
                    first,
                    keys, space);
        var row = ((nint)batch * problem.KeyValueHeads + group) * problem.Keys + first;
        for (var j = 0; j < keys; j++)
        {
            new Span<T>(space.KeyGradients + (nint)j * keyColumns, d).CopyTo(new Span<T>(dk + (row + j) * d, d));
            new Span<T>(space.ValueGradients + (nint)j * valueColumns, e).CopyTo(new Span<T>(dv + (row + j) * e, e));
        }
    }

    // The queries of a chunk against the keys of the part.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void Chunk(int batch, int head, int query, int last, int part, int first, int keys, in Space space)
    {
        var problem = of.Problem;
        var strips = Tiles(last - query, NR);
        var anyCleared = false;
        for (var i = 0; i < strips; i++)
            anyCleared |= Pack(problem.Strip(batch, head, query + i * NR, NR), space.Strips + i * StripLength,
                space.IsClearedQuery + 2 * i * NR);
        var seen = Math.Min(problem.KeysUpTo(batch, last - 1), first + keys);
        for (var key = first; key < seen; key += KeyBlock)
        {
            var count = Math.Min(KeyBlock, seen - key);
            var isFinite = PackKeys(batch, head / problem.GroupSize, key, count, space, out var anyClearedKey);
            for (var i = 0; i < strips; i++)
            {
                var strip = problem.Strip(batch, head, query + i * NR, NR);
                var visible = Math.Min(count, strip.Keys - key);
                if (visible <= 0) continue;
                Strip(strip, key, visible, isFinite, space.Strips + i * StripLength, key - first, space);
                if (anyClearedKey) AddClearedKeys(strip, key, visible, space.Strips + i * StripLength, space);
                if (anyCleared)
                    AddClearedQueries(strip, key, visible, space.IsClearedQuery + 2 * i * NR, key - first, space);
            }
        }
        for (var i = 0; i < strips; i++)
            Finish(problem.Strip(batch, head, query + i * NR, NR), space.Strips + i * StripLength, part);
    }

    private readonly bool Pack(in AttentionStrip strip, T* to, bool* isCleared)
    {
        var problem = of.Problem;
        AttentionGradientStrip<TKernel, V, T>.Pack(of, strip, to);
        var queries = to + AttentionGradientStrip<TKernel, V, T>.Length(problem);
        var gradients = queries + (nint)NR * keyColumns;
        var sums = gradients + (nint)NR * valueColumns;
        AttentionPacking.Rows(problem.Q + problem.QStrides.At(strip.Batch, strip.Head, strip.First), problem.QStrides,
            strip.Count, problem.Width, keyColumns, queries);
        AttentionScores<TKernel, V, T>.Scale(queries, strip.Count * (nint)keyColumns, problem.Scale);
        AttentionPacking.Rows(of.Gradient + of.Strides.At(strip.Batch, strip.Head, strip.First), of.Strides,
            strip.Count, problem.ValueWidth, valueColumns, gradients);
        new Span<T>(queries + (nint)strip.Count * keyColumns, (NR - strip.Count) * keyColumns).Clear();
        new Span<T>(gradients + (nint)strip.Count * valueColumns, (NR - strip.Count) * valueColumns).Clear();
        new Span<T>(sums, NR * keyRows).Clear();
        new Span<bool>(isCleared, 2 * NR).Clear();
        return AttentionPacking.ClearNonFinite<V, T>(queries, strip.Count, keyColumns, isCleared)
            | AttentionPacking.ClearNonFinite<V, T>(gradients, strip.Count, valueColumns, isCleared + NR);
    }

    // Says whether all is finite, and whether a key is not.
    private readonly bool PackKeys(int batch, int group, int key, int count, in Space space, out bool anyCleared)
    {
        var problem = of.Problem;
        var from = problem.K + problem.KStrides.At(batch, group, key);
        AttentionPacking.Tiles(from, problem.KStrides, count, TKernel.MR, problem.Width, space.PackedKeys);
        AttentionPacking.Rows(from, problem.KStrides, count, problem.Width, keyRows, space.KeyRows);
        AttentionPacking.Tiles(problem.V + problem.VStrides.At(batch, group, key), problem.VStrides, count, TKernel.MR,
            problem.ValueWidth, space.PackedValues);
        anyCleared = AttentionPacking.ClearNonFinite<V, T>(space.KeyRows, count, keyRows, space.IsClearedKey);
        return !anyCleared && AttentionPacking.IsFinite<V, T>(
            space.PackedValues, (nint)Tiles(count, TKernel.MR) * TKernel.MR * problem.ValueWidth);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void Strip(
        in AttentionStrip strip, int key, int count, bool isFinite, T* packed, int row, in Space space)
    {
        AttentionGradientStrip<TKernel, V, T>.Run(of.Problem, strip, key, count, isFinite, space.PackedKeys,
            space.PackedValues, packed, space.Factors, space.Scores, space.Gradients);
        var queries = packed + AttentionGradientStrip<TKernel, V, T>.Length(of.Problem);
        var gradients = queries + (nint)NR * keyColumns;
        var sums = gradients + (nint)NR * valueColumns;
        for (var i = 0; i < count; i += TKernel.MR)
        {
            for (var column = 0; column < valueColumns; column += NR)
                AttentionTiles<TKernel, V, T>.AddTransposed(space.Scores + i * NR, gradients + column, valueColumns,
                    space.ValueGradients + (nint)(row + i) * valueColumns + column, valueColumns);
            for (var column = 0; column < keyColumns; column += NR)
                AttentionTiles<TKernel, V, T>.AddTransposed(space.Gradients + i * NR, queries + column, keyColumns,
                    space.KeyGradients + (nint)(row + i) * keyColumns + column, keyColumns);
        }
        for (var i = 0; i < keyRows; i += TKernel.MR)
            AttentionTiles<TKernel, V, T>.Add(
                count, space.KeyRows + i, keyRows, space.Gradients, sums + (nint)i * NR);
    }

    // Keys that were cleared, for the queries that see them.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void AddClearedKeys(in AttentionStrip strip, int key, int count, T* packed, in Space space)
    {
        var problem = of.Problem;
        var sums = packed + StripLength - (nint)NR * keyRows;
        for (var row = 0; row < count; row++)
        {
            if (!space.IsClearedKey[row]) continue;
            var from = problem.K + problem.KStrides.At(strip.Batch, strip.Head / problem.GroupSize, key + row);
            for (var lane = 0; lane < strip.Count; lane++)
                if (problem.Sees(strip.Batch, strip.Head, strip.First + lane, key + row))
                    for (var i = 0; i < problem.Width; i++)
                        sums[(nint)i * NR + lane] +=
                            space.Gradients[row * NR + lane] * from[i * problem.KStrides.Column];
        }
    }

    // Queries and gradients that were cleared, for the keys that they see.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void AddClearedQueries(
        in AttentionStrip strip, int key, int count, bool* isCleared, int place, in Space space)
    {
        var problem = of.Problem;
        var scale = T.CreateTruncating(problem.Scale);
        for (var lane = 0; lane < strip.Count; lane++)
        {
            if (!isCleared[lane] && !isCleared[NR + lane]) continue;
            var query = problem.Q + problem.QStrides.At(strip.Batch, strip.Head, strip.First + lane);
            var gradient = of.Gradient + of.Strides.At(strip.Batch, strip.Head, strip.First + lane);
            for (var row = 0; row < count; row++)
            {
                if (!problem.Sees(strip.Batch, strip.Head, strip.First + lane, key + row)) continue;
                var at = row * NR + lane;
                for (var i = 0; isCleared[lane] && i < problem.Width; i++)
                    space.KeyGradients[(nint)(place + row) * keyColumns + i] +=
                        space.Gradients[at] * (query[i * problem.QStrides.Column] * scale);
                for (var i = 0; isCleared[NR + lane] && i < problem.ValueWidth; i++)
                    space.ValueGradients[(nint)(place + row) * valueColumns + i] +=
                        space.Scores[at] * gradient[i * of.Strides.Column];
            }
        }
    }

    private readonly void Finish(in AttentionStrip strip, T* packed, int part)
    {
        var problem = of.Problem;
        var sums = packed + StripLength - (nint)NR * keyRows;
        AttentionScores<TKernel, V, T>.Scale(sums, (nint)NR * keyRows, problem.Scale);
        var row = (((nint)part * problem.Batch + strip.Batch) * problem.Heads + strip.Head) * problem.Queries
            + strip.First;
        Packing.Transpose(sums, NR, problem.Width, strip.Count, dq + row * problem.Width, problem.Width);
    }

    // Where things lie in scratch memory.
    private struct Space
    {
        public T* KeyGradients, ValueGradients, Strips, PackedKeys, KeyRows, PackedValues, Factors, Scores, Gradients;
        public bool* IsClearedKey, IsClearedQuery;
    }
}
