namespace Adjoint;

/// <summary>
/// While one lives, every op on this thread notes its node, whether or not an input requires a gradient and whatever
/// the
/// types: the whole graph from the inputs on, for those who walk it, to show it or to write it to a file:
/// <c>using (new RecordGraph()) { y = model.Forward(x); }</c>. Gradients are as without it. Nothing is noted where
/// <see cref="NoGrad"/> is on. It belongs to the thread, so the compiler refuses an <c>await</c> inside: see
/// <c>docs/threads.md</c>.
/// </summary>
/// <remarks>
/// A tensor that was noted only for this has a <see cref="Tensor.Source"/> and does not require a gradient. What it was
/// made of stays in memory as long as it does: <c>Backward()</c> recycles none of it. It becomes a leaf where it is
/// asked for a gradient (<see cref="Tensor.RequireGrad"/>) or written in place.
/// </remarks>
public readonly ref struct RecordGraph : IDisposable
{
    private readonly int ticket;

    /// <summary>Starts noting.</summary>
    public RecordGraph() => ticket = Execution.Current.RecordGraph.Begin();

    /// <summary>Goes back to what was before.</summary>
    public void Dispose() => Execution.Current.RecordGraph.End(ticket);
}
