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

    /// <summary>The timeout, in seconds, of ranks that cannot read their options.</summary>
    internal const double UsualTimeout = 10;

    internal static readonly NumberSetting<double> Timeout = new("timeout")
    {
        Group = TrainSettings.Ranks,
        Help = "Seconds within which a rank that died, hangs or is cut off is named, and the others end.",
        Range = new() { AtLeast = 0.5, AtMost = 86_400 },
        Default = UsualTimeout,
    };

    internal static readonly NumberSetting<int> Ranks = new("ranks")
    {
        Group = TrainSettings.Ranks,
        Help = "Start this many ranks by mpirun, and watch over them.",
        Range = new() { AtLeast = 1, AtMost = 65_536 },
        Default = new("this process alone, or those that mpirun started", _ => 0),
    };

    internal static readonly NumberSetting<int> Restarts = new("restarts")
    {
        Group = TrainSettings.Ranks,
        Help = "How often --ranks starts them again, from the last checkpoint, when one dies or hangs.",
        Range = new() { AtLeast = 0, AtMost = 1000 },
        Default = 0,
    };

    internal static readonly TextSetting Mpirun = new("mpirun")
    {
        Group = TrainSettings.Ranks,
        Help = "How --ranks starts them: a command with options of its own, such as \"mpirun -H a:2,b:2\".",
        ValueName = "command",
        Default = new("mpirun of Open MPI or MPICH", _ => null!),
    };

    internal static readonly TextSetting Instructions = new("instructions")
    {
        Group = TrainSettings.Ranks,
        Help = "Instructions that all ranks of --ranks use, where processors differ "
            + "(v2: SSE4, v3: AVX2, v4: AVX-512):",
        Choices = InstructionSet.Levels,
        Default = new("those of the processor", _ => null!),
    };

    internal static readonly FlagSetting Quiet = new("quiet") { Help = "Show no progress." };

    /// <summary>A folder to write to.</summary>
    internal static TextSetting Out(string help, string fallback) =>
        new("out") { Help = help, ValueName = "folder", Default = new(fallback, _ => null!) };
}
