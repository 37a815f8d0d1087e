using Adjoint.Memory;

namespace Adjoint;

/// <summary>
/// What a recording does to leaves from outside besides their memory: which gradients it looks at, sets and clears. A
/// replay begins where the recording began, or is none of it, and ends where it ended.
/// </summary>
internal sealed class LeafJournal(Arena arena, Func<int> now)
{
    private readonly Dictionary<Tensor, (Tensor? Gradient, bool IsOwn)> before = [];
    private readonly HashSet<Tensor> changed = [];
    private readonly HashSet<Tensor> born = [];
    private readonly List<Storage> cleared = [];
    private readonly List<(int At, Tensor Leaf, Tensor? Gradient)> writes = [];

    /// <summary>Leaves whose gradient was set or cleared.</summary>
    internal IEnumerable<Tensor> Changed => changed;

    /// <summary>Each of these, before which call of the recording it was, and which gradient was set.</summary>
    internal IEnumerable<(int At, Tensor Leaf, Tensor? Gradient)> Writes => writes;

    /// <summary>Notes a leaf that an operation takes, or whose flag is about to change.</summary>
    internal void NoteUse(Tensor leaf)
    {
        if (leaf.Source is not null || IsLocal(leaf) || !arena.IsNew(leaf)) return;
        var subject = $"whether {leaf.Name ?? "a leaf"} {leaf.Shape} requires a gradient, or its hooks";
        arena.NoteSwitch(() => leaf.RequiresGrad, on => leaf.RequiresGrad = on, subject);
        var hooks = leaf.Hooks?.ToArray() ?? [];
        arena.Assume(
            () => hooks.Length == 0 ? leaf.Hooks is not { Count: > 0 } : leaf.Hooks!.SequenceEqual(hooks), subject);
    }

    /// <summary>Notes a leaf that comes into being: only the function itself sees its gradient.</summary>
    internal void NoteBorn(Tensor leaf) => born.Add(leaf);

    /// <summary>Notes that a gradient is looked at: another may be there by the next call.</summary>
    internal void NoteRead(Tensor leaf, Tensor? gradient)
    {
        var isOwn = leaf.OwnsGrad;
        if (IsLocal(leaf) || !before.TryAdd(leaf, (gradient, isOwn))) return;
        arena.Assume(
            () => ReferenceEquals(leaf.PresentGrad, gradient) && leaf.OwnsGrad == isOwn,
            $"the gradient of {leaf.Name ?? "a leaf"} {leaf.Shape} that it begins with; call ZeroGrad() before the "
            + "first Backward() of it");
    }

    /// <summary>Notes that a gradient is about to be set or cleared.</summary>
    internal void NoteWrite(Tensor leaf, Tensor? gradient)
    {
        if (IsLocal(leaf)) return;
        writes.Add((now(), leaf, gradient));
        before.TryAdd(leaf, (leaf.PresentGrad, leaf.OwnsGrad));
        changed.Add(leaf);
    }

    /// <summary>
    /// Whether the memory of a gradient that is cleared has to stay until the recording ends, since a refusal would put
    /// it back.
    /// </summary>
    internal bool Defers(Storage gradient)
    {
        if (arena.IsMade(gradient)) return false;
        cleared.Add(gradient);
        return true;
    }

    /// <summary>Releases what was cleared.</summary>
    internal void Commit()
    {
        foreach (var gradient in cleared) gradient.Release("the gradient was cleared by ZeroGrad()");
    }

    /// <summary>Puts the gradients back that were there before.</summary>
    internal void Undo()
    {
        foreach (var leaf in changed) leaf.SetGrad(before[leaf].Gradient, before[leaf].IsOwn);
    }

    private bool IsLocal(Tensor leaf) => born.Contains(leaf) || arena.IsMade(leaf.Storage);
}
