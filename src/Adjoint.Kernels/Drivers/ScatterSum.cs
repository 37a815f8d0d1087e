using System.Numerics;
using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>
/// y[place] = Σ of the x whose index is the place, 0 where there are none: one after another in x's order, or pairwise
/// where they are more than <see cref="Pairwise.Terms"/>. Indices must lie in 0 … size − 1. Threads share out blocks of
/// columns, never places, so that the order of a sum does not depend on their number.
/// </summary>
public static unsafe class ScatterSum
{
    // Elements of a chunk, whatever the thread count: they outweigh a hand-off. Clearing is cheaper.
    private const int ChunkLength = 16384, ClearLength = 1 << 18;

    // Columns are split at whole cache lines.
    private const int MinColumns = 64;

    /// <summary>
    /// Rows: y[o, i] = Σ over j with index[j] = i of x[o, j]; x [outer, count, inner], index [count], y [outer, size,
    /// inner].
    /// </summary>
    /// <param name="x">The terms.</param>
    /// <param name="index">Where each is added.</param>
    /// <param name="count">Size of the axis in x.</param>
    /// <param name="y">The sums.</param>
    /// <param name="outer">Product of the sizes before the axis.</param>
    /// <param name="size">Size of the axis in y.</param>
    /// <param name="inner">Product of the sizes after it.</param>
    public static void Rows<T>(T* x, long* index, int count, T* y, nint outer, int size, nint inner)
        where T : unmanaged, INumber<T>
    {
        var terms = new RowTerms { Index = index, Count = count, Stride = inner };
        var job = new RowJob<T>
        {
            X = x,
            Y = y,
            Size = size,
            Inner = inner,
            Terms = terms,
            Crowded = CrowdedPlaces.Of(terms, size),
            Blocks = new(outer, count, inner),
        };
        Clear(y, outer * size * inner);
        Workers.For(job.Blocks.Chunks, ref job);
    }

    /// <summary>
    /// Elements: y[o, i, c] = Σ over j with index[o, j, c] = i of x[o, j, c]; x and index [outer, count, inner], y
    /// [outer, size, inner].
    /// </summary>
    /// <param name="x">The terms.</param>
    /// <param name="index">Where each is added.</param>
    /// <param name="count">Size of the axis in x.</param>
    /// <param name="y">The sums.</param>
    /// <param name="outer">Product of the sizes before the axis.</param>
    /// <param name="size">Size of the axis in y.</param>
    /// <param name="inner">Product of the sizes after it.</param>
    public static void Elements<T>(T* x, long* index, int count, T* y, nint outer, int size, nint inner)
        where T : unmanaged, INumber<T>
    {
        var job = new ElementJob<T>
        {
            X = x,
            Index = index,
            Y = y,
            Size = size,
            Count = count,
            Inner = inner,
            Blocks = new(outer, count, inner),
        };
        Clear(y, outer * size * inner);
        Workers.For(job.Blocks.Chunks, ref job);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Add<T>(T* x, T* y, nint count) where T : unmanaged, INumber<T>
    {
        nint i = 0;
        for (; i <= count - Vector<T>.Count; i += Vector<T>.Count)
            (Vector.Load(y + i) + Vector.Load(x + i)).Store(y + i);
        for (; i < count; i++) y[i] += x[i];
    }

    // Along memory, before any term is added: by columns, row after row, most of the time would go here.
    private static void Clear<T>(T* y, nint length) where T : unmanaged
    {
        var job = new ClearJob<T> { Y = y, Length = length };
        Workers.For((int)((length + ClearLength - 1) / ClearLength), ref job);
    }

    // Over those terms alone that meet at one place: columns from each term's first element on.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Sum<T, TTerms>(
        in TTerms terms, T* x, ReadOnlySpan<int> members, T* y, nint columns, T* sums)
        where T : unmanaged, INumber<T> where TTerms : struct, ITerms
    {
        if (members.Length <= Pairwise.Terms)
        {
            new Span<T>(y, (int)columns).Clear();
            foreach (var term in members) Add(x + terms.Offset(term), y, columns);
            return;
        }
        var left = (int)Pairwise.Left(members.Length, Pairwise.Terms);
        Sum(terms, x, members[..left], y, columns, sums);
        Sum(terms, x, members[left..], sums, columns, sums + columns);
        Add(sums, y, columns);
    }

    /// <summary>What is added, and where: numbered in x's order.</summary>
    private interface ITerms
    {
        int Length { get; }

        int Place(int term);

        /// <summary>Elements from x to the term.</summary>
        nint Offset(int term);
    }

    private struct RowTerms : ITerms
    {
        public long* Index;
        public int Count;
        public nint Stride;

        public readonly int Length => Count;
        public readonly int Place(int term) => (int)Index[term];
        public readonly nint Offset(int term) => term * Stride;
    }

    // Some columns, so many, of rows that lie Stride apart.
    private struct ElementTerms : ITerms
    {
        public long* Index;
        public int Count;
        public int Columns;
        public nint Stride;

        public readonly int Length => Count * Columns;
        public readonly int Place(int term) => (int)Index[Offset(term)] * Columns + term % Columns;
        public readonly nint Offset(int term) => term / Columns * Stride + term % Columns;
    }

    /// <summary>Places where more terms meet than are added one after another.</summary>
    private sealed class CrowdedPlaces
    {
        private static readonly CrowdedPlaces None = new();

        private bool[] isCrowded = [];

        internal List<(int Place, int[] Members)> Groups { get; } = [];

        /// <summary>Partial sums that lie there at a time, at the most.</summary>
        internal nint Levels { get; private set; }

        internal bool Has(int place) => isCrowded[place];

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        internal static CrowdedPlaces Of<TTerms>(in TTerms terms, int places) where TTerms : struct, ITerms
        {
            if (terms.Length <= Pairwise.Terms) return None;
            var counts = new int[places];
            for (var term = 0; term < terms.Length; term++) counts[terms.Place(term)]++;
            if (counts.AsSpan().IndexOfAnyInRange(Pairwise.Terms + 1, int.MaxValue) < 0) return None;
            var crowded = new CrowdedPlaces { isCrowded = new bool[places] };
            var group = new int[places];
            for (var place = 0; place < places; place++)
            {
                if (counts[place] <= Pairwise.Terms) continue;
                group[place] = crowded.Groups.Count;
                crowded.isCrowded[place] = true;
                crowded.Groups.Add((place, new int[counts[place]]));
                crowded.Levels = Math.Max(crowded.Levels, Pairwise.Levels(counts[place]));
            }
            Array.Clear(counts);
            for (var term = 0; term < terms.Length; term++)
                if (terms.Place(term) is var place && crowded.isCrowded[place])
                    crowded.Groups[group[place]].Members[counts[place]++] = term;
            return crowded;
        }
    }

    /// <summary>Units of one o and a block of columns each, that one thread works on at a time.</summary>
    private readonly struct BlockPartition
    {
        private readonly nint units, unitsPerChunk, blocks, columns, inner;

        internal BlockPartition(nint outer, nint count, nint inner)
        {
            this.inner = inner;
            var rows = Math.Max(1, count);
            columns = Math.Min(inner, (ChunkLength / rows + MinColumns) / MinColumns * MinColumns);
            blocks = columns == 0 ? 0 : (inner + columns - 1) / columns;
            units = outer * blocks;
            unitsPerChunk = Math.Max(1, ChunkLength / Math.Max(1, rows * columns));
        }

        internal int Chunks => (int)((units + unitsPerChunk - 1) / unitsPerChunk);

        internal (nint First, nint End) Units(int chunk) =>
            (chunk * unitsPerChunk, Math.Min(units, (chunk + 1) * unitsPerChunk));

        internal (nint Outer, nint First, nint Columns) this[nint unit] =>
            (unit / blocks, unit % blocks * columns, Math.Min(columns, inner - unit % blocks * columns));
    }

    private struct ClearJob<T> : IChunkJob where T : unmanaged
    {
        public T* Y;
        public nint Length;

        public readonly void Run(int chunk)
        {
            var first = (nint)chunk * ClearLength;
            new Span<T>(Y + first, (int)Math.Min(ClearLength, Length - first)).Clear();
        }
    }

    private struct RowJob<T> : IChunkJob where T : unmanaged, INumber<T>
    {
        public T* X;
        public T* Y;
        public int Size;
        public nint Inner;
        public RowTerms Terms;
        public CrowdedPlaces Crowded;
        public BlockPartition Blocks;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public readonly void Run(int chunk)
        {
            var (unit, end) = Blocks.Units(chunk);
            for (; unit < end; unit++)
            {
                var (o, first, columns) = Blocks[unit];
                var x = X + o * Terms.Count * Inner + first;
                var y = Y + o * Size * Inner + first;
                var isCrowded = Crowded.Groups.Count > 0;
                for (var j = 0; j < Terms.Count; j++)
                    if (!isCrowded || !Crowded.Has(Terms.Place(j)))
                        Add(x + j * Inner, y + Terms.Place(j) * Inner, columns);
                if (!isCrowded) continue;
                fixed (T* sums = new T[Crowded.Levels * columns])
                    foreach (var (place, members) in Crowded.Groups)
                        Sum(Terms, x, members, y + place * Inner, columns, sums);
            }
        }
    }

    private struct ElementJob<T> : IChunkJob where T : unmanaged, INumber<T>
    {
        public T* X;
        public long* Index;
        public T* Y;
        public int Size;
        public int Count;
        public nint Inner;
        public BlockPartition Blocks;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public readonly void Run(int chunk)
        {
            var (unit, end) = Blocks.Units(chunk);
            for (; unit < end; unit++)
            {
                var (o, first, columns) = Blocks[unit];
                var at = o * Count * Inner + first;
                var index = Index + at;
                var y = Y + o * Size * Inner + first;
                var terms = new ElementTerms { Index = index, Count = Count, Columns = (int)columns, Stride = Inner };
                // No place gets more than one term of each row.
                if (Count > Pairwise.Terms
                    && CrowdedPlaces.Of(terms, (int)(Size * columns)) is { Groups.Count: > 0 } crowded)
                    AddCrowded(crowded, terms, X + at, y);
                else
                    for (nint j = 0; j < Count; j++)
                        for (nint i = 0; i < columns; i++)
                            y[(nint)index[j * Inner + i] * Inner + i] += X[at + j * Inner + i];
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void AddCrowded(CrowdedPlaces crowded, in ElementTerms terms, T* x, T* y)
        {
            for (var term = 0; term < terms.Length; term++)
                if (terms.Place(term) is var place && !crowded.Has(place))
                    y[At(place, terms.Columns)] += x[terms.Offset(term)];
            fixed (T* sums = new T[crowded.Levels])
                foreach (var (place, members) in crowded.Groups)
                    Sum(terms, x, members, y + At(place, terms.Columns), 1, sums);
        }

        private readonly nint At(int place, int columns) => place / columns * Inner + place % columns;
    }
}
