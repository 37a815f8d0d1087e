namespace Adjoint;

/// <summary>Whether this thread records graphs.</summary>
public static class GradMode
{
    /// <summary>Whether ops on this thread note how they were computed. On at first.</summary>
    public static bool IsEnabled => !Execution.Current.NoGrad.IsOn;
}

/// <summary>
/// No graph is recorded on this thread until it is disposed: <c>using (new NoGrad()) { … }</c>. It belongs to the
/// thread, so the compiler refuses an
/// <c>await</c> inside: see <c>docs/threads.md</c>.
/// </summary>
public readonly ref struct NoGrad : IDisposable
{
    private readonly int ticket;

    /// <summary>Stops recording.</summary>
    public NoGrad() => ticket = Execution.Current.NoGrad.Begin();

    /// <summary>Goes back to what was before.</summary>
    public void Dispose() => Execution.Current.NoGrad.End(ticket);
}
