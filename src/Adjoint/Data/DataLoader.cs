using System.Collections;
using System.Threading.Channels;

namespace Adjoint.Data;

/// <summary>
/// Batches of a data set. The order depends on the seed and the epoch alone, so it is the same for any number of threads. Batches are prepared
/// ahead on a background thread.
/// </summary>
public sealed class DataLoader : IEnumerable<(Tensor Inputs, Tensor Labels)>
{
    private readonly Dataset dataset;
    private readonly bool shuffle;
    private readonly bool dropLast;
    private readonly ulong seed;
    private readonly int prefetch;

    /// <summary>A loader.</summary>
    /// <exception cref="AdjointException">The batch size or the number of batches prepared ahead is out of range.</exception>
    public DataLoader(Dataset dataset, int batchSize, bool shuffle = false, ulong seed = 0, bool dropLast = false, int prefetch = 2)
    {
        if (batchSize < 1) throw new AdjointException($"DataLoader: the batch size must be positive: found {batchSize}");
        if (prefetch < 0) throw new AdjointException($"DataLoader: the number of batches prepared ahead must not be negative: found {prefetch}");
        (this.dataset, BatchSize, this.shuffle, this.seed, this.dropLast, this.prefetch) = (dataset, batchSize, shuffle, seed, dropLast, prefetch);
    }

    /// <summary>Samples per batch.</summary>
    public int BatchSize { get; }

    /// <summary>Which order comes next; goes up by one with each pass.</summary>
    public int Epoch { get; set; }

    /// <summary>Batches per pass.</summary>
    public int Count => dropLast ? dataset.Count / BatchSize : (dataset.Count + BatchSize - 1) / BatchSize;

    /// <summary>Samples per pass.</summary>
    public int SampleCount => dropLast ? Count * BatchSize : dataset.Count;

    /// <inheritdoc/>
    public IEnumerator<(Tensor Inputs, Tensor Labels)> GetEnumerator()
    {
        var order = shuffle ? new Generator(seed, (ulong)Epoch).Permutation(dataset.Count) : [.. Enumerable.Range(0, dataset.Count)];
        Epoch++;
        return prefetch == 0 ? Direct(order) : Ahead(order);
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private IEnumerator<(Tensor, Tensor)> Direct(int[] order)
    {
        for (var batch = 0; batch < Count; batch++) yield return Make(order, batch);
    }

    private IEnumerator<(Tensor, Tensor)> Ahead(int[] order)
    {
        var channel = Channel.CreateBounded<(Tensor, Tensor)>(new BoundedChannelOptions(prefetch) { SingleReader = true, SingleWriter = true });
        using var stop = new CancellationTokenSource();
        var producer = Task.Run(() => Produce(order, channel.Writer, stop.Token), CancellationToken.None);
        try
        {
            while (channel.Reader.WaitToReadAsync(CancellationToken.None).AsTask().GetAwaiter().GetResult())
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

    private async Task Produce(int[] order, ChannelWriter<(Tensor, Tensor)> writer, CancellationToken stop)
    {
        try
        {
            for (var batch = 0; batch < Count && !stop.IsCancellationRequested; batch++)
                await writer.WriteAsync(Make(order, batch), stop).ConfigureAwait(false);
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

    private (Tensor, Tensor) Make(int[] order, int batch)
    {
        var start = batch * BatchSize;
        return dataset.Batch(order.AsSpan(start, Math.Min(BatchSize, order.Length - start)));
    }
}
