namespace Adjoint.Nn;

/// <summary>
/// What every call of a module gets, whatever its signature: errors that say where in the model they arose, its place
/// in a trace, the guard of a captured step, memory that is handed back early, hooks. A struct, so that a layer's call
/// allocates nothing. Dispose it when the call is done.
/// </summary>
internal readonly ref struct ModuleCall : IDisposable
{
    private readonly Module module;
    private readonly TraceSession.ModuleScope stay;
    private readonly Intermediates intermediates;
    private readonly bool isOfLibrary;

    internal ModuleCall(Module module)
    {
        this.module = module;
        stay = TraceSession.Enter(module);
        var execution = Execution.Current;
        if (execution.Arena is { } recording) module.AssumeUnchanged(recording);
        isOfLibrary = module.GetType().Assembly == typeof(Module).Assembly;
        intermediates = Intermediates.Begin(execution, isPrivate: isOfLibrary);
    }

    /// <summary>Lets an error that leaves the module name it.</summary>
    internal void Explain(AdjointException error) => module.Explain(error);

    /// <summary>
    /// Ends the computation, and calls the hooks, which may replace the outputs: returns whether they did.
    /// </summary>
    internal bool End(scoped ReadOnlySpan<Tensor?> inputs, scoped Span<Tensor> outputs)
    {
        intermediates.Release(needed: outputs);
        var isHooked = module.HasForwardHooks;
        if (!isOfLibrary || isHooked) intermediates.Show(inputs, outputs);
        if (isHooked) module.CallForwardHooks(inputs, outputs);
        if (module.HasBackwardHooks) module.CallBackwardHooksAt(outputs);
        return isHooked;
    }

    public void Dispose()
    {
        intermediates.Dispose();
        stay.Dispose();
    }
}
