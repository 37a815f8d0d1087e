namespace Adjoint.Distributed;

/// <summary>
/// The world is broken: a rank died, is silent, failed, ended early, or calls something else than the others. All ranks
/// that can be reached throw it, in the call in which they wait or at their next one.
/// </summary>
public sealed class RankFailureException : AdjointException
{
    internal RankFailureException(RankFailure failure) : base(failure.Message, failure.Cause!) =>
        (Rank, Host, Call, Step, Seconds) =
            (failure.Rank, failure.Host, failure.Place.Call, failure.Place.Step, failure.Seconds);

    /// <summary>The rank that failed.</summary>
    public int Rank { get; }

    /// <summary>The machine that it runs on; empty where it has never been heard of.</summary>
    public string Host { get; }

    /// <summary>The call in which it was when last heard of; empty where it was in none.</summary>
    public string Call { get; }

    /// <summary>The step at which it was when last heard of.</summary>
    public int Step { get; }

    /// <summary>
    /// How long it has been silent or, where it is not, how long it had been in its call, in seconds.
    /// </summary>
    public double Seconds { get; }
}
