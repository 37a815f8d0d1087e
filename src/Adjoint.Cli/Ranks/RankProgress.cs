using System.Diagnostics;
using Adjoint.Training;

namespace Adjoint.Cli;

/// <summary>Tells the launcher about once a second how many steps are done.</summary>
internal sealed class RankProgress(World world) : Callback
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private long told;

    /// <inheritdoc/>
    public override void AfterBatch(Trainer trainer, StepInfo step)
    {
        if (told != 0 && Stopwatch.GetElapsedTime(told) < Interval) return;
        told = Stopwatch.GetTimestamp();
        world.Tell(RankEvent.Step, step: world.Communicator.Step);
    }
}
