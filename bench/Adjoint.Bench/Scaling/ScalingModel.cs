namespace Adjoint.Bench;

/// <summary>A network as far as its exchange of gradients goes.</summary>
/// <param name="Name">What the tables call it.</param>
/// <param name="Parameters">Its float32 parameters.</param>
/// <param name="FlopsPerSample">Floating-point operations of a sample, forward and backward.</param>
/// <param name="Batch">Samples of a step, of all ranks together.</param>
internal sealed record ScaledNetwork(string Name, double Parameters, double FlopsPerSample, int Batch);

/// <summary>What a rank and its link give.</summary>
/// <param name="Flops">Floating-point operations a second that a rank reaches in training.</param>
/// <param name="Latency">Seconds that a message costs its sender, beside its bytes.</param>
/// <param name="Bandwidth">Bytes a second out of a rank while it receives as many.</param>
/// <param name="Additions">Bytes a second that a rank adds up, to finish the tree.</param>
internal sealed record ScaledMachine(double Flops, double Latency, double Bandwidth, double Additions);

/// <summary>
/// The time of a step on N ranks, from bytes, bandwidth, latency and overlap: docs/scaling.md derives it.
/// </summary>
/// <param name="network">What is trained.</param>
/// <param name="machine">The ranks.</param>
internal sealed class ScalingModel(ScaledNetwork network, ScaledMachine machine)
{
    // Backward is two thirds of a step, and its last bucket comes when nothing is left to hide it.
    private const double BackwardShare = 2.0 / 3;

    /// <summary>Messages to each other rank for each bucket: pieces and results, a header ahead of each.</summary>
    private const double MessagesPerPeer = 4;

    /// <summary>The bytes of a bucket.</summary>
    internal long BucketBytes { get; init; } = 4 << 20;

    private double Buckets => Math.Max(1, Math.Ceiling(4 * network.Parameters / BucketBytes));

    /// <summary>Seconds that one rank computes.</summary>
    internal double Compute(int ranks) => network.FlopsPerSample * network.Batch / ranks / machine.Flops;

    /// <summary>Bytes that a rank sends.</summary>
    /// <param name="ranks">The number of ranks N.</param>
    /// <param name="nodes">The nodes of the tree that cover a rank's shards; 1 where there is a shard for each.</param>
    internal double Bytes(int ranks, double nodes = 1) => 4 * network.Parameters * (nodes + 1) * (ranks - 1) / ranks;

    /// <summary>Seconds that the exchange takes by itself.</summary>
    internal double Exchange(int ranks, double nodes = 1)
    {
        if (ranks == 1) return 0;
        return Bytes(ranks, nodes) / machine.Bandwidth + Buckets * MessagesPerPeer * (ranks - 1) * machine.Latency
            + 4 * network.Parameters / machine.Additions;
    }

    /// <summary>Seconds of a step: what of the exchange does not fit beside backward comes on top.</summary>
    internal double Step(int ranks, double nodes = 1)
    {
        var (compute, exchange) = (Compute(ranks), Exchange(ranks, nodes));
        return compute + Math.Max(exchange / Buckets, exchange - BackwardShare * compute);
    }

    /// <summary>How much faster N ranks are than one, divided by N.</summary>
    internal double Efficiency(int ranks, double nodes = 1) => Step(1) / Step(ranks, nodes) / ranks;
}
