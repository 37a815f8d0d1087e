using Adjoint.Kernels;
using Adjoint.Primitives;

namespace Adjoint.Distributed;

/// <summary>
/// Adds the gradients of all shards of a batch, those of this rank and those of others, in the order of
/// <see cref="ShardTree"/>, so that the sum is the same on all ranks and for any number of them; and averages buffers,
/// such as running statistics, in the same way. Gradients go to the others in buckets while <c>Backward()</c> is still
/// under way.
/// </summary>
/// <remarks>
/// A step is one batch or several: <see cref="BeginBatch"/>; for each of the shards of this rank that is not empty, in
/// order, <see cref="BeginShard"/>, the forward and the backward pass, which begins with cleared gradients, and
/// <see cref="EndShard"/>; <see cref="EndBatch"/>. After the last batch, <see cref="Finish"/> puts the sum in place of
/// the gradients. All ranks make the same calls, but for the shards.
/// </remarks>
internal sealed class GradientExchange : IGradientListener, IDisposable
{
    private readonly Communicator communicator;
    private readonly ShardPlan plan;
    private readonly Tensor[] parameters;
    private readonly Tensor[] buffers;
    private readonly int[] owners;
    private readonly GradientExchangeOptions options;
    private readonly Dictionary<Tensor, int> numbers = [];
    // Of a step of several batches: what each own shard has so far. The memory stays for the next step.
    private readonly HashSet<(int Shard, int Parameter)> accumulated = [];
    private readonly Dictionary<(int Shard, int Parameter), Tensor> sums = [];
    private readonly FlatBuffer scratch;
    private readonly ShardBucket[] bufferBuckets;
    private readonly (int Bucket, int Entry)[] bufferPlaces;
    private readonly Tensor[] begun;
    private readonly int[] versions;
    private readonly bool[] isChanged;
    // Buffers of integers, such as counters: no means of them are taken.
    private readonly Tensor[] counters, begunCounters, firstCounters;
    private readonly int[] counterVersions;
    private readonly bool[] hasCounted;
    private readonly HashSet<int> told = [], repeated = [];
    private ShardBucket[] buckets = [];
    private (int Bucket, int Entry)[] places = [];
    private int[] trainable = [];
    private IGradientListener? outer;
    private int shard = -1, next;
    private double weight;
    private bool isLast, isOpen, isDeferred;

    /// <summary>Creates the exchange of one rank.</summary>
    /// <param name="communicator">The world.</param>
    /// <param name="parameters">All parameters, also those that are frozen now; the same on all ranks.</param>
    /// <param name="buffers">Buffers that a shard may change.</param>
    /// <param name="shards">The number of shards, at least that of the ranks.</param>
    /// <param name="options">Null: the defaults.</param>
    /// <exception cref="AdjointException">
    /// There are fewer shards than ranks, or something does not lie in the CPU's memory.
    /// </exception>
    internal GradientExchange(
        Communicator communicator, IReadOnlyList<Tensor> parameters, IReadOnlyList<Tensor> buffers, int shards,
        GradientExchangeOptions? options = null)
    {
        if (shards < communicator.Size)
            throw new AdjointException(
                $"GradientExchange: each of the {communicator.Size} ranks needs a shard of its own: found {shards} "
                + "shards; use more shards or fewer ranks");
        (this.communicator, this.options) = (communicator, options ?? new());
        plan = new(communicator.Rank, communicator.Size, shards);
        this.parameters = [.. parameters.Distinct()];
        this.buffers = [.. buffers.Distinct().Where(buffer => buffer.DType.IsFloating())];
        counters = [.. buffers.Distinct().Where(buffer => !buffer.DType.IsFloating())];
        begunCounters = [.. counters.Select(one => Tensor.Empty(one.Shape, one.DType).Keep())];
        firstCounters = [.. counters.Select(one => Tensor.Empty(one.Shape, one.DType).Keep())];
        (counterVersions, hasCounted) = (new int[counters.Length], new bool[counters.Length]);
        foreach (var tensor in this.parameters.Concat(this.buffers).Concat(counters))
            if (tensor.Device != Device.Cpu)
                throw new AdjointException(
                    $"GradientExchange: {tensor.Name ?? "a tensor"} {tensor.Shape} is on {tensor.Device.Name}, and "
                    + "only the CPU's memory is exchanged; move the model with .To(Device.Cpu)");
        foreach (var (number, parameter) in this.parameters.Index()) numbers[parameter] = number;
        owners = OwnersOf(this.parameters, communicator.Size);
        (bufferBuckets, bufferPlaces) = Bucketed(
            "buffers", this.buffers, [.. Enumerable.Range(0, this.buffers.Length)], owners: null);
        begun = [.. this.buffers.Select(buffer => Tensor.Empty(buffer.Shape, buffer.DType).Keep())];
        (versions, isChanged) = (new int[this.buffers.Length], new bool[this.buffers.Length]);
        // Memory that a recording knows nothing of.
        scratch = new(
            this.parameters.Concat(this.buffers).Where(x => x.IsHalf).Select(x => x.Length).DefaultIfEmpty().Max(),
            DType.Float32);
    }

    /// <summary>The first shard of this rank, and the first of the next rank.</summary>
    internal (int Lo, int Hi) Range => (plan.Lo, plan.Hi);

    /// <summary>
    /// The parameters that this rank updates: all; with <see cref="GradientExchangeOptions.OwnsWholeParameters"/>, its
    /// own, frozen ones included.
    /// </summary>
    internal IReadOnlyList<Tensor> Owned => options.OwnsWholeParameters
        ? [.. parameters.Where((_, number) => owners[number] == plan.Rank)]
        : parameters;

    /// <summary>How many messages to all ranks the gradients of this step have been given to so far.</summary>
    internal int Sent => next;

    /// <summary>
    /// What each own shard has so far in a step of several batches: for checkpoints in the middle of one. The sums are
    /// of the type that is computed in; parameters are counted as they were given.
    /// </summary>
    internal IEnumerable<(int Shard, int Parameter, Tensor Sum)> Accumulated =>
        accumulated.Order().Select(key => (key.Shard, key.Parameter, SumOf(key.Shard, key.Parameter)));

    /// <summary>Forgets the batches so far of a step of several.</summary>
    internal void ClearAccumulated() => accumulated.Clear();

    /// <summary>Goes on in the middle of a step of several batches; shards of other ranks are passed over.</summary>
    /// <exception cref="AdjointException">The sum fits no parameter.</exception>
    internal void Accumulate(int shard, int parameter, Tensor sum)
    {
        if (parameter < 0 || parameter >= parameters.Length || sum.Shape != parameters[parameter].Shape
            || sum.DType != parameters[parameter].DType.Computing())
            throw new AdjointException(
                $"GradientExchange: the accumulated gradient {parameter} of shard {shard}, {sum.Shape} "
                + $"{sum.DType.Label()}, fits no parameter; go on with the model and settings it was saved with");
        if (shard < plan.Lo || shard >= plan.Hi) return;
        Backend.Run(new Copy(), sum, SumOf(shard, parameter));
        accumulated.Add((shard, parameter));
    }

    /// <summary>Begins a batch.</summary>
    /// <param name="isLastOfStep">Whether <see cref="Finish"/> comes after it.</param>
    internal void BeginBatch(bool isLastOfStep)
    {
        (isLast, isOpen, shard, next) = (isLastOfStep, true, plan.Lo - 1, 0);
        for (var i = 0; i < buffers.Length; i++) Backend.Run(new Copy(), buffers[i], begun[i]);
        Array.Clear(isChanged);
        for (var i = 0; i < counters.Length; i++) Backend.Run(new Copy(), counters[i], begunCounters[i]);
        Array.Clear(hasCounted);
        foreach (var bucket in bufferBuckets) bucket.Clear();
        if (!isLast) return;
        Arrange();
        foreach (var bucket in buckets) bucket.Clear();
    }

    /// <summary>
    /// Begins a shard of this rank; the gradients that this thread's backward pass completes are its.
    /// </summary>
    /// <param name="shard">Which, later than the one before.</param>
    /// <param name="weight">What its gradients are multiplied by.</param>
    /// <param name="isDeferred">
    /// Whether to take gradients as they are when the shard ends, for others change them after the backward pass.
    /// </param>
    internal void BeginShard(int shard, double weight, bool isDeferred = false)
    {
        if (!isOpen || shard <= this.shard || shard < plan.Lo || shard >= plan.Hi)
            throw new AdjointException(
                $"GradientExchange: shard {shard} does not come after shard {this.shard} of {plan.Lo} to "
                + $"{plan.Hi - 1}");
        PassOver(shard);
        for (var i = 0; i < buffers.Length; i++)
        {
            if (isChanged[i])
            {
                Backend.Run(new Copy(), begun[i], buffers[i]);
                buffers[i].BumpVersion();
            }
            (versions[i], isChanged[i]) = (buffers[i].Version, false);
        }
        for (var i = 0; i < counters.Length; i++)
        {
            if (hasCounted[i]) SetCounter(i, begunCounters[i]);
            counterVersions[i] = counters[i].Version;
        }
        (this.shard, this.weight, this.isDeferred) = (shard, weight, isDeferred);
        told.Clear();
        repeated.Clear();
        outer = Execution.Current.GradientListener;
        if (!isDeferred) Execution.Current.GradientListener = this;
    }

    /// <summary>Adds a gradient of this shard, and sends what is complete by that.</summary>
    public void Ready(Tensor leaf, Tensor gradient)
    {
        if (!numbers.TryGetValue(leaf, out var number)) return;
        if (repeated.Remove(number)) return;
        if (!told.Add(number))
            throw new AdjointException(
                $"GradientExchange: the gradient of {leaf.Name ?? "a parameter"} {leaf.Shape} is complete for the "
                + "second time in one step; let the step call Backward() once, on the sum of its losses");
        Put(number, gradient, weight);
        SendReady();
    }

    /// <summary>Passes over what it has, and may have sent.</summary>
    public void Repeats(Tensor leaf)
    {
        if (numbers.TryGetValue(leaf, out var number)) repeated.Add(number);
    }

    /// <summary>Ends the shard: parameters that got no gradient have none.</summary>
    internal void EndShard()
    {
        Execution.Current.GradientListener = outer;
        if (isDeferred)
            for (var number = parameters.Length - 1; number >= 0; number--)
                if (parameters[number] is { RequiresGrad: true, PresentGrad: { } gradient })
                    Ready(parameters[number], gradient);
        for (var i = 0; i < counters.Length; i++)
        {
            if (hasCounted[i] || counters[i].Version == counterVersions[i]) continue;
            Backend.Run(new Copy(), counters[i], firstCounters[i]);
            hasCounted[i] = true;
        }
        foreach (var number in trainable)
            if (!told.Contains(number)) Put(number, null, 0);
        for (var i = 0; i < buffers.Length; i++)
        {
            isChanged[i] = buffers[i].Version != versions[i];
            AddBuffer(i, isChanged[i] ? Widened(buffers[i]) : null);
        }
        SendReady();
    }

    /// <summary>
    /// Ends the batch: all ranks have the same buffers, the means over the shards that changed them; of integers, what
    /// the first of these shards left.
    /// </summary>
    internal void EndBatch()
    {
        PassOver(plan.Hi);
        (shard, isOpen) = (plan.Hi, false);
        SendReady();
        foreach (var bucket in bufferBuckets)
            for (var round = 0; round < plan.Rounds; round++) bucket.Send(communicator, round, gathers: true);
        foreach (var bucket in bufferBuckets) bucket.Wait();
        for (var i = 0; i < buffers.Length; i++)
        {
            var (bucket, entry) = bufferPlaces[i];
            var count = bufferBuckets[bucket].CountOf(entry);
            if (count == 0) continue;
            Write(new DivideBy(count), bufferBuckets[bucket].SumOf(entry), buffers[i]);
            buffers[i].BumpVersion();
        }
        if (counters.Length > 0) ShareCounters();
    }

    /// <summary>
    /// Ends the step: waits for the others, and puts the sums in the place of the gradients; null where no shard had
    /// one, and on ranks that do not get it.
    /// </summary>
    /// <param name="scale">What the sums are multiplied by: 1 / Σ weights for a mean.</param>
    internal void Finish(double scale)
    {
        if (isOpen) EndBatch();
        accumulated.Clear();
        foreach (var bucket in buckets)
        {
            bucket.Wait();
            for (var entry = 0; entry < bucket.Entries.Count; entry++)
            {
                var parameter = bucket.Entries[entry];
                parameter.ZeroGrad();
                var isMine = options.GathersGradients || owners[numbers[parameter]] == plan.Rank;
                if (!isMine || bucket.CountOf(entry) == 0) continue;
                var gradient = Tensor.Empty(parameter.Shape, parameter.DType);
                Write(new AffineOp.Operator(scale, AffineOp.NoShift), bucket.SumOf(entry), gradient);
                parameter.SetGrad(gradient, isOwn: true);
            }
        }
    }

    /// <summary>
    /// Gives all ranks the parameters as their owners updated them. Only with
    /// <see cref="GradientExchangeOptions.OwnsWholeParameters"/>.
    /// </summary>
    internal void GatherParameters()
    {
        if (!options.OwnsWholeParameters) return;
        foreach (var bucket in buckets) bucket.GatherValues(communicator);
    }

    /// <summary>Listens no more, also where a shard failed.</summary>
    public void Dispose()
    {
        if (Execution.Current.GradientListener == this) Execution.Current.GradientListener = outer;
    }

    // Those of the first rank that has some: its shards come before those of the others.
    private void ShareCounters()
    {
        var own = new List<byte>();
        for (var i = 0; i < counters.Length; i++)
        {
            own.Add(hasCounted[i] ? (byte)1 : (byte)0);
            if (hasCounted[i]) own.AddRange(firstCounters[i].Bytes);
        }
        var all = communicator.AllGather("buffers of integers", own.ToArray());
        var at = new int[all.Length];
        for (var i = 0; i < counters.Length; i++)
        {
            var (isDone, length) = (false, firstCounters[i].Bytes.Length);
            for (var rank = 0; rank < all.Length; rank++)
            {
                if (all[rank][at[rank]++] == 0) continue;
                if (!isDone) all[rank].AsSpan(at[rank], length).CopyTo(firstCounters[i].Bytes);
                (isDone, at[rank]) = (true, at[rank] + length);
            }
            if (isDone) SetCounter(i, firstCounters[i]);
        }
    }

    private void SetCounter(int number, Tensor value)
    {
        Backend.Run(new Copy(), value, counters[number]);
        counters[number].BumpVersion();
    }

    // The largest to whom has least, so that all have about as much. All parameters, so that freezing moves none.
    private static int[] OwnersOf(Tensor[] parameters, int ranks)
    {
        var (owners, loads) = (new int[parameters.Length], new long[ranks]);
        foreach (var (number, parameter) in parameters.Index().OrderByDescending(one => (long)one.Item.Length))
        {
            owners[number] = Array.IndexOf(loads, loads.Min());
            loads[owners[number]] += parameter.Length;
        }
        return owners;
    }

    // Backward comes to the last parameters first.
    private void Arrange()
    {
        int[] now = [.. Enumerable.Range(0, parameters.Length).Where(number => parameters[number].RequiresGrad)];
        if (now.SequenceEqual(trainable)) return;
        trainable = now;
        (buckets, places) = Bucketed("gradients", parameters, trainable, options.OwnsWholeParameters ? owners : null);
    }

    private (ShardBucket[] Buckets, (int Bucket, int Entry)[] Places) Bucketed(
        string name, Tensor[] tensors, int[] taken, int[]? owners)
    {
        var groups = Grouped(tensors, taken).ToArray();
        var places = new (int, int)[tensors.Length];
        Array.Fill(places, (-1, -1));
        foreach (var (bucket, group) in groups.Index())
            foreach (var (entry, number) in group.Index()) places[number] = (bucket, entry);
        return ([.. groups.Select((group, i) => new ShardBucket(
            plan, $"{name} {i} of {groups.Length}", [.. group.Select(number => tensors[number])],
            owners is null ? null : [.. group.Select(number => owners[number])]))], places);
    }

    private IEnumerable<List<int>> Grouped(Tensor[] tensors, int[] taken)
    {
        var limit = Math.Min(options.BucketBytes, Memory.Storage.MaxBytes / 2);
        var open = new Dictionary<DType, (List<int> Group, long Bytes)>();
        foreach (var number in taken.Reverse())
        {
            var type = tensors[number].DType.Computing();
            var bytes = (long)tensors[number].Length * type.Size();
            var (group, filled) = open.GetValueOrDefault(type, ([], 0));
            if (group.Count > 0 && filled + bytes > limit)
            {
                yield return group;
                (group, filled) = ([], 0);
            }
            group.Add(number);
            open[type] = (group, filled + bytes);
        }
        foreach (var (group, _) in open.Values) yield return group;
    }

    private void Put(int number, Tensor? gradient, double factor)
    {
        var wide = gradient is null ? null : Widened(gradient);
        if (accumulated.Contains((shard, number)))
        {
            var sum = SumOf(shard, number);
            if (wide is not null) AddScaled.Run(sum, wide, factor);
            (wide, factor) = (sum, 1);
        }
        else if (!isLast && wide is not null)
        {
            if (wide.Length > 0)
                Backend.Run(
                    new Map<AffineOp.Operator>(new(factor, AffineOp.NoShift)), wide, SumOf(shard, number));
            accumulated.Add((shard, number));
        }
        if (isLast && places[number] is ( >= 0 and var bucket, var entry))
            buckets[bucket].Add(entry, shard, wide, factor);
    }

    private void AddBuffer(int number, Tensor? value)
    {
        var (bucket, entry) = bufferPlaces[number];
        bufferBuckets[bucket].Add(entry, shard, value, 1);
    }

    // Shards between the one before and a later one have no samples in this batch.
    private void PassOver(int later)
    {
        while (++shard < later)
        {
            if (isLast)
                foreach (var number in trainable) Put(number, null, 0);
            for (var i = 0; i < buffers.Length; i++) AddBuffer(i, null);
        }
    }

    // Sums go out in the same order on all ranks: round by round, in each the buckets as backward comes to them.
    private void SendReady()
    {
        while (isLast && next < plan.Rounds * buckets.Length && buckets[next % buckets.Length] is var bucket
            && bucket.IsReady(next / buckets.Length))
            bucket.Send(communicator, next++ / buckets.Length, options.GathersGradients);
    }

    private Tensor SumOf(int shard, int parameter)
    {
        if (sums.TryGetValue((shard, parameter), out var sum)) return sum;
        var like = parameters[parameter];
        return sums[(shard, parameter)] = new FlatBuffer(like.Length, like.DType.Computing()).Of(like.Shape, 0);
    }

    private Tensor Widened(Tensor x)
    {
        if (!x.IsHalf) return x;
        var wide = scratch.Of(x.Shape, 0);
        if (x.Length > 0) Backend.Run(new Primitives.Cast(), x, wide);
        return wide;
    }

    private static void Write<TOperator>(TOperator function, Tensor sum, Tensor target)
        where TOperator : struct, IUnaryOperator
    {
        if (sum.Length == 0) return;
        Backend.Run(new Map<TOperator>(function), sum, target.IsHalf ? sum : target);
        if (target.IsHalf) Backend.Run(new Primitives.Cast(), sum, target);
    }

    private readonly struct DivideBy(double number) : IUnaryOperator
    {
        public V Invoke<V>(V x) where V : struct, ILanes<V> => x / V.Splat(number);
    }
}
