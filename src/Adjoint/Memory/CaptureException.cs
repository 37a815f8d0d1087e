namespace Adjoint;

/// <summary>A function cannot be captured. The message says what in it cannot be replayed.</summary>
public sealed class CaptureException(string reason) : AdjointException(
    $"CapturedFunction: it cannot be captured: {reason}; take that out of the function, or allow fallBackToEager")
{
    /// <summary>What cannot be replayed.</summary>
    public string Reason => reason;
}
