namespace Adjoint.Distributed;

/// <summary>How a <see cref="Communicator"/> behaves. All ranks take the same values.</summary>
public sealed record CommunicatorOptions
{
    /// <summary>
    /// Within what time a rank that died, that was stopped, or that cannot be reached is named. It does not limit how
    /// long a call may take: ranks that compute are heard of all the same. 10 s unless given.
    /// </summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);
}
