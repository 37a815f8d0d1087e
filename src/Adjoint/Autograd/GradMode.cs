namespace Adjoint;

/// <summary>Whether this thread records computation graphs.</summary>
public static class GradMode
{
    /// <summary>Whether ops on this thread record how their results were computed; true by default.</summary>
    public static bool IsEnabled => !Execution.Current.NoGrad.IsOn;
}

/// <summary>
/// While an instance lives, no graph is recorded on this thread: <c>using (new NoGrad()) { … }</c>. It belongs to the
/// thread, so the compiler refuses an <c>await</c> inside: see <c>docs/threads.md</c>.
/// </summary>
public readonly ref struct NoGrad : IDisposable
{
    private readonly int ticket;

    /// <summary>Stops recording graphs on this thread.</summary>
    public NoGrad() => ticket = Execution.Current.NoGrad.Begin();

    /// <summary>Restores the mode that was set before.</summary>
    public void Dispose() => Execution.Current.NoGrad.End(ticket);
}
