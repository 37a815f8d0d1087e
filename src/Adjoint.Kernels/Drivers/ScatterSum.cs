using System.Numerics;

namespace Adjoint.Kernels;

/// <summary>
/// y[place] = Σ of the x that are sent there, 0 where none is: one after another in x's order, or by pairs where more
/// than <see cref="Pairs.Terms"/> meet. Numbers of places must lie in 0 … size − 1.
/// </summary>
public static unsafe class ScatterSum
{
    // A chunk is a matter of the work alone, never of the thread count; 16 K elements outweigh a hand-off. Columns are
    // parted at whole cache lines.
    private const int Chunk = 16384, LeastColumns = 64, Cleared = 1 << 18;

    /// <summary>
    /// Rows: y[o, i] = Σ over j with index[j] = i of x[o, j]; x [outer, count, inner], index [count], y [outer, size,
    /// inner].
    /// </summary>
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
            Crowd = Crowd.Of(terms, size),
            Parts = new(outer, count, inner),
        };
        Clear(y, outer * size * inner);
        Workers.For(job.Parts.Chunks, ref job);
    }

    /// <summary>
    /// Elements: y[o, i, c] = Σ over j with index[o, j, c] = i of x[o, j, c]; x and index [outer, count, inner], y
    /// [outer, size, inner].
    /// </summary>
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
            Parts = new(outer, count, inner),
        };
        Clear(y, outer * size * inner);
        Workers.For(job.Parts.Chunks, ref job);
    }

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
        Workers.For((int)((length + Cleared - 1) / Cleared), ref job);
    }

    // Over those terms alone that meet at one place: columns from each term's first element on.
    private static void Sum<T, TTerms>(
        in TTerms terms, T* x, ReadOnlySpan<int> members, T* y, nint columns, T* sums)
        where T : unmanaged, INumber<T> where TTerms : struct, ITerms
    {
        if (members.Length <= Pairs.Terms)
        {
            new Span<T>(y, (int)columns).Clear();
            foreach (var term in members) Add(x + terms.Offset(term), y, columns);
            return;
        }
        var left = (int)Pairs.Left(members.Length, Pairs.Terms);
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
    private sealed class Crowd
    {
        private static readonly Crowd None = new();

        private bool[] isCrowded = [];

        internal List<(int Place, int[] Members)> Groups { get; } = [];

        /// <summary>Partial sums that lie there at a time, at the most.</summary>
        internal nint Levels { get; private set; }

        internal bool Has(int place) => isCrowded[place];

        internal static Crowd Of<TTerms>(in TTerms terms, int places) where TTerms : struct, ITerms
        {
            if (terms.Length <= Pairs.Terms) return None;
            var counts = new int[places];
            for (var term = 0; term < terms.Length; term++) counts[terms.Place(term)]++;
            if (counts.AsSpan().IndexOfAnyInRange(Pairs.Terms + 1, int.MaxValue) < 0) return None;
            var crowd = new Crowd { isCrowded = new bool[places] };
            var group = new int[places];
            for (var place = 0; place < places; place++)
            {
                if (counts[place] <= Pairs.Terms) continue;
                group[place] = crowd.Groups.Count;
                crowd.isCrowded[place] = true;
                crowd.Groups.Add((place, new int[counts[place]]));
                crowd.Levels = Math.Max(crowd.Levels, Pairs.Levels(counts[place]));
            }
            Array.Clear(counts);
            for (var term = 0; term < terms.Length; term++)
                if (terms.Place(term) is var place && crowd.isCrowded[place])
                    crowd.Groups[group[place]].Members[counts[place]++] = term;
            return crowd;
        }
    }

    /// <summary>Each o, and blocks of columns, that one thread works on at a time.</summary>
    private readonly struct Partition
    {
        private readonly nint units, unitsEach, blocks, columns, inner;

        internal Partition(nint outer, nint count, nint inner)
        {
            this.inner = inner;
            var rows = Math.Max(1, count);
            columns = Math.Min(inner, (Chunk / rows + LeastColumns) / LeastColumns * LeastColumns);
            blocks = columns == 0 ? 0 : (inner + columns - 1) / columns;
            units = outer * blocks;
            unitsEach = Math.Max(1, Chunk / Math.Max(1, rows * columns));
        }

        internal int Chunks => (int)((units + unitsEach - 1) / unitsEach);

        internal (nint First, nint End) Units(int chunk) =>
            (chunk * unitsEach, Math.Min(units, (chunk + 1) * unitsEach));

        internal (nint Outer, nint First, nint Columns) this[nint unit] =>
            (unit / blocks, unit % blocks * columns, Math.Min(columns, inner - unit % blocks * columns));
    }

    private struct ClearJob<T> : IChunkJob where T : unmanaged
    {
        public T* Y;
        public nint Length;

        public readonly void Run(int chunk)
        {
            var first = (nint)chunk * Cleared;
            new Span<T>(Y + first, (int)Math.Min(Cleared, Length - first)).Clear();
        }
    }

    private struct RowJob<T> : IChunkJob where T : unmanaged, INumber<T>
    {
        public T* X;
        public T* Y;
        public int Size;
        public nint Inner;
        public RowTerms Terms;
        public Crowd Crowd;
        public Partition Parts;

        public readonly void Run(int chunk)
        {
            var (unit, end) = Parts.Units(chunk);
            for (; unit < end; unit++)
            {
                var (o, first, columns) = Parts[unit];
                var x = X + o * Terms.Count * Inner + first;
                var y = Y + o * Size * Inner + first;
                var isCrowded = Crowd.Groups.Count > 0;
                for (var j = 0; j < Terms.Count; j++)
                    if (!isCrowded || !Crowd.Has(Terms.Place(j)))
                        Add(x + j * Inner, y + Terms.Place(j) * Inner, columns);
                if (!isCrowded) continue;
                fixed (T* sums = new T[Crowd.Levels * columns])
                    foreach (var (place, members) in Crowd.Groups)
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
        public Partition Parts;

        public readonly void Run(int chunk)
        {
            var (unit, end) = Parts.Units(chunk);
            for (; unit < end; unit++)
            {
                var (o, first, columns) = Parts[unit];
                var at = o * Count * Inner + first;
                var index = Index + at;
                var y = Y + o * Size * Inner + first;
                var terms = new ElementTerms { Index = index, Count = Count, Columns = (int)columns, Stride = Inner };
                // No place gets more than one term of each row.
                if (Count > Pairs.Terms && Crowd.Of(terms, (int)(Size * columns)) is { Groups.Count: > 0 } crowd)
                    AddCrowded(crowd, terms, X + at, y);
                else
                    for (nint j = 0; j < Count; j++)
                        for (nint i = 0; i < columns; i++)
                            y[(nint)index[j * Inner + i] * Inner + i] += X[at + j * Inner + i];
            }
        }

        private readonly void AddCrowded(Crowd crowd, in ElementTerms terms, T* x, T* y)
        {
            for (var term = 0; term < terms.Length; term++)
                if (terms.Place(term) is var place && !crowd.Has(place))
                    y[At(place, terms.Columns)] += x[terms.Offset(term)];
            fixed (T* sums = new T[crowd.Levels])
                foreach (var (place, members) in crowd.Groups)
                    Sum(terms, x, members, y + At(place, terms.Columns), 1, sums);
        }

        private readonly nint At(int place, int columns) => place / columns * Inner + place % columns;
    }
}
