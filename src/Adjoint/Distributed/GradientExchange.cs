namespace Adjoint.Distributed;

/// <summary>
/// Adds the gradients of all shards of a batch, those of this rank and those of others, in the order of
/// <see cref="ShardTree"/>, so that the sum is the same on all ranks and for any number of them. Gradients go to the
/// others in buckets while <c>Backward()</c> is still under way; buffers follow at the end of each batch
/// (<see cref="BufferExchange"/>).
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
    private readonly int[] owners;
    private readonly GradientExchangeOptions options;
    private readonly Dictionary<Tensor, int> numbers = [];
    private readonly ShardAccumulator accumulator;
    private readonly BufferExchange buffers;
    private readonly WideScratch scratch;
    // Of the shard under way: the parameters whose gradient was complete, and those that will be told of again.
    private readonly HashSet<int> told = [], repeated = [];
    private ShardBuckets? buckets;
    private int[] trainable = [];
    private IGradientListener? outer;
    private int shard = -1, sent;
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
        Tensor[] all = [.. parameters.Concat(buffers)];
        foreach (var tensor in all)
            if (tensor.Device != Device.Cpu)
                throw new AdjointException(
                    $"GradientExchange: {tensor.Name ?? "a tensor"} {tensor.Shape} is on {tensor.Device.Name}, and "
                    + "only the CPU's memory is exchanged; move the model with .To(Device.Cpu)");
        foreach (var (number, parameter) in this.parameters.Index()) numbers[parameter] = number;
        owners = OwnersOf(this.parameters, communicator.Size);
        accumulator = new(this.parameters);
        scratch = new(all);
        this.buffers = new(communicator, plan, [.. buffers.Distinct()], this.options.BucketBytes, scratch);
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
    internal int Sent => sent;

    /// <summary>
    /// What each own shard has so far in a step of several batches: for checkpoints in the middle of one. The sums are
    /// of the type that is computed in; parameters are counted as they were given.
    /// </summary>
    internal IEnumerable<(int Shard, int Parameter, Tensor Sum)> Accumulated => accumulator.Sums;

    /// <summary>Goes on in the middle of a step of several batches; shards of other ranks are passed over.</summary>
    /// <exception cref="AdjointException">The sum fits no parameter.</exception>
    internal void Accumulate(int shard, int parameter, Tensor sum)
    {
        if (parameter < 0 || parameter >= parameters.Length || sum.Shape != parameters[parameter].Shape
            || sum.DType != parameters[parameter].DType.Computing())
            throw new AdjointException(
                $"GradientExchange: the accumulated gradient {parameter} of shard {shard}, {sum.Shape} "
                + $"{sum.DType.Label()}, fits no parameter; go on with the model and settings it was saved with");
        if (shard >= plan.Lo && shard < plan.Hi) accumulator.Set(shard, parameter, sum);
    }

    /// <summary>Begins a batch.</summary>
    /// <param name="isLastOfStep">Whether <see cref="Finish"/> comes after it.</param>
    internal void BeginBatch(bool isLastOfStep)
    {
        (isLast, isOpen, shard, sent) = (isLastOfStep, true, plan.Lo - 1, 0);
        buffers.BeginBatch();
        if (!isLast) return;
        Arrange();
        buckets!.Clear();
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
        buffers.BeginShard();
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
        foreach (var number in trainable)
            if (!told.Contains(number)) Put(number, null, 0);
        buffers.EndShard(shard);
        SendReady();
    }

    /// <summary>Ends the batch: all ranks have the same buffers.</summary>
    internal void EndBatch()
    {
        PassOver(plan.Hi);
        (shard, isOpen) = (plan.Hi, false);
        SendReady();
        buffers.EndBatch();
    }

    /// <summary>
    /// Ends the step: waits for the others, and puts the sums in the place of the gradients; null where no shard had
    /// one, and on ranks that do not get it.
    /// </summary>
    /// <param name="scale">What the sums are multiplied by: 1 / Σ weights for a mean.</param>
    internal void Finish(double scale)
    {
        if (isOpen) EndBatch();
        accumulator.Clear();
        // Also of frozen ones, which a rank without samples still has of an earlier step.
        foreach (var parameter in parameters) parameter.ZeroGrad();
        foreach (var bucket in buckets!.All)
        {
            bucket.Wait();
            for (var entry = 0; entry < bucket.Entries.Count; entry++)
            {
                var parameter = bucket.Entries[entry];
                var isMine = options.GathersGradients || owners[numbers[parameter]] == plan.Rank;
                if (!isMine || bucket.CountOf(entry) == 0) continue;
                var gradient = Tensor.Empty(parameter.Shape, parameter.DType);
                bucket.WriteSum(entry, new AffineOp.Operator(scale, AffineOp.NoShift), gradient);
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
        foreach (var bucket in buckets!.All) bucket.GatherValues(communicator);
    }

    /// <summary>Listens no more, also where a shard failed.</summary>
    public void Dispose()
    {
        if (Execution.Current.GradientListener == this) Execution.Current.GradientListener = outer;
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

    private void Arrange()
    {
        int[] now = [.. Enumerable.Range(0, parameters.Length).Where(number => parameters[number].RequiresGrad)];
        if (buckets is not null && now.SequenceEqual(trainable)) return;
        trainable = now;
        buckets = new(plan, "gradients", parameters, now, options.BucketBytes,
            options.OwnsWholeParameters ? owners : null);
    }

    private void Put(int number, Tensor? gradient, double factor)
    {
        var wide = gradient is null ? null : scratch.Widen(gradient);
        if (!isLast || accumulator.Find(shard, number) is not null)
        {
            if (wide is not null) accumulator.Add(shard, number, wide, factor);
            (wide, factor) = (accumulator.Find(shard, number), 1);
        }
        if (isLast) buckets!.Add(number, shard, wide, factor);
    }

    // Shards between the one before and a later one have no samples in this batch.
    private void PassOver(int later)
    {
        while (++shard < later)
        {
            if (isLast)
                foreach (var number in trainable) Put(number, null, 0);
            buffers.PassOver(shard);
        }
    }

    // Sums go out in the same order on all ranks: round by round, in each the buckets as backward comes to them.
    private void SendReady()
    {
        if (!isLast) return;
        var all = buckets!.All;
        while (sent < plan.Rounds * all.Count && all[sent % all.Count] is var bucket
            && bucket.IsReady(sent / all.Count))
            bucket.Send(communicator, sent++ / all.Count, options.GathersGradients);
    }
}
