namespace Adjoint;

/// <summary>
/// Finds out in one backward pass when the gradient of a leaf is complete: after the last node that takes the leaf was
/// passed, whether or not that had a gradient for it.
/// </summary>
internal sealed class ReadyLeaves
{
    private readonly Dictionary<Tensor, (int Uses, bool HasArrived)> left = [];
    private readonly IReadOnlySet<Tensor>? leaves;

    private ReadyLeaves(List<OpNode> nodes, IReadOnlySet<Tensor>? leaves)
    {
        this.leaves = leaves;
        foreach (var node in nodes)
            for (var i = 0; i < node.InputSpan.Length; i++)
            {
                if (!IsOf(node, i)) continue;
                var leaf = node.InputSpan[i];
                left[leaf] = (left.GetValueOrDefault(leaf).Uses + 1, false);
            }
    }

    /// <summary>Begins a pass; null where nobody listens.</summary>
    /// <param name="execution">The thread's.</param>
    /// <param name="nodes">The nodes that the pass goes through.</param>
    /// <param name="leaves">The leaves that get a gradient; null: all.</param>
    internal static ReadyLeaves? Begin(Execution execution, List<OpNode> nodes, IReadOnlySet<Tensor>? leaves)
    {
        var isHeard = execution.GradientListener is not null;
        if (execution.Arena is { } recording && recording.IsNew(typeof(ReadyLeaves)))
            recording.Assume(
                () => Execution.Current.GradientListener is not null == isHeard,
                "whether somebody is told when gradients are complete");
        return isHeard ? new(nodes, leaves) : null;
    }

    /// <summary>Notes that something was added to the gradient of a leaf.</summary>
    internal void NoteArrived(Tensor leaf) => left[leaf] = (left.GetValueOrDefault(leaf).Uses, true);

    /// <summary>Notes that the pass is done with a node.</summary>
    /// <param name="node">The node.</param>
    /// <param name="hooked">Leaves that get their gradient at the end of the pass.</param>
    internal void Pass(OpNode node, Dictionary<Tensor, Tensor> hooked)
    {
        for (var i = 0; i < node.InputSpan.Length; i++)
        {
            // A hook may freeze what was counted, or thaw what was not.
            if (!IsOf(node, i) || !left.TryGetValue(node.InputSpan[i], out var leaf)) continue;
            left[node.InputSpan[i]] = (leaf.Uses - 1, leaf.HasArrived);
            if (leaf.Uses == 1) Pass(node.InputSpan[i], hooked);
        }
    }

    /// <summary>Notes that nothing more will arrive at a leaf.</summary>
    internal void Pass(Tensor leaf, Dictionary<Tensor, Tensor> hooked)
    {
        if (left.GetValueOrDefault(leaf).HasArrived && !hooked.ContainsKey(leaf)) Tell(leaf);
    }

    /// <summary>Tells of a leaf whose gradient is complete.</summary>
    internal static void Tell(Tensor leaf)
    {
        if (leaf.PresentGrad is { } gradient)
            Backend.ShowHost(
                "GradientReady", gradient, now => Execution.Current.GradientListener?.Ready(leaf, now),
                () => Execution.Current.GradientListener?.Repeats(leaf));
    }

    private bool IsOf(OpNode node, int input) =>
        node.InputSpan[input] is { Source: null } leaf && node.Needs(input) && leaves?.Contains(leaf) != false;
}
