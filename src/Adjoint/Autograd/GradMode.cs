namespace Adjoint;

/// <summary>Whether this thread records graphs.</summary>
public static class GradMode
{
    [ThreadStatic] private static bool disabled;

    /// <summary>Whether ops on this thread note how they were computed. On at first.</summary>
    public static bool IsEnabled { get => !disabled; internal set => disabled = !value; }
}

/// <summary>No graph is recorded on this thread until it is disposed: <c>using (new NoGrad()) { … }</c>.</summary>
public readonly struct NoGrad : IDisposable
{
    private readonly bool restore;

    /// <summary>Stops recording.</summary>
    public NoGrad()
    {
        restore = GradMode.IsEnabled;
        GradMode.IsEnabled = false;
    }

    /// <summary>Goes back to what was before.</summary>
    public void Dispose() => GradMode.IsEnabled = restore;
}
