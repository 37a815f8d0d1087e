namespace Adjoint.Memory;

/// <summary>
/// The buffers of the graph that was used up last. They stay readable until the next <c>Backward()</c> of the same run
/// of code: of what one thread does without an <c>await</c> that waits. When the run ends, nobody can know who reads
/// them next and on which thread: the collector takes them.
/// </summary>
internal struct LastGeneration
{
    private const string ReleaseReason =
        "the graph that made it went through Backward(), and a later Backward() on this thread recycled it";

    // Flows with the code; the thread is told when it turns from one run to another.
    private static readonly AsyncLocal<object?> Flowing = new(static change =>
    {
        if (change.ThreadContextChanged) Execution.Current.LastGeneration = default;
    });

    private List<Storage>? storages;
    private object? run;

    /// <summary>Hands what the run's graph before held back to the pool.</summary>
    internal void Replace(List<Storage>? next)
    {
        if (run is null || Flowing.Value != run)
            Flowing.Value = run = new object();
        else if (storages is { } last)
            foreach (var storage in last)
                if (!storage.IsKept) storage.ReleaseUnlessShared(ReleaseReason);
        storages = next;
    }
}
