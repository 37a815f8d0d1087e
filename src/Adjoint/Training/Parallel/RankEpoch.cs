namespace Adjoint.Training;

/// <summary>What one rank did in one epoch.</summary>
/// <param name="Epoch">The epoch, from 1.</param>
/// <param name="Rank">The rank, from 0.</param>
/// <param name="Host">The machine that it runs on.</param>
/// <param name="Samples">The number of training samples that it computed with.</param>
/// <param name="SamplesPerSecond">The samples per second of the epoch, validation excluded.</param>
/// <param name="ComputeSeconds">The time of forward and backward passes, in seconds.</param>
/// <param name="WaitSeconds">The time that it was blocked by other ranks, in seconds.</param>
/// <param name="HiddenSeconds">
/// The time in which something was carried while it computed, so that it cost nothing, in seconds.
/// </param>
/// <param name="BytesSent">The bytes that it sent to other ranks.</param>
public sealed record RankEpoch(
    int Epoch, int Rank, string Host, long Samples, double SamplesPerSecond, double ComputeSeconds, double WaitSeconds,
    double HiddenSeconds, long BytesSent);
