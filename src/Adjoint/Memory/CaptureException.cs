namespace Adjoint;

/// <summary>A step cannot be captured. The message says what in it cannot be replayed.</summary>
public sealed class CaptureException(string reason) : AdjointException($"CapturedStep: the step cannot be captured: {reason}; take that out of the step, or allow fallBackToEager")
{
    /// <summary>What cannot be replayed.</summary>
    public string Reason => reason;
}
