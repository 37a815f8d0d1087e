using System.Diagnostics;
using System.Text;
using Adjoint.Distributed;

namespace Adjoint.Training;

/// <summary>What the ranks do with their time, epoch by epoch.</summary>
internal sealed class RankClock(Communicator communicator)
{
    private readonly List<RankEpoch> epochs = [];
    private CommunicationStatistics before, after;
    private long began, ended, samples;
    private TimeSpan computed;

    /// <summary>All ranks of all epochs so far.</summary>
    internal IReadOnlyList<RankEpoch> Epochs => epochs;

    /// <summary>Begins a run.</summary>
    internal void Clear()
    {
        epochs.Clear();
        BeginEpoch();
    }

    internal void BeginBatch()
    {
        if (began != 0) return;
        (began, before) = (Stopwatch.GetTimestamp(), communicator.Statistics);
    }

    /// <summary>Notes the time of a forward and a backward pass.</summary>
    internal void Computed(TimeSpan time) => computed += time;

    /// <summary>Notes the samples of a batch that this rank computed with.</summary>
    internal void EndBatch(int count)
    {
        samples += count;
        EndStep();
    }

    /// <summary>Notes that training has come to here.</summary>
    internal void EndStep() => (ended, after) = (Stopwatch.GetTimestamp(), communicator.Statistics);

    /// <summary>Tells all ranks what each did, and compares their models.</summary>
    /// <param name="epoch">The epoch that has ended.</param>
    /// <param name="digest">The digest of this rank's model.</param>
    /// <returns>What to throw where the models differ; null: they do not.</returns>
    internal AdjointException? EndEpoch(int epoch, string digest)
    {
        var all = communicator.AllGather("end of epoch", ToBytes(digest));
        var digests = new string[all.Length];
        for (var rank = 0; rank < all.Length; rank++)
        {
            using var reader = new BinaryReader(new MemoryStream(all[rank]), Encoding.UTF8);
            digests[rank] = reader.ReadString();
            var row = new RankEpoch(epoch, rank, communicator.Hosts[rank], reader.ReadInt64(), reader.ReadDouble(),
                reader.ReadDouble(), reader.ReadDouble(), reader.ReadDouble(), reader.ReadInt64());
            if (epoch > 0) epochs.Add(row);
        }
        BeginEpoch();
        var other = Array.FindIndex(digests, one => one != digests[0]);
        return other < 0
            ? null
            : new(
                $"DataParallel: the model of rank {other} on {communicator.Hosts[other]} differs from that of rank 0 "
                + $"on {communicator.Hosts[0]} after epoch {epoch}; all ranks must change it alike: look for a "
                + "callback that changes it on some ranks only, or by chance");
    }

    private void BeginEpoch() => (began, samples, computed) = (0, 0, default);

    private byte[] ToBytes(string digest)
    {
        var (seconds, cost) = began == 0
            ? (0, default)
            : (Stopwatch.GetElapsedTime(began, ended).TotalSeconds, after - before);
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream, Encoding.UTF8);
        writer.Write(digest);
        writer.Write(samples);
        writer.Write(seconds > 0 ? samples / seconds : 0);
        writer.Write(computed.TotalSeconds);
        writer.Write(cost.WaitTime.TotalSeconds);
        writer.Write(cost.HiddenTime.TotalSeconds);
        writer.Write(cost.BytesSent);
        writer.Flush();
        return stream.ToArray();
    }
}
