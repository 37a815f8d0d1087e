namespace Adjoint.Memory;

/// <summary>How long a plan needs a buffer.</summary>
/// <param name="First">The number of the call that first touches it.</param>
/// <param name="Last">That of the last.</param>
/// <param name="ByteLength">Its size.</param>
internal readonly record struct BufferUse(int First, int Last, int ByteLength);

/// <summary>
/// Where buffers lie in slabs, so that none shares a byte with another that is needed at the same time. The largest is
/// placed first, and each goes into the smallest gap that holds it: what is needed long and is large decides, and small
/// ones fill what is left between. The work grows with the square of the number of buffers, a few thousand at most.
/// </summary>
internal sealed class SlabLayout
{
    private readonly IReadOnlyList<BufferUse> uses;
    private readonly List<Draft> drafts = [];
    private readonly (int Slab, long Offset)[] places;

    /// <param name="uses">The buffers.</param>
    /// <param name="ready">Sizes of pieces of memory that are there already; those that suit become slabs.</param>
    /// <param name="capacity">The most bytes in a slab; at least those of the largest buffer.</param>
    internal SlabLayout(
        IReadOnlyList<BufferUse> uses, IReadOnlyList<long>? ready = null, long capacity = Storage.MaxBytes)
    {
        this.uses = uses;
        places = new (int, long)[uses.Count];
        var left = new ReadyPieces(ready ?? []);
        foreach (var i in Enumerable.Range(0, uses.Count).OrderByDescending(i => uses[i].ByteLength)
            .ThenBy(i => uses[i].First)) Place(i, left, capacity);
        Sum = uses.Sum(Aligned);
        LowerBound = PeakBytes(uses);
    }

    /// <summary>The slabs: their sizes, and which of the pieces that were there each is, −1 for a new one.</summary>
    internal IEnumerable<(long Bytes, int Ready)> Slabs => drafts.Select(slab => (slab.End, slab.Ready));

    /// <summary>Bytes of the slabs.</summary>
    internal long Bytes => drafts.Sum(slab => slab.End);

    /// <summary>Bytes of the buffers, each by itself.</summary>
    internal long Sum { get; }

    /// <summary>The most bytes that are needed at the same time: no layout takes less.</summary>
    internal long LowerBound { get; }

    /// <summary>Where a buffer lies: in which slab, and how many bytes from its beginning.</summary>
    internal (int Slab, long Offset) this[int buffer] => places[buffer];

    // Into the smallest gap, else into a piece that is there and hardly larger, else behind the others of a new slab.
    private void Place(int i, ReadyPieces left, long capacity)
    {
        var size = Aligned(uses[i]);
        var (slab, offset, smallest) = (-1, 0L, long.MaxValue);
        var (growing, behind) = (-1, 0L);
        for (var s = 0; s < drafts.Count; s++)
        {
            var end = 0L;
            foreach (var other in drafts[s].Buffers)
            {
                if (!AreTogether(uses[other], uses[i])) continue;
                Consider(s, end, places[other].Offset);
                end = Math.Max(end, places[other].Offset + Aligned(uses[other]));
            }
            Consider(s, end, drafts[s].End);
            if (growing < 0 && drafts[s].Ready < 0 && end + size <= capacity) (growing, behind) = (s, end);
        }
        if (slab < 0)
        {
            if (left.Take(size) is (var piece, var bytes)) (slab, offset) = (Open(piece, bytes), 0);
            else (slab, offset) = growing < 0 ? (Open(-1, 0), 0) : (growing, behind);
        }
        var draft = drafts[slab];
        draft.Buffers.Insert(PositionOf(draft.Buffers, offset), i);
        draft.End = Math.Max(draft.End, offset + size);
        places[i] = (slab, offset);

        void Consider(int candidate, long from, long to)
        {
            if (to - from >= size && to - from < smallest) (slab, offset, smallest) = (candidate, from, to - from);
        }
    }

    private int Open(int ready, long end)
    {
        drafts.Add(new() { Ready = ready, End = end });
        return drafts.Count - 1;
    }

    private int PositionOf(List<int> inSlab, long offset)
    {
        var (low, high) = (0, inSlab.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (places[inSlab[middle]].Offset < offset) low = middle + 1;
            else high = middle;
        }
        return low;
    }

    private static bool AreTogether(BufferUse a, BufferUse b) => a.First <= b.Last && b.First <= a.Last;

    private static long Aligned(BufferUse use) =>
        (use.ByteLength + (long)BufferPool.Alignment - 1) / BufferPool.Alignment * BufferPool.Alignment;

    private static long PeakBytes(IReadOnlyList<BufferUse> uses)
    {
        var changes = uses
            .SelectMany(use => ((int At, long Bytes)[])[(use.First, Aligned(use)), (use.Last + 1, -Aligned(use))])
            .OrderBy(change => change.At).ThenBy(change => change.Bytes);
        var (now, most) = (0L, 0L);
        foreach (var (_, bytes) in changes) most = Math.Max(most, now += bytes);
        return most;
    }

    private sealed class Draft
    {
        /// <summary>By offset.</summary>
        internal List<int> Buffers { get; } = [];
        internal required int Ready { get; init; }
        internal required long End { get; set; }
    }

    // By size. One that is more than a quarter larger than a buffer is not opened for it: that is as much as the pool
    // wastes, and a plan that lives long is not to hold far more than it needs.
    private sealed class ReadyPieces
    {
        private readonly List<(long Bytes, int Piece)> pieces;

        internal ReadyPieces(IReadOnlyList<long> ready) => pieces = [.. ready.Select((bytes, i) => (bytes, i)).Order()];

        internal (int Piece, long Bytes)? Take(long size)
        {
            var at = pieces.BinarySearch((size, -1));
            if (at < 0) at = ~at;
            if (at == pieces.Count || pieces[at].Bytes > size + size / 4) return null;
            var (bytes, piece) = pieces[at];
            pieces.RemoveAt(at);
            return (piece, bytes);
        }
    }
}
