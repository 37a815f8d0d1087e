namespace Adjoint.Distributed;

/// <summary>How a <see cref="Communicator"/> behaves. All ranks take the same values.</summary>
public sealed record CommunicatorOptions
{
    /// <summary>
    /// Within what time a rank that died, that was stopped, or that cannot be reached is named. It does not limit how
    /// long a call may take: ranks that compute are heard of all the same. 10 s unless given.
    /// </summary>
    /// <exception cref="AdjointException">It is not positive.</exception>
    public TimeSpan Timeout
    {
        get;
        init => field = value > TimeSpan.Zero
            ? value
            : throw new AdjointException($"Communicator: the timeout must be positive: found {value}");
    } = TimeSpan.FromSeconds(10);
}
