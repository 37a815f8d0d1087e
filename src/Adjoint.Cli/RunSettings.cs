using Adjoint.Experiments;
using Adjoint.Kernels;

namespace Adjoint.Cli;

/// <summary>What several commands can be told about how they run; no result depends on it.</summary>
internal static class RunSettings
{
    internal static readonly NumberSetting<double> CheckpointEvery = new("checkpoint-every")
    {
        Help = "Seconds between the checkpoints of a training.",
        Range = new() { AtLeast = 0, Below = 1_000_000 },
        Default = 60,
    };

    /// <summary>For studies: as many trainings at once as there are cores.</summary>
    internal static readonly NumberSetting<int> Jobs = new("jobs")
    {
        Help = "Trials that run at once.",
        Range = new() { AtLeast = 1, AtMost = 256 },
        Default = new("one for each core", _ => Workers.ThreadCount),
    };

    internal static readonly FlagSetting Quiet = new("quiet") { Help = "Show no progress." };

    /// <summary>A folder to write to.</summary>
    internal static TextSetting Out(string help, string fallback) =>
        new("out") { Help = help, ValueName = "folder", Default = new(fallback, _ => null!) };
}
