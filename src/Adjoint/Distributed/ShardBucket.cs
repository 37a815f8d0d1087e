using Adjoint.Kernels;
using Adjoint.Primitives;

namespace Adjoint.Distributed;

/// <summary>
/// Tensors that are added over all shards together: one message carries them. For each sum that the
/// <see cref="ShardPlan"/> keeps there is a flat buffer, a slot, with the elements of all entries, then a number for
/// each entry: in how many shards it was there. An entry that is not there is left out of a sum; in a message it is −0,
/// to which adding a number gives the same bits. Each rank finishes the tree of one piece of the buffer.
/// </summary>
internal sealed class ShardBucket
{
    // Elements: pieces begin at cache lines.
    private const int Line = 16;
    private readonly ShardPlan plan;
    private readonly string name;
    private readonly DType type;
    // Where the elements of an entry begin, where its number is, and which elements each rank finishes.
    private readonly int[] starts, marks, pieces;
    private readonly FlatBuffer[] slots;
    private readonly Tensor[][] places;
    private readonly int[][] counts;
    private readonly FlatBuffer?[][] received;
    private readonly Tensor[] nodes;
    private readonly int[] open;
    private readonly int[]? owners;
    // The last exchange of the sums, and what brings the finished pieces of the others, which follows it on the
    // communicator's thread; null before they began.
    private Exchange? reducing, gathering;
    // Where the values of entries go, and where those of each rank end; they may be narrower than the sums.
    private (Tensor[] Places, int[] Ends)? values;

    /// <summary>Creates a bucket.</summary>
    /// <param name="plan">How sums are added.</param>
    /// <param name="name">What it is, in messages: the same on all ranks.</param>
    /// <param name="entries">Tensors of the shapes that are added, all computed with in one type.</param>
    /// <param name="owners">Which rank finishes each of them; null: equal pieces, which cut through entries.</param>
    internal ShardBucket(ShardPlan plan, string name, IReadOnlyList<Tensor> entries, int[]? owners = null)
    {
        (this.plan, this.owners, Entries, type) = (plan, owners, entries, entries[0].DType.Computing());
        (starts, marks, pieces) = owners is null ? Equal() : Whole(owners);
        this.name = $"{name}, {pieces[^1]} {type.Label()}";
        slots = [.. Enumerable.Range(0, plan.Slots).Select(_ => new FlatBuffer(pieces[^1], type))];
        places = [.. slots.Select(slot => entries.Select((entry, i) => slot.Of(entry.Shape, starts[i])).ToArray())];
        counts = [.. slots.Select(_ => new int[entries.Count])];
        open = new int[plan.Covers[plan.Rank].Length];
        received = [.. plan.Covers.Select((cover, rank) => cover.Select(
            _ => rank == plan.Rank ? null : new FlatBuffer(PieceOf(plan.Rank), type)).ToArray())];
        nodes = [.. received.SelectMany((cover, rank) => cover.Select(
            (buffer, node) => buffer?.Of(Shape.Create([PieceOf(plan.Rank)]), 0) ?? OwnPiece(node)))];
        Clear();
    }

    internal IReadOnlyList<Tensor> Entries { get; }

    /// <summary>Begins a new sum.</summary>
    internal void Clear()
    {
        foreach (var slot in counts) Array.Clear(slot);
        Array.Fill(open, Entries.Count);
        gathering = null;
    }

    /// <summary>Adds what a shard has of an entry, its leaf of the tree: factor·x, rounded, and then added.</summary>
    /// <param name="entry">The entry's number.</param>
    /// <param name="shard">The shard; the shards of this rank come one after the other for each entry.</param>
    /// <param name="x">What it has; null: nothing.</param>
    /// <param name="factor">What that is multiplied by.</param>
    internal void Add(int entry, int shard, Tensor? x, double factor)
    {
        var (depth, merges, node) = plan.Leaves[shard - plan.Lo];
        var target = depth - merges;
        // Which slot holds the sum so far; while it is not in one, it is the leaf.
        var at = -1;
        for (var slot = depth - 1; slot >= target; slot--)
        {
            if (counts[slot][entry] == 0) continue;
            if (at >= 0) AddSlot(entry, at, slot);
            else if (x is not null) AddLeaf(entry, x, factor, slot);
            at = slot;
        }
        if (at < 0 && x is not null) SetLeaf(entry, x, factor, target);
        else if (at > target) MoveSlot(entry, at, target);
        if (node >= 0 && --open[node] == 0) Close(node);
    }

    /// <summary>Whether the node that this rank sends in a round is complete; true where it sends none.</summary>
    internal bool IsReady(int round) => plan.NodeOf(plan.Rank, round) is var node && (node < 0 || open[node] == 0);

    /// <summary>Begins to send the node of a round to those who finish its pieces.</summary>
    internal void Send(Communicator communicator, int round, bool gathers)
    {
        var own = plan.NodeOf(plan.Rank, round);
        var sends = new ReadOnlyMemory<byte>[plan.Ranks];
        var receives = new Memory<byte>[plan.Ranks];
        for (var rank = 0; rank < plan.Ranks; rank++)
        {
            if (rank == plan.Rank) continue;
            if (own >= 0) sends[rank] = slots[own].Bytes(pieces[rank], PieceOf(rank));
            if (plan.NodeOf(rank, round) is >= 0 and var node)
                receives[rank] = received[rank][node]!.Bytes(0, PieceOf(plan.Rank));
        }
        var isLast = round == plan.Rounds - 1;
        var exchange = communicator.Begin(
            $"sums '{name}'", sends, receives, $"round {round} of {plan.Rounds}", isLast ? Finish : null);
        if (isLast) reducing = exchange;

        void Finish()
        {
            FinishPiece();
            if (gathers) gathering = Gather(communicator, "total", pieces, slots[0].Bytes);
        }
    }

    /// <summary>Waits for what this rank has of the sum: all, or its piece.</summary>
    internal void Wait()
    {
        reducing!.Wait();
        gathering?.Wait();
    }

    /// <summary>In how many shards an entry was there, of those that this rank has the sum of.</summary>
    internal int CountOf(int entry) => (int)slots[0].Get(marks[entry]);

    /// <summary>
    /// Writes a function of the sum of an entry over all shards to a tensor of its shape; afterwards the sum may be
    /// another.
    /// </summary>
    internal void WriteSum<TOperator>(int entry, TOperator function, Tensor target)
        where TOperator : struct, IUnaryOperator
    {
        if (target.Length == 0) return;
        var sum = places[0][entry];
        Backend.Run(new Map<TOperator>(function), sum, target.IsHalf ? sum : target);
        if (target.IsHalf) Backend.Run(new Primitives.Cast(), sum, target);
    }

    /// <summary>Gives all ranks the values of the entries as their owners have them.</summary>
    internal void GatherValues(Communicator communicator)
    {
        var (values, ends) = this.values ??= Values(owners!);
        for (var i = 0; i < values.Length; i++)
            if (owners![i] == plan.Rank) Backend.Run(new Copy(), Entries[i], values[i]);
        Gather(communicator, "values", ends, slots[0].Bytes).Wait();
        for (var i = 0; i < values.Length; i++)
        {
            if (owners![i] == plan.Rank) continue;
            Backend.Run(new Copy(), values[i], Entries[i]);
            Entries[i].BumpVersion();
        }
    }

    private (Tensor[] Places, int[] Ends) Values(int[] owners)
    {
        var (starts, ends, at) = (new int[Entries.Count], new int[plan.Ranks + 1], 0);
        for (var rank = 0; rank < plan.Ranks; rank++)
        {
            for (var i = 0; i < Entries.Count; i++)
            {
                if (owners[i] != rank) continue;
                starts[i] = at / type.Size();
                at += (Entries[i].Length * Entries[i].DType.Size() + 7) / 8 * 8;
            }
            ends[rank + 1] = at / type.Size();
        }
        return ([.. Entries.Select((entry, i) => slots[0].As(entry.Shape, entry.DType, starts[i]))], ends);
    }

    private Exchange Gather(Communicator communicator, string what, int[] ends, Func<int, int, Memory<byte>> bytes)
    {
        var sends = new ReadOnlyMemory<byte>[plan.Ranks];
        var receives = new Memory<byte>[plan.Ranks];
        for (var rank = 0; rank < plan.Ranks; rank++)
        {
            if (rank == plan.Rank) continue;
            sends[rank] = bytes(ends[plan.Rank], ends[plan.Rank + 1] - ends[plan.Rank]);
            receives[rank] = bytes(ends[rank], ends[rank + 1] - ends[rank]);
        }
        return communicator.Begin($"all-gather '{name}'", sends, receives, what);
    }

    // On the communicator's thread.
    private void FinishPiece()
    {
        if (PieceOf(plan.Rank) == 0) return;
        var (stack, left) = (new Stack<Tensor>(), nodes.Length - 1);
        for (var i = 0; i < nodes.Length; i++)
        {
            var top = nodes[i];
            for (var merges = plan.Merges[i]; merges > 0; merges--)
            {
                var below = stack.Pop();
                var sum = --left == 0 ? OwnPiece(0) : below;
                Backend.Run(new Zip<AddOp.Operator>(), below, top, sum);
                top = sum;
            }
            stack.Push(top);
        }
    }

    private Tensor OwnPiece(int node) => slots[node].Of(Shape.Create([PieceOf(plan.Rank)]), pieces[plan.Rank]);

    private int PieceOf(int rank) => pieces[rank + 1] - pieces[rank];

    private void Close(int node)
    {
        for (var i = 0; i < Entries.Count; i++)
        {
            if (counts[node][i] == 0 && Entries[i].Length > 0) Backend.Run(new Fill(-0.0), places[node][i]);
            slots[node].Set(marks[i], counts[node][i]);
        }
    }

    private void SetLeaf(int entry, Tensor x, double factor, int slot)
    {
        if (x.Length > 0)
            Backend.Run(new Map<AffineOp.Operator>(new(factor, AffineOp.NoShift)), x, places[slot][entry]);
        counts[slot][entry] = 1;
    }

    private void AddLeaf(int entry, Tensor x, double factor, int slot)
    {
        AddScaled.Run(places[slot][entry], x, factor);
        counts[slot][entry]++;
    }

    private void AddSlot(int entry, int from, int to)
    {
        if (Entries[entry].Length > 0)
            Backend.Run(new Zip<AddOp.Operator>(), places[to][entry], places[from][entry], places[to][entry]);
        counts[to][entry] += counts[from][entry];
        counts[from][entry] = 0;
    }

    private void MoveSlot(int entry, int from, int to)
    {
        if (Entries[entry].Length > 0) Backend.Run(new Copy(), places[from][entry], places[to][entry]);
        (counts[to][entry], counts[from][entry]) = (counts[from][entry], 0);
    }

    private (int[] Starts, int[] Marks, int[] Pieces) Equal()
    {
        var (starts, at) = (new int[Entries.Count], 0);
        for (var i = 0; i < starts.Length; i++) (starts[i], at) = (at, at + Entries[i].Length);
        var (first, length) = (at, at + Entries.Count);
        var pieces = Enumerable.Range(0, plan.Ranks + 1)
            .Select(rank => rank == plan.Ranks ? length : (int)((long)length * rank / plan.Ranks) / Line * Line);
        return (starts, [.. Enumerable.Range(first, Entries.Count)], [.. pieces]);
    }

    private (int[] Starts, int[] Marks, int[] Pieces) Whole(int[] owners)
    {
        var (starts, marks, pieces, at) = (new int[Entries.Count], new int[Entries.Count], new int[plan.Ranks + 1], 0);
        for (var rank = 0; rank < plan.Ranks; rank++)
        {
            var own = Enumerable.Range(0, Entries.Count).Where(i => owners[i] == rank).ToArray();
            foreach (var i in own) (starts[i], at) = (at, at + Entries[i].Length);
            foreach (var i in own) marks[i] = at++;
            pieces[rank + 1] = at;
        }
        return (starts, marks, pieces);
    }
}
