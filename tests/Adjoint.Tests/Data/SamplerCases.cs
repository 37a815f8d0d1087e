using Adjoint.Data;

namespace Adjoint.Tests.Data;

/// <summary>A row of the table of samplers.</summary>
/// <param name="Name">That of the type, and after a comma what is special.</param>
/// <param name="Create">From seed and number of samples, for batches of <see cref="SamplerCases.BatchSize"/>.</param>
/// <param name="IsPermutation">Whether every sample comes once in a pass.</param>
/// <param name="IsRandom">Whether passes and seeds differ.</param>
internal sealed record SamplerCase(
    string Name, Func<ulong, int, Sampler> Create, bool IsPermutation = true, bool IsRandom = true);

/// <summary>The table of samplers; what follows from a row is in <see cref="SamplerTests"/>.</summary>
internal static class SamplerCases
{
    internal const int BatchSize = 8;

    internal static IReadOnlyList<SamplerCase> All { get; } =
    [
        new("SequentialSampler", (_, count) => new SequentialSampler(count), IsRandom: false),
        new("RandomSampler", (seed, count) => new RandomSampler(count, seed)),
        new("WeightedSampler", (seed, count) => new WeightedSampler([.. Enumerable.Range(1, count)
            .Select(i => (double)i)], seed: seed), IsPermutation: false),
        new("WeightedSampler, twice as many", (seed, count) => new WeightedSampler([.. Enumerable.Range(1, count)
            .Select(i => (double)i)], 2 * count, seed), IsPermutation: false),
        new("LengthSampler", (seed, count) => new LengthSampler([.. Enumerable.Range(0, count).Select(LengthOf)],
            BatchSize, seed: seed)),
        new("LengthSampler, small pools", (seed, count) => new LengthSampler(
            [.. Enumerable.Range(0, count).Select(LengthOf)], BatchSize, 2, seed)),
    ];

    internal static int LengthOf(int sample) => 1 + sample * 37 % 50;
}
