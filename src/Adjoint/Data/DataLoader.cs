using System.Collections;
using System.Diagnostics;

namespace Adjoint.Data;

/// <summary>
/// Batches of a data set. The order depends on seed and epoch alone, so it is the same for any number of threads.
/// Batches are prepared ahead on background threads, random transforms included; these depend on seed, epoch and
/// sample alone, those of batches on seed, epoch and the batch's number.
/// </summary>
public sealed class DataLoader : IEnumerable<Batch>
{
    /// <summary>
    /// The key under which an exception of a data set carries, in its <see cref="Exception.Data"/>, the data set's name
    /// and the position of the sample that was read: <c>photos[17]</c>. It comes out of the loop over the batches,
    /// where that sample's batch would.
    /// </summary>
    public const string SampleKey = "sample";

    private readonly Dataset dataset;
    private readonly DataLoaderOptions options;
    private readonly Sampler sampler;
    private readonly SampleTransforms transforms;
    private readonly BatchTransform[] batchTransforms;
    private int start;

    /// <summary>Creates a loader of batches.</summary>
    /// <param name="dataset">The samples to load.</param>
    /// <param name="batchSize">The number of samples per batch, 1 or more.</param>
    /// <param name="options">Order, seed, transforms and the like; null: the defaults.</param>
    /// <exception cref="AdjointException">
    /// A number is out of range, a transform does not fit the samples, or a sampler is given beside shuffling.
    /// </exception>
    public DataLoader(Dataset dataset, int batchSize, DataLoaderOptions? options = null)
    {
        options ??= new();
        if (batchSize < 1)
            throw new AdjointException($"DataLoader: the batch size must be positive: found {batchSize}");
        if (options.Prefetch < 0)
            throw new AdjointException(
                $"DataLoader: the number of batches to prefetch must not be negative: found {options.Prefetch}");
        if (options.Workers < 1)
            throw new AdjointException($"DataLoader: the number of workers must be positive: found {options.Workers}");
        if (options is { Shuffle: true, Sampler: not null })
            throw new AdjointException("DataLoader: Shuffle and a Sampler both choose the order; leave one out");
        if (dataset is StreamingDataset && (options.Shuffle || options.Sampler is not null))
            throw new AdjointException(
                $"DataLoader: {dataset.Name} is a stream, which comes in its own order: leave out Shuffle and Sampler; "
                + "its ShuffleBuffer mixes it");
        transforms = new(dataset, [.. options.Transforms], options.Seed);
        batchTransforms = [.. options.BatchTransforms];
        (this.dataset, this.options, BatchSize) = (dataset, options, batchSize);
        sampler = options.Sampler ?? (options.Shuffle
            ? new RandomSampler(dataset.Count, options.Seed)
            : new SequentialSampler(dataset.Count));
    }

    /// <summary>The data set whose samples are loaded.</summary>
    public Dataset Dataset => dataset;

    /// <summary>The fields of the samples in a batch: those of the data set, after the transforms.</summary>
    internal IReadOnlyList<Field> Fields => transforms.Fields;

    /// <summary>The number of samples per batch; the last one may have fewer.</summary>
    public int BatchSize { get; }

    /// <summary>The number of the next pass, from 0 on, which decides its order; each pass increases it.</summary>
    public int Epoch { get; set; }

    /// <summary>
    /// The batch with which the next pass begins, to resume in the middle of one; 0 again afterwards.
    /// </summary>
    /// <exception cref="AdjointException">The value is negative.</exception>
    public int Start
    {
        get => start;
        set => start = value >= 0
            ? value
            : throw new AdjointException($"DataLoader: Start must not be negative: found {value}");
    }

    /// <summary>
    /// The number of batches per pass: 0 where the last batch is dropped and there are fewer samples than one takes.
    /// </summary>
    public int Count => options.DropLast
        ? sampler.Count / BatchSize
        : (int)(((long)sampler.Count + BatchSize - 1) / BatchSize);

    /// <summary>The number of samples per pass.</summary>
    public int SampleCount => options.DropLast ? Count * BatchSize : sampler.Count;

    /// <summary>The number of batches in several passes, for a <see cref="Optim.Schedule"/>.</summary>
    /// <param name="epochs">The number of passes, 0 or more.</param>
    /// <returns>The number of batches in all.</returns>
    /// <exception cref="AdjointException">The number of passes is negative.</exception>
    public long StepsIn(int epochs) => epochs >= 0
        ? (long)Count * epochs
        : throw new AdjointException($"DataLoader: the number of epochs must not be negative: found {epochs}");

    /// <summary>What decides which samples come when, and how they are changed, by name.</summary>
    internal IEnumerable<(string Name, string Value)> Facts()
    {
        yield return ("pass", $"{Epoch}");
        yield return ("seed", $"{options.Seed}");
        yield return ("DropLast", $"{options.DropLast}");
        yield return ("transforms", string.Join(", ", transforms.Names.Concat(
            batchTransforms.Select(one => one.GetType().Name))));
        yield return ("collate", options.Collate?.GetType().Name ?? "none");
        // FNV-1a, which is the same in every process.
        var (order, digest) = (sampler.Order(Epoch), 14695981039346656037ul);
        for (var i = 0; i < order.Count; i++) digest = unchecked((digest ^ (uint)order[i]) * 1099511628211ul);
        yield return ("order", $"{sampler.GetType().Name} {digest:x16}");
    }

    /// <summary>Refuses a loader from which nothing could be learned.</summary>
    /// <exception cref="AdjointException">A pass has no batch.</exception>
    internal void RequireBatches(string who)
    {
        if (Count > 0) return;
        throw new AdjointException(dataset.Count == 0
            ? $"{who}: the data set {dataset.Name} has no samples, so there is nothing to train on"
            : $"{who}: the {dataset.Count} samples of {dataset.Name} do not fill a batch of {BatchSize}, and "
                + $"dropLast leaves the rest out: nothing would be trained; use a smaller batch or dropLast: false");
    }

    /// <summary>How long the reader has waited for batches in all: near 0 unless loading slows training down.</summary>
    public TimeSpan WaitTime { get; private set; }

    /// <inheritdoc/>
    public IEnumerator<Batch> GetEnumerator()
    {
        return Whole(Begin(ShardRange.Whole));

        static IEnumerator<Batch> Whole(IEnumerator<ShardedBatch> pass)
        {
            using (pass)
                while (pass.MoveNext()) yield return pass.Current.Shards[0]!;
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>
    /// The next pass over some logical shards of each batch: of a data set, the samples of others are not read. Random
    /// transforms of batches see each shard as a batch: they depend on seed, epoch and the shard's number of the pass.
    /// </summary>
    internal ShardedPass InShards(ShardRange range) => new(this, range);

    /// <summary>Begins the next pass.</summary>
    internal IEnumerator<ShardedBatch> Begin(ShardRange range)
    {
        var order = sampler.Order(Epoch);
        if (order.Count != sampler.Count)
            throw new AdjointException(
                $"DataLoader: {sampler.GetType().Name} gave {order.Count} samples for epoch {Epoch}, and its Count is "
                + $"{sampler.Count}; they must agree");
        var (epoch, first) = (Epoch++, Start);
        Start = 0;
        return options.Prefetch == 0 ? Direct(order, range, epoch, first) : Ahead(order, range, epoch, first);
    }

    private IEnumerator<ShardedBatch> Direct(IReadOnlyList<int> order, ShardRange range, int epoch, int first)
    {
        using var stream = Open(epoch, first);
        for (var batch = first; batch < Count; batch++)
            yield return Make(order, stream is null ? null : Take(stream, range, batch), range, epoch, batch);
    }

    private IEnumerator<ShardedBatch> Ahead(IReadOnlyList<int> order, ShardRange range, int epoch, int first)
    {
        using var stream = Open(epoch, first);
        using var stop = new CancellationTokenSource();
        var (pending, next) = (new List<Task<ShardedBatch>>(), first);
        // Of a stream, what was read last: one batch is read after another, however many are made at once.
        var read = Task.FromResult<Sample[]>([]);
        try
        {
            for (var batch = first; batch < Count; batch++)
            {
                Begin();
                var made = pending[0];
                var began = Stopwatch.GetTimestamp();
                var ready = made.GetAwaiter().GetResult();
                WaitTime += Stopwatch.GetElapsedTime(began);
                pending.RemoveAt(0);
                Begin();
                yield return ready;
            }
        }
        finally
        {
            // Also when the loop is left early: nothing may read the data set any more.
            stop.Cancel();
            Task.WhenAll([.. pending, read]).ContinueWith(_ => { }, TaskScheduler.Default).Wait();
        }

        // As many at once as there are workers: each waits for the one so many before it.
        void Begin()
        {
            for (; next < Count && pending.Count < options.Prefetch; next++)
            {
                var batch = next;
                Task before = pending.Count < options.Workers ? Task.CompletedTask : pending[^options.Workers];
                if (stream is null)
                {
                    pending.Add(After(before, () => Make(order, null, range, epoch, batch)));
                    continue;
                }
                // Without the token, with which the last would end before the one that is being read.
                var samples = read = read.ContinueWith(
                    _ => stop.IsCancellationRequested ? [] : Take(stream, range, batch), TaskScheduler.Default);
                pending.Add(After(Task.WhenAll(before, samples),
                    () => Make(order, samples.GetAwaiter().GetResult(), range, epoch, batch)));
            }
        }

        Task<T> After<T>(Task before, Func<T> make) =>
            before.ContinueWith(_ => make(), stop.Token, TaskContinuationOptions.None, TaskScheduler.Default);
    }

    private IEnumerator<Sample>? Open(int epoch, int first) => dataset is StreamingDataset stream
        ? stream.Pass(epoch, (int)Math.Min(int.MaxValue, (long)first * BatchSize)).GetEnumerator()
        : null;

    private int SizeOf(int number) => Math.Min(BatchSize, sampler.Count - number * BatchSize);

    // A stream is read whole, since there is no way around; what belongs to others is let go.
    private Sample[] Take(IEnumerator<Sample> stream, ShardRange range, int number)
    {
        var size = SizeOf(number);
        var (first, end) = (range.SamplesOf(range.First, size).First, range.SamplesOf(range.End - 1, size).End);
        var samples = new Sample[end - first];
        for (var i = 0; i < size; i++)
        {
            stream.MoveNext();
            if (i >= first && i < end) samples[i - first] = stream.Current;
        }
        return samples;
    }

    private ShardedBatch Make(IReadOnlyList<int> order, Sample[]? read, ShardRange range, int epoch, int number)
    {
        var (size, shards) = (SizeOf(number), new Batch?[range.Length]);
        var before = range.SamplesOf(range.First, size).First;
        for (var i = 0; i < shards.Length; i++)
        {
            var (first, end) = range.SamplesOf(range.First + i, size);
            if (first == end) continue;
            var indices = new int[end - first];
            for (var at = first; at < end; at++)
                indices[at - first] = read is null ? order[number * BatchSize + at] : read[at - before].Position;
            shards[i] = Change(
                read is null
                    ? transforms.Load(indices, epoch, options.Collate)
                    : transforms.Load(read[(first - before)..(end - before)], epoch, options.Collate),
                indices, epoch, unchecked(number * range.Count + range.First + i));
        }
        return new(size, range, shards);
    }

    private Batch Change(Batch batch, int[] indices, int epoch, int number)
    {
        for (var t = 0; t < batchTransforms.Length; t++)
        {
            var random = new SampleRandom(options.Seed, epoch, number, SampleRandom.OfBatches + t);
            batch = batchTransforms[t].Apply(batch, ref random);
        }
        return new(batch.Names.Zip(batch.Tensors)) { Indices = indices };
    }
}
