namespace Adjoint;

/// <summary>
/// The checkpoints on the way of one backward pass: what each computed is there from its first node on to its last.
/// </summary>
internal sealed class CheckpointUses
{
    private readonly Dictionary<CheckpointRegion, int> left = [];
    private readonly HashSet<CheckpointRegion> open = [];

    internal CheckpointUses(List<OpNode> nodes)
    {
        foreach (var node in nodes)
            foreach (var region in CheckpointRegion.Around(node)) left[region] = left.GetValueOrDefault(region) + 1;
    }

    /// <summary>Makes sure that what a node reads is there.</summary>
    internal void Open(OpNode node)
    {
        foreach (var region in CheckpointRegion.Around(node))
            if (open.Add(region)) region.Acquire();
    }

    /// <summary>Notes that the pass is done with a node.</summary>
    /// <param name="node">The node.</param>
    /// <param name="keeps">Whether a graph of gradients goes on to read what it read.</param>
    internal void Pass(OpNode node, bool keeps)
    {
        foreach (var region in CheckpointRegion.Around(node))
            if (--left[region] == 0 && open.Remove(region)) region.Release(keeps);
    }

    /// <summary>Ends the pass, also where it failed.</summary>
    internal void Close()
    {
        foreach (var region in open) region.Release(keeps: false);
        open.Clear();
    }
}
