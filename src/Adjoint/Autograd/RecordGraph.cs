namespace Adjoint;

/// <summary>
/// While an instance lives, every op on this thread records its node, whether or not an input requires a gradient and
/// whatever the types: the whole graph from the inputs on, to show it or to write it to a file: <c>using (new
/// RecordGraph()) { y = model.Forward(x); }</c>. Gradients are as without it. Nothing is recorded within
/// <see cref="NoGrad"/>. It belongs to the thread, so the compiler refuses an <c>await</c> inside: see
/// <c>docs/threads.md</c>.
/// </summary>
/// <remarks>
/// A tensor that was recorded only for this has a <see cref="Tensor.Source"/> and does not require a gradient. Its
/// inputs stay in memory as long as it does: <c>Backward()</c> recycles none of them. It becomes a leaf when it is
/// asked for a gradient (<see cref="Tensor.RequireGrad"/>) or written in place.
/// </remarks>
public readonly ref struct RecordGraph : IDisposable
{
    private readonly int ticket;

    /// <summary>Starts recording every op of this thread.</summary>
    public RecordGraph() => ticket = Execution.Current.RecordGraph.Begin();

    /// <summary>Restores the mode that was set before.</summary>
    public void Dispose() => Execution.Current.RecordGraph.End(ticket);
}
