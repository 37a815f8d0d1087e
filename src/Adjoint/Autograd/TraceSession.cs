using System.Diagnostics;

namespace Adjoint;

/// <summary>What a <see cref="Tracing"/> does between its beginning and its end.</summary>
internal sealed class TraceSession
{
    [ThreadStatic] private static TraceSession? current;
    private readonly TraceSession? outer;
    private readonly Backend.Observation observation;
    private TraceScope? scope;
    private OpCost cost;

    private TraceSession(TraceSession? outer) => (this.outer, observation) = (outer, Backend.Observe(Execute));

    internal static TraceSession Begin() => current = new(current);

    /// <summary>Ends this session and those that began within it; one that has ended stays so.</summary>
    internal void End()
    {
        for (var session = current; session is not null; session = session.outer)
            if (session == this)
            {
                current = outer;
                observation.Dispose();
                return;
            }
    }

    /// <summary>Notes that a part of a network begins to compute; dispose the result when it is done.</summary>
    internal static Stay Enter(object part)
    {
        if (current is not { } session) return default;
        var before = session.scope;
        session.scope = new(part, before);
        return new(session, before);
    }

    internal static void NoteForward(OpNode? node)
    {
        if (current is not { } session) return;
        var spent = session.TakeCost();
        if (node is null) return;
        var site = CallSite.Find();
        node.CalledAt = site.Outside;
        node.Trace = new(session.scope, site.Inside, spent);
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
        if (current is { } session) Of(node).Backward = session.TakeCost();
    }

    // A node made before tracing began has no line, no module and no cost of its forward pass.
    private static OpTrace Of(OpNode node) => node.Trace ??= new(null, node.CalledAt ?? "", default);

    private void Execute(Command command)
    {
        var start = Stopwatch.GetTimestamp();
        command.Run(CpuBackend.Instance);
        cost = new(
            cost.Operations + 1, cost.Milliseconds + Stopwatch.GetElapsedTime(start).TotalMilliseconds,
            cost.Flops + command.Flops, cost.Bytes + command.Bytes);
    }

    private OpCost TakeCost()
    {
        var taken = cost;
        cost = default;
        return taken;
    }

    /// <summary>The time within one call of a part.</summary>
    internal readonly struct Stay(TraceSession? session, TraceScope? before) : IDisposable
    {
        public void Dispose()
        {
            if (session is not null) session.scope = before;
        }
    }
}
