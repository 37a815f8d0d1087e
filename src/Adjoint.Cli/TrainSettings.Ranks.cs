using Adjoint.Experiments;

namespace Adjoint.Cli;

/// <content>How a batch is shared among the ranks: the processes that train one network together.</content>
internal static partial class TrainSettings
{
    /// <summary>The shards of a batch on several ranks: 1, 2, 3, 4, 6 or 12 ranks get equally many.</summary>
    internal const int UsualShards = 12;

    // With 1 a batch is not cut: the bits are those of a run that knows nothing of ranks. Several ranks choose at the
    // start (RankSettings), and the run keeps what they chose, however many go on with it.
    internal static readonly NumberSetting<int> Shards = new("shards")
    {
        Group = Ranks,
        Help = "Parts of a batch, which the ranks share; the result depends on it, but not on the number of ranks.",
        Range = new() { AtLeast = 1, AtMost = 65_536 },
        Default = new($"1; on several ranks {UsualShards}, or one for each if there are more", _ => 1),
        IsOmittedAtDefault = true,
        Conflict = s => s.Get(Shards!) is var shards && shards <= s.Get(BatchSize!) ? null
            : $"{shards} shards of a batch of {s.Get(BatchSize!)}: some would have no sample; "
                + $"use at most {s.Get(BatchSize!)}, or a larger --batch-size",
    };

    internal static readonly TextSetting BatchNorm = new("batch-norm")
    {
        Group = Ranks,
        Help = "What batch norm takes its mean over, each shard or the whole batch (then each rank has one shard):",
        Choices = ["shard", "sync"],
        Default = "shard",
        Off = "shard",
        IsOmittedAtDefault = true,
        Idle = s => HasBatchNorm(s.Get(Model)) ? null
            : $"does nothing for --model {s.Get(Model)}, which has no batch norm",
    };

    // The sums are the same, only kept elsewhere.
    internal static readonly FlagSetting ShardOptimizer = new("shard-optimizer")
    {
        Group = Ranks,
        Help = "Each rank keeps the optimizer's state of a part of the weights only (ZeRO-1); the result is the same.",
        AffectsResult = false,
        IsOmittedAtDefault = true,
    };

    /// <summary>Whether a network has layers whose outputs depend on the other samples of a batch.</summary>
    private static bool HasBatchNorm(string model) => model.EndsWith("_bn", StringComparison.Ordinal)
        || ((string[])["resnet", "speednet", "shufflenet", "mobilenet", "efficientnet"])
            .Any(family => model.StartsWith(family, StringComparison.Ordinal));
}
