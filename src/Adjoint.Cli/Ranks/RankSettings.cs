using Adjoint.Experiments;

namespace Adjoint.Cli;

/// <summary>How the settings of a training fit a world of ranks.</summary>
internal static class RankSettings
{
    /// <summary>
    /// The settings as several ranks train with them: where nobody chose how many shards a batch has, the world does,
    /// and the run keeps it, however many ranks go on with it.
    /// </summary>
    /// <param name="settings">All settings.</param>
    /// <param name="ranks">How many ranks there are.</param>
    /// <param name="hasShards">Whether the number of shards is given, by the user or by the run.</param>
    /// <exception cref="UsageException">So many ranks cannot share a batch.</exception>
    internal static SettingValues ForRanks(this SettingValues settings, int ranks, bool hasShards)
    {
        var batch = settings.Get(TrainSettings.BatchSize);
        var isSynchronous = settings.Get(TrainSettings.BatchNorm) == "sync";
        if (ranks > batch)
            throw new UsageException(
                $"--batch-size: {ranks} ranks cannot share batches of {batch}; use larger ones, or fewer ranks");
        if (!hasShards && ranks > 1)
            settings = settings.With(TrainSettings.Shards,
                isSynchronous ? ranks : Math.Min(Math.Max(TrainSettings.UsualShards, ranks), batch));
        var shards = settings.Get(TrainSettings.Shards);
        if (ranks > shards)
            throw new UsageException(
                $"--shards: {shards} cannot be shared by {ranks} ranks; begin a run with --shards {ranks} or more, "
                + $"or use {(shards == 1 ? "one rank" : $"at most {shards} ranks")}");
        return !isSynchronous || shards == ranks ? settings
            : throw new UsageException(
                $"--batch-norm: sync needs a rank for each of the {shards} shards; "
                + $"start {shards} rank{(shards == 1 ? "" : "s")}, or use --batch-norm shard");
    }
}
