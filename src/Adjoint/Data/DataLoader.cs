using System.Collections;
using System.Diagnostics;
using System.Threading.Channels;

namespace Adjoint.Data;

/// <summary>
/// Batches of a data set. The order depends on seed and epoch alone, so it is the same for any number of threads.
/// Batches are prepared ahead on a background thread, random transforms included; these depend on seed, epoch and
/// sample alone.
/// </summary>
public sealed class DataLoader : IEnumerable<(Tensor Inputs, Tensor Labels)>
{
    private readonly Dataset dataset;
    private readonly bool shuffle;
    private readonly bool dropLast;
    private readonly ulong seed;
    private readonly int prefetch;
    private readonly Transform[] transforms;
    private int start;

    /// <summary>Creates a loader of batches.</summary>
    /// <param name="dataset">The samples to load.</param>
    /// <param name="batchSize">The number of samples per batch, 1 or more.</param>
    /// <param name="options">Order, seed, transforms and the like; null: the defaults.</param>
    /// <exception cref="AdjointException">
    /// The batch size or the number of batches to prefetch is out of range, or a transform does not fit the samples.
    /// </exception>
    public DataLoader(Dataset dataset, int batchSize, DataLoaderOptions? options = null)
    {
        options ??= new();
        if (batchSize < 1)
            throw new AdjointException($"DataLoader: the batch size must be positive: found {batchSize}");
        if (options.Prefetch < 0)
            throw new AdjointException(
                $"DataLoader: the number of batches to prefetch must not be negative: found {options.Prefetch}");
        transforms = [.. options.Transforms];
        foreach (var transform in transforms) transform.Check(dataset.SampleShape);
        (this.dataset, BatchSize) = (dataset, batchSize);
        (shuffle, seed, dropLast, prefetch) = (options.Shuffle, options.Seed, options.DropLast, options.Prefetch);
    }

    /// <summary>The data set whose samples are loaded.</summary>
    public Dataset Dataset => dataset;

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
    public int Count => dropLast ? dataset.Count / BatchSize : (int)(((long)dataset.Count + BatchSize - 1) / BatchSize);

    /// <summary>The number of samples per pass.</summary>
    public int SampleCount => dropLast ? Count * BatchSize : dataset.Count;

    /// <summary>The number of batches in several passes, for a <see cref="Optim.Schedule"/>.</summary>
    /// <param name="epochs">The number of passes, 0 or more.</param>
    /// <returns>The number of batches in all.</returns>
    /// <exception cref="AdjointException">The number of passes is negative.</exception>
    public long StepsIn(int epochs) => epochs >= 0
        ? (long)Count * epochs
        : throw new AdjointException($"DataLoader: the number of epochs must not be negative: found {epochs}");

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
    public IEnumerator<(Tensor Inputs, Tensor Labels)> GetEnumerator()
    {
        var order = shuffle
            ? new Generator(seed, (ulong)Epoch).Permutation(dataset.Count)
            : [.. Enumerable.Range(0, dataset.Count)];
        var (epoch, first) = (Epoch++, Start);
        Start = 0;
        return prefetch == 0 ? Direct(order, epoch, first) : Ahead(order, epoch, first);
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private IEnumerator<(Tensor, Tensor)> Direct(int[] order, int epoch, int first)
    {
        for (var batch = first; batch < Count; batch++) yield return Make(order, epoch, batch);
    }

    private IEnumerator<(Tensor, Tensor)> Ahead(int[] order, int epoch, int first)
    {
        var channel = Channel.CreateBounded<(Tensor, Tensor)>(
            new BoundedChannelOptions(prefetch) { SingleReader = true, SingleWriter = true });
        using var stop = new CancellationTokenSource();
        var producer = Task.Run(() => Produce(order, epoch, first, channel.Writer, stop.Token), CancellationToken.None);
        try
        {
            while (WaitFor(channel.Reader))
                while (channel.Reader.TryRead(out var batch))
                    yield return batch;
        }
        finally
        {
            // Also when the loop is left early: the producer must not outlive it.
            stop.Cancel();
            producer.Wait(CancellationToken.None);
        }
    }

    private bool WaitFor(ChannelReader<(Tensor, Tensor)> reader)
    {
        var began = Stopwatch.GetTimestamp();
        var more = reader.WaitToReadAsync(CancellationToken.None).AsTask().GetAwaiter().GetResult();
        WaitTime += Stopwatch.GetElapsedTime(began);
        return more;
    }

    private async Task Produce(int[] order, int epoch, int first, ChannelWriter<(Tensor, Tensor)> writer,
        CancellationToken stop)
    {
        try
        {
            for (var batch = first; batch < Count && !stop.IsCancellationRequested; batch++)
                await writer.WriteAsync(Make(order, epoch, batch), stop).ConfigureAwait(false);
            writer.Complete();
        }
        catch (OperationCanceledException)
        {
            writer.Complete();
        }
        catch (Exception error)
        {
            writer.Complete(error);
        }
    }

    private (Tensor, Tensor) Make(int[] order, int epoch, int batch)
    {
        var first = batch * BatchSize;
        var samples = order.AsSpan(first, Math.Min(BatchSize, order.Length - first));
        var (x, y) = dataset.Batch(samples);
        var values = x.Data<float>();
        var length = dataset.SampleShape.Elements;
        for (var t = 0; t < transforms.Length; t++)
            for (var i = 0; i < samples.Length; i++)
            {
                var random = new SampleRandom(seed, epoch, samples[i], t);
                transforms[t].Apply(values.Slice(i * length, length), dataset.SampleShape, ref random);
            }
        return (x, y);
    }
}
