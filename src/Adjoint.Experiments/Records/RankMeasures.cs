namespace Adjoint.Experiments;

/// <summary>What one rank of a run did in an epoch, or in several.</summary>
/// <param name="Rank">The number of the rank, from 0 on.</param>
/// <param name="Host">The machine that it ran on.</param>
/// <param name="SamplesPerSecond">How many training samples it learned from in a second.</param>
/// <param name="ComputeSeconds">How long it computed, in seconds.</param>
/// <param name="WaitSeconds">How long it was blocked by other ranks, in seconds.</param>
/// <param name="HiddenSeconds">How long something was carried while it computed, in seconds.</param>
/// <param name="Bytes">How many bytes it sent to other ranks.</param>
public sealed record RankMeasures(
    int Rank, string Host, double SamplesPerSecond, double ComputeSeconds, double WaitSeconds, double HiddenSeconds,
    long Bytes);
