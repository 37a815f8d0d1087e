using Adjoint.Memory;

namespace Adjoint.Nn;

/// <summary>
/// What one part of a network makes on its way to its result, where no graph is recorded. Nobody but the part sees it,
/// so it goes back to the pool at once instead of waiting for the collector: inference leaves no garbage but its
/// results, and computes in memory that is still in the cache. What a hook sees, or a module from outside of this
/// library, may be kept there, and is left alone. Dispose it when the part is done.
/// </summary>
internal readonly ref struct Intermediates : IDisposable
{
    private const string ReleaseReason = "it was made on the way to a network's result, without gradients";

    // Stands for what was shown, so that the others stay where the parts around count them: no release touches it.
    private static readonly Storage Shown = Storage.Allocate(0, new());

    // None where it is not for the network to say what is over: where a graph is recorded, a captured step has a plan,
    // a backward pass lists what it makes, or someone watches every operation.
    private readonly Execution? execution;
    private readonly List<Storage>? outer;
    private readonly int start;

    private Intermediates(Execution execution, bool isPrivate)
    {
        (this.execution, outer, start) = (execution, execution.Allocated, execution.Intermediates.Count);
        execution.Allocated = isPrivate ? execution.Intermediates : null;
    }

    /// <summary>Begins a part; with <paramref name="isPrivate"/>, its code keeps nothing that it makes.</summary>
    internal static Intermediates Begin(Execution execution, bool isPrivate)
    {
        var isOpen = execution.Allocated is null || execution.Allocated == execution.Intermediates;
        return isOpen && execution.NoGrad.IsOn && execution.Arena is null && execution.Observer is null
            ? new(execution, isPrivate)
            : default;
    }

    /// <summary>Hands back what was made since the beginning but what is still <paramref name="needed"/>.</summary>
    internal void Release(params ReadOnlySpan<Tensor> needed)
    {
        if (execution?.Allocated is not { } made) return;
        var kept = start;
        for (var i = start; i < made.Count; i++)
            // The next part's, or the surrounding one's.
            if (IsOf(needed, made[i])) made[kept++] = made[i];
            else if (!made[i].IsKept) made[i].ReleaseUnlessShared(ReleaseReason);
        made.RemoveRange(kept, made.Count - kept);
    }

    /// <summary>Leaves these alone for good, and what is made from now on: code that may keep it runs.</summary>
    internal void Show(scoped ReadOnlySpan<Tensor?> inputs, scoped ReadOnlySpan<Tensor> outputs)
    {
        if (execution is null) return;
        foreach (var x in inputs)
            if (x is not null) LeaveAlone(execution.Intermediates, x.Storage);
        foreach (var y in outputs) LeaveAlone(execution.Intermediates, y.Storage);
        execution.Allocated = null;
    }

    private static bool IsOf(ReadOnlySpan<Tensor> tensors, Storage storage)
    {
        foreach (var tensor in tensors)
            if (tensor.Storage == storage) return true;
        return false;
    }

    private static void LeaveAlone(List<Storage> made, Storage storage)
    {
        var at = made.LastIndexOf(storage);
        if (at >= 0) made[at] = Shown;
    }

    public void Dispose()
    {
        if (execution is null) return;
        execution.Allocated = outer;
        if (outer is null) execution.Intermediates.RemoveRange(start, execution.Intermediates.Count - start);
    }
}
