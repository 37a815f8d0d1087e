namespace Adjoint.Experiments;

/// <summary>What carries the trials of a sweep: this process, or a cluster.</summary>
public interface ISweepEngine
{
    /// <summary>Runs the trials that are not complete. A cancellation ends it soon; what was done is kept.</summary>
    /// <param name="trials">The trials, in the order in which they begin.</param>
    /// <param name="cancellation">Asks it to stop and keep what it has.</param>
    /// <returns>What was done, and what failed.</returns>
    /// <exception cref="AdjointException">It cannot begin.</exception>
    SweepSummary Run(IReadOnlyList<Trial> trials, CancellationToken cancellation = default);
}
