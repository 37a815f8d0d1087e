using System.Text;
using Adjoint.Distributed;

namespace Adjoint.Training;

/// <summary>What a rank tells the others of a batch, so that all decide alike.</summary>
internal sealed class BatchReport
{
    /// <summary>Whether somebody asked this rank to end.</summary>
    internal bool IsEnding { get; init; }

    /// <summary>Whether this rank finds it time for a checkpoint.</summary>
    internal bool IsDue { get; init; }

    /// <summary>The trainer's factor of all learning rates.</summary>
    internal double RateFactor { get; init; }

    /// <summary>Loss and weight of each shard of the rank that has samples, in order.</summary>
    internal List<(double Loss, double Weight)> Losses { get; } = [];

    /// <summary>The first loss that is not finite; null: all are.</summary>
    internal double? Bad { get; set; }

    /// <summary>What made it so; null: this rank does not know.</summary>
    internal string? Cause { get; set; }

    /// <summary>Gives each rank the reports of all, by rank.</summary>
    internal static BatchReport[] Exchange(Communicator communicator, BatchReport own) =>
        communicator.Size == 1
            ? [own]
            : [.. communicator.AllGather("losses and decisions", own.ToBytes()).Select(FromBytes)];

    private byte[] ToBytes()
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream, Encoding.UTF8);
        writer.Write(IsEnding);
        writer.Write(IsDue);
        writer.Write(RateFactor);
        writer.Write(Losses.Count);
        foreach (var (loss, weight) in Losses)
        {
            writer.Write(loss);
            writer.Write(weight);
        }
        writer.Write(Bad is not null);
        writer.Write(Bad ?? 0);
        writer.Write(Cause is not null);
        writer.Write(Cause ?? "");
        writer.Flush();
        return stream.ToArray();
    }

    private static BatchReport FromBytes(byte[] bytes)
    {
        using var reader = new BinaryReader(new MemoryStream(bytes), Encoding.UTF8);
        var report = new BatchReport
        {
            IsEnding = reader.ReadBoolean(),
            IsDue = reader.ReadBoolean(),
            RateFactor = reader.ReadDouble(),
        };
        for (var left = reader.ReadInt32(); left > 0; left--)
            report.Losses.Add((reader.ReadDouble(), reader.ReadDouble()));
        var (isBad, bad) = (reader.ReadBoolean(), reader.ReadDouble());
        var (hasCause, cause) = (reader.ReadBoolean(), reader.ReadString());
        (report.Bad, report.Cause) = (isBad ? bad : null, hasCause ? cause : null);
        return report;
    }
}
