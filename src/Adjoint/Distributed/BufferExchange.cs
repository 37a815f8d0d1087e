using Adjoint.Kernels;
using Adjoint.Primitives;

namespace Adjoint.Distributed;

/// <summary>
/// Gives all ranks the same buffers of a model, such as running statistics. Each shard of a batch begins with those of
/// the batch's begin; afterwards they are the means over the shards that changed them, added in the order of
/// <see cref="ShardTree"/>. Buffers of integers, such as counters, have no mean: they are as the first of these shards
/// left them.
/// </summary>
internal sealed class BufferExchange
{
    private readonly Communicator communicator;
    private readonly ShardPlan plan;
    private readonly WideScratch scratch;
    private readonly Tracked[] floating, integers;
    private readonly ShardBuckets buckets;
    // What the first of the own shards that changed it left of each buffer of integers.
    private readonly Tensor[] firsts;
    private readonly bool[] hasFirst;

    /// <summary>Creates the exchange of one rank.</summary>
    /// <param name="communicator">The world.</param>
    /// <param name="plan">How sums are added.</param>
    /// <param name="buffers">The buffers, different ones, the same on all ranks.</param>
    /// <param name="bucketBytes">How many bytes go together, about.</param>
    /// <param name="scratch">Memory to widen them in.</param>
    internal BufferExchange(
        Communicator communicator, ShardPlan plan, IReadOnlyList<Tensor> buffers, long bucketBytes, WideScratch scratch)
    {
        (this.communicator, this.plan, this.scratch) = (communicator, plan, scratch);
        floating = [.. buffers.Where(buffer => buffer.DType.IsFloating()).Select(buffer => new Tracked(buffer))];
        integers = [.. buffers.Where(buffer => !buffer.DType.IsFloating()).Select(buffer => new Tracked(buffer))];
        firsts = [.. integers.Select(own => Tensor.Empty(own.Buffer.Shape, own.Buffer.DType).Keep())];
        hasFirst = new bool[integers.Length];
        buckets = new(
            plan, "buffers", [.. floating.Select(own => own.Buffer)], [.. Enumerable.Range(0, floating.Length)],
            bucketBytes);
    }

    /// <summary>Notes the buffers with which all shards of a batch begin.</summary>
    internal void BeginBatch()
    {
        foreach (var own in floating) own.BeginBatch();
        foreach (var own in integers) own.BeginBatch();
        Array.Clear(hasFirst);
        buckets.Clear();
    }

    /// <summary>Puts back what the shard before has changed.</summary>
    internal void BeginShard()
    {
        foreach (var own in floating) own.Restore();
        foreach (var own in integers) own.Restore();
    }

    /// <summary>Adds what a shard has changed.</summary>
    internal void EndShard(int shard)
    {
        for (var i = 0; i < floating.Length; i++)
            buckets.Add(i, shard, floating[i].IsChanged ? scratch.Widen(floating[i].Buffer) : null, 1);
        for (var i = 0; i < integers.Length; i++)
        {
            if (hasFirst[i] || !integers[i].IsChanged) continue;
            Backend.Run(new Copy(), integers[i].Buffer, firsts[i]);
            hasFirst[i] = true;
        }
    }

    /// <summary>Leaves out a shard of this rank, which has no samples.</summary>
    internal void PassOver(int shard)
    {
        for (var i = 0; i < floating.Length; i++) buckets.Add(i, shard, null, 1);
    }

    /// <summary>Gives all ranks the buffers of all shards.</summary>
    internal void EndBatch()
    {
        foreach (var bucket in buckets.All)
            for (var round = 0; round < plan.Rounds; round++) bucket.Send(communicator, round, gathers: true);
        foreach (var bucket in buckets.All)
        {
            bucket.Wait();
            for (var entry = 0; entry < bucket.Entries.Count; entry++)
            {
                if (bucket.CountOf(entry) is not (> 0 and var count)) continue;
                bucket.WriteSum(entry, new DivideBy(count), bucket.Entries[entry]);
                bucket.Entries[entry].BumpVersion();
            }
        }
        if (integers.Length > 0) ShareIntegers();
    }

    // A message has a byte for each buffer, which is 0 where no shard of the rank changed it, and then the values. The
    // shards of a rank come before those of the next.
    private void ShareIntegers()
    {
        var own = new byte[firsts.Length + firsts.Sum(first => first.Bytes.Length)];
        var at = firsts.Length;
        for (var i = 0; i < firsts.Length; i++)
        {
            own[i] = hasFirst[i] ? (byte)1 : (byte)0;
            firsts[i].Bytes.CopyTo(own.AsSpan(at));
            at += firsts[i].Bytes.Length;
        }
        var all = communicator.AllGather("buffers of integers", own);
        at = firsts.Length;
        for (var i = 0; i < firsts.Length; i++)
        {
            var bytes = firsts[i].Bytes;
            if (Array.Find(all, one => one[i] == 1) is { } from)
            {
                from.AsSpan(at, bytes.Length).CopyTo(bytes);
                Backend.Run(new Copy(), firsts[i], integers[i].Buffer);
                integers[i].Buffer.BumpVersion();
            }
            at += bytes.Length;
        }
    }

    // A buffer, and what it was when the batch began. Who writes to a tensor raises its version.
    private sealed class Tracked(Tensor buffer)
    {
        private readonly Tensor begun = Tensor.Empty(buffer.Shape, buffer.DType).Keep();
        private int version;

        internal Tensor Buffer => buffer;

        internal bool IsChanged => buffer.Version != version;

        internal void BeginBatch()
        {
            Backend.Run(new Copy(), buffer, begun);
            version = buffer.Version;
        }

        internal void Restore()
        {
            if (!IsChanged) return;
            Backend.Run(new Copy(), begun, buffer);
            buffer.BumpVersion();
            version = buffer.Version;
        }
    }

    private readonly struct DivideBy(double number) : IUnaryOperator
    {
        public V Invoke<V>(V x) where V : struct, ILanes<V> => x / V.Splat(number);
    }
}
