using System.Diagnostics;

namespace Adjoint;

/// <summary>What an op cost, forward or backward.</summary>
/// <param name="Operations">Operations of the backend.</param>
/// <param name="Milliseconds">Time in them.</param>
/// <param name="Flops">Floating-point operations of products and convolutions; 0 for what memory limits.</param>
/// <param name="Bytes">Bytes read and written at the least.</param>
public readonly record struct OpCost(int Operations, double Milliseconds, double Flops, double Bytes);

/// <summary>One call of a part of a network, a module, within a call of the part around it.</summary>
public sealed class TraceScope
{
    internal TraceScope(object part, TraceScope? outer) => (Part, Outer) = (part, outer);

    /// <summary>The module.</summary>
    public object Part { get; }

    /// <summary>The call that this one was made in; null for the outermost.</summary>
    public TraceScope? Outer { get; }
}

/// <summary>What tracing noted of one op node.</summary>
public sealed class OpTrace
{
    internal OpTrace(TraceScope? scope, string calledAt, OpCost forward) => (Scope, CalledAt, Forward) = (scope, calledAt, forward);

    /// <summary>The call of a module that applied the op; null outside of modules.</summary>
    public TraceScope? Scope { get; }

    /// <summary>The innermost line that is not part of an op: a module's, or the user's.</summary>
    public string CalledAt { get; }

    /// <summary>The cost of computing the value.</summary>
    public OpCost Forward { get; }

    /// <summary>The cost of the last backward pass through the node; null before the first.</summary>
    public OpCost? Backward { get; internal set; }

    /// <summary>The gradient of the output in the last backward pass; null where none arrived.</summary>
    public Tensor? Gradient { get; internal set; }

    /// <summary>What the rule gave for each input in the last backward pass, before it was added to what other nodes gave; null where none is needed.</summary>
    public IReadOnlyList<Tensor?> Contributions { get; internal set; } = [];
}

/// <summary>
/// While one lives, every op node of this thread notes which module and which line applied it, what it cost, and, on the way back, which gradients went
/// through it: <c>using (new Tracing()) { … }</c>; read them from <see cref="OpNode.Trace"/>. What was noted stays in memory as long as the graph. Slow.
/// </summary>
public sealed class Tracing : IDisposable
{
    [ThreadStatic] private static Tracing? current;
    private readonly Tracing? outer;
    private readonly Backend.Observation observation;
    private TraceScope? scope;
    private OpCost cost;

    /// <summary>Starts noting.</summary>
    public Tracing()
    {
        (outer, current) = (current, this);
        observation = Backend.Observe(Execute);
    }

    /// <summary>Stops noting.</summary>
    public void Dispose()
    {
        if (current != this) return;
        current = outer;
        observation.Dispose();
    }

    /// <summary>Notes that a part of a network begins to compute; dispose the result when it is done.</summary>
    internal static Stay Enter(object part)
    {
        if (current is not { } trace) return default;
        trace.scope = new(part, trace.scope);
        return new(trace);
    }

    internal static void NoteForward(OpNode? node)
    {
        if (current is not { } trace) return;
        var spent = trace.TakeCost();
        if (node is null) return;
        var site = CallSite.Find();
        node.CalledAt = site.Outside;
        node.Trace = new(trace.scope, site.Inside, spent);
    }

    internal static void NoteGradients(OpNode node, Tensor gradient, Tensor?[] results)
    {
        if (current is null) return;
        var trace = Of(node);
        Tensor?[] contributions = [.. results.Select((result, i) => node.Needs(i) ? result : null)];
        gradient.Storage.IsKept = true;
        foreach (var contribution in contributions)
            if (contribution is not null) contribution.Storage.IsKept = true;
        (trace.Gradient, trace.Contributions) = (gradient, contributions);
    }

    internal static void NoteBackward(OpNode node)
    {
        if (current is { } tracing) Of(node).Backward = tracing.TakeCost();
    }

    // A node made before tracing began has no line, no module and no cost of its forward pass.
    private static OpTrace Of(OpNode node) => node.Trace ??= new(null, node.CalledAt ?? "", default);

    private void Execute(Command command)
    {
        var start = Stopwatch.GetTimestamp();
        command.Run(CpuBackend.Instance);
        cost = new(cost.Operations + 1, cost.Milliseconds + Stopwatch.GetElapsedTime(start).TotalMilliseconds, cost.Flops + command.Flops, cost.Bytes + command.Bytes);
    }

    private OpCost TakeCost()
    {
        var taken = cost;
        cost = default;
        return taken;
    }

    /// <summary>The time within one call of a part.</summary>
    internal readonly struct Stay(Tracing? tracing) : IDisposable
    {
        public void Dispose()
        {
            if (tracing is not null) tracing.scope = tracing.scope?.Outer;
        }
    }
}
