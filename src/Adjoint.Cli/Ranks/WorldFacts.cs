using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Adjoint.Data;
using Adjoint.Distributed;
using Adjoint.Experiments;

namespace Adjoint.Cli;

/// <summary>What must be the same on all ranks for one training to come of it.</summary>
internal static class WorldFacts
{
    // Of larger data sets so many samples are compared, and the number of all.
    private const int MostSamples = 4096, ChunkLength = 256;

    // Set by tests, which have no other build at hand.
    private const string VersionVariable = "ADJOINT_TEST_VERSION";

    /// <summary>Refuses ranks that were started differently, or that read other data.</summary>
    /// <exception cref="RanksException">There are some; the message says what differs.</exception>
    internal static void RequireAlike(this World world, SettingValues settings, DataSplits data)
    {
        if (world.Size == 1) return;
        IReadOnlyList<(string, string)> facts =
        [
            ("the version of Adjoint", Environment.GetEnvironmentVariable(VersionVariable) ?? LibraryVersion.Text),
            ("the runtime", ThisMachine.Runtime),
            .. settings.Identity().Select(row => ($"--{row.Name}", row.Value)),
            ("--shard-optimizer", settings.Get(TrainSettings.ShardOptimizer) ? "true" : "false"),
            ("the digest of the training samples", world.Together("digest", () => Digest(data.Train))),
            ("the digest of the validation samples", world.Together("digest", () => Digest(data.Validation))),
        ];
        try
        {
            world.Communicator.RequireAlike(facts);
        }
        catch (AdjointException problem) when (problem is not RankFailureException)
        {
            throw new RanksException(problem.Message, Tool.Failure);
        }
    }

    /// <summary>A digest of samples: all of them, or some thousands that are spread over many.</summary>
    internal static string Digest(Dataset data)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var count = Math.Min(MostSamples, data.Count);
        for (var start = 0; start < count; start += ChunkLength)
        {
            var batch = data.Load([.. Enumerable.Range(start, Math.Min(ChunkLength, count - start))
                .Select(i => (int)((long)i * data.Count / count))]);
            foreach (var field in data.Fields) Append(hash, batch[field.Name]);
        }
        return $"{Convert.ToHexStringLower(hash.GetHashAndReset())[..16]} of {data.Count}";
    }

    // Integers, or what float32 holds exactly, unless it is float64.
    private static void Append(IncrementalHash hash, Tensor values) => hash.AppendData(
        values.DType == DType.Int64 ? MemoryMarshal.AsBytes<long>(values.ToArray<long>())
        : values.DType == DType.Float64 ? MemoryMarshal.AsBytes<double>(values.ToArray<double>())
        : MemoryMarshal.AsBytes<float>(values.To(DType.Float32).ToArray<float>()));
}
