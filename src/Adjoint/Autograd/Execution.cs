namespace Adjoint;

internal sealed partial class Execution
{
    private OpContext? spareContext;

    /// <summary>What <see cref="NoGrad"/> turns on.</summary>
    internal ScopeSwitch NoGrad;

    /// <summary>What <see cref="Adjoint.RecordGraph"/> turns on.</summary>
    internal ScopeSwitch RecordGraph;

    /// <summary>What <see cref="Adjoint.AnomalyMode"/> turns on.</summary>
    internal ScopeSwitch AnomalyMode;

    /// <summary>What the innermost <see cref="GradientCheckpoint"/> under way notes.</summary>
    internal CheckpointRegion? Checkpoint
    {
        get;
        set => StorageWatcher = field = value;
    }

    /// <summary>What the innermost <see cref="Tracing"/> notes.</summary>
    internal TraceSession? Trace { get; set; }

    /// <summary>For the next way back; null where there was none yet, or one is under way.</summary>
    internal BackwardPass? SparePass { get; set; }

    /// <summary>A context for one op; ops within ops take turns with their own.</summary>
    internal OpContext RentContext(bool isRecording)
    {
        var context = spareContext ?? new OpContext();
        spareContext = null;
        context.Begin(isRecording);
        return context;
    }

    /// <summary>For the next op.</summary>
    internal void ReturnContext(OpContext context)
    {
        context.End();
        spareContext = context;
    }
}
