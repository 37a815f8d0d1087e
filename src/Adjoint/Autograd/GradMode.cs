namespace Adjoint;

/// <summary>Whether this thread records graphs.</summary>
public static class GradMode
{
    [ThreadStatic] private static ScopeSwitch off;

    /// <summary>Whether ops on this thread note how they were computed. On at first.</summary>
    public static bool IsEnabled => !off.IsOn;

    internal static int Disable() => off.Begin();

    internal static void EndOf(int ticket) => off.End(ticket);

    /// <summary>Records or not, whatever scopes say; returns what <see cref="Restore"/> needs.</summary>
    internal static int Override(bool isEnabled) => off.Override(!isEnabled);

    internal static void Restore(int before) => off.Restore(before);
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
    public NoGrad() => ticket = GradMode.Disable();

    /// <summary>Goes back to what was before.</summary>
    public void Dispose() => GradMode.EndOf(ticket);
}
