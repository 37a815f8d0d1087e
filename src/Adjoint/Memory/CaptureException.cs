namespace Adjoint;

/// <summary>A function cannot be captured. The message says what in it cannot be replayed.</summary>
/// <param name="reason">What cannot be replayed, as a clause.</param>
public sealed class CaptureException(string reason) : AdjointException(
    $"CapturedFunction: it cannot be captured: {reason}; take that out of the function, or allow fallBackToEager")
{
    /// <summary>What in the function cannot be replayed.</summary>
    public string Reason => reason;
}
