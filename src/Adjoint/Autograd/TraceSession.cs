using System.Diagnostics;

namespace Adjoint;

/// <summary>What a <see cref="Tracing"/> does between its beginning and its end.</summary>
internal sealed class TraceSession
{
    private readonly Execution execution;
    private readonly TraceSession? outer;
    private readonly Backend.Observation observation;
    private TraceScope? scope;
    private OpCost cost;
    private (string Op, bool IsBackward)? costOf;

    private TraceSession(Execution execution) =>
        (this.execution, outer, observation) = (execution, execution.Trace, Backend.Observe(Execute));

    internal static TraceSession Begin()
    {
        var execution = Execution.Current;
        return execution.Trace = new(execution);
    }

    /// <summary>Ends this session and those that began within it; one that has ended stays so.</summary>
    internal void End()
    {
        var session = execution.Trace;
        while (session is not null && session != this) session = session.outer;
        if (session is null) return;
        for (session = execution.Trace!; session != outer; session = session!.outer) session!.observation.Dispose();
        execution.Trace = outer;
    }

    /// <summary>Notes that a part of a network begins to compute; dispose the result when it is done.</summary>
    internal static ModuleScope Enter(object part)
    {
        if (Execution.Current.Trace is not { } session) return default;
        var before = session.scope;
        session.scope = new(part, before);
        return new(session, before);
    }

    /// <summary>Notes what an op cost, and on its node, where it has one, who applied it.</summary>
    internal void NoteForward(string op, OpNode? node)
    {
        var spent = TakeCost((op, false));
        if (node is null) return;
        var site = CallSite.Find();
        node.CalledAt = site.Outside;
        node.Trace = new(scope, site.Inside, spent);
    }

    /// <summary>Notes which gradients went through a node.</summary>
    internal void NoteGradients(OpNode node, ReadOnlySpan<Tensor?> gradients, Tensor?[] results)
    {
        var trace = Of(node);
        Tensor?[] contributions = [.. results.Select((result, i) => node.Needs(i) ? result : null)];
        foreach (var tensor in (ReadOnlySpan<Tensor?>)[.. gradients, .. contributions])
            if (tensor is not null) tensor.Storage.IsKept = true;
        (trace.Gradients, trace.Contributions) = (gradients.ToArray(), contributions);
    }

    /// <summary>Notes what a node's gradients cost.</summary>
    internal void NoteBackward(OpNode node) => Of(node).Backward = TakeCost((node.Op.Name, true));

    // A node made before tracing began has no line, no module and no cost of its forward pass.
    private static OpTrace Of(OpNode node) => node.Trace ??= new(null, node.CalledAt ?? "", default);

    private void Execute(PrimitiveCall call)
    {
        if (costOf != execution.Cause) (cost, costOf) = (default, execution.Cause);
        var start = Stopwatch.GetTimestamp();
        call.Run();
        cost = new(
            cost.Operations + 1, cost.Milliseconds + Stopwatch.GetElapsedTime(start).TotalMilliseconds,
            cost.Flops + call.Flops, cost.Bytes + call.Bytes);
    }

    // What others than ops compute, such as optimizers, is no op's.
    private OpCost TakeCost((string Op, bool IsBackward) of)
    {
        var taken = costOf == of ? cost : default;
        (cost, costOf) = (default, null);
        return taken;
    }

    /// <summary>The time within one call of a part.</summary>
    internal readonly struct ModuleScope(TraceSession? session, TraceScope? before) : IDisposable
    {
        public void Dispose()
        {
            if (session is not null) session.scope = before;
        }
    }
}
