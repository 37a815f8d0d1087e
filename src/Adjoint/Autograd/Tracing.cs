namespace Adjoint;

/// <summary>The cost of an op, forward or backward.</summary>
/// <param name="Operations">The number of backend operations.</param>
/// <param name="Milliseconds">The time spent in them, in milliseconds.</param>
/// <param name="Flops">
/// Floating-point operations of products and convolutions; 0 for what memory bandwidth limits.
/// </param>
/// <param name="Bytes">Bytes read and written, at least.</param>
public readonly record struct OpCost(int Operations, double Milliseconds, double Flops, double Bytes);

/// <summary>One call of a module, within the call of the module around it.</summary>
public sealed class TraceScope
{
    internal TraceScope(object part, TraceScope? outer) => (Part, Outer) = (part, outer);

    /// <summary>The module that was called.</summary>
    public object Part { get; }

    /// <summary>The call that this one was made in; null for the outermost.</summary>
    public TraceScope? Outer { get; }
}

/// <summary>What tracing recorded of one op node.</summary>
public sealed class OpTrace
{
    internal OpTrace(TraceScope? scope, string calledAt, OpCost forward) =>
        (Scope, CalledAt, Forward) = (scope, calledAt, forward);

    /// <summary>The call of a module that applied the op; null outside modules.</summary>
    public TraceScope? Scope { get; }

    /// <summary>The innermost line that is not part of an op: a module's, or the user's.</summary>
    public string CalledAt { get; }

    /// <summary>The cost of computing the value.</summary>
    public OpCost Forward { get; }

    /// <summary>The cost of the last backward pass through the node; null before the first.</summary>
    public OpCost? Backward { get; internal set; }

    /// <summary>
    /// The gradient of each output in the last backward pass, null where none arrived; empty where none arrived at all.
    /// </summary>
    public IReadOnlyList<Tensor?> Gradients { get; internal set; } = [];

    /// <summary>
    /// What the rule gave for each input in the last backward pass, before it was added to the contributions of other
    /// nodes; null where none is needed.
    /// </summary>
    public IReadOnlyList<Tensor?> Contributions { get; internal set; } = [];
}

/// <summary>
/// While an instance lives, every op node of this thread records which module and which line applied it, its cost, and,
/// in the backward pass, the gradients that went through it: <c>using (new Tracing()) { … }</c>; read them from
/// <see cref="OpNode.Trace"/>. The records stay in memory as long as the graph. Slow. It belongs to the thread, so the
/// compiler refuses an <c>await</c> inside: see <c>docs/threads.md</c>.
/// </summary>
public readonly ref struct Tracing : IDisposable
{
    private readonly TraceSession? session;

    /// <summary>Starts tracing the ops of this thread.</summary>
    public Tracing() => session = TraceSession.Begin();

    /// <summary>Restores the mode that was set before.</summary>
    public void Dispose() => session?.End();
}
