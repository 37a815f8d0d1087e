namespace Adjoint.Distributed;

/// <summary>Why a world is broken: what each call throws from then on, as a new exception.</summary>
internal sealed record RankFailure(int Rank, string Host, Place Place, double Seconds, string Message)
{
    /// <summary>What caused it on this rank.</summary>
    public Exception? Cause { get; init; }

    /// <summary>Whether another rank told.</summary>
    public bool WasTold { get; init; }

    /// <summary>As it is told to other ranks.</summary>
    public ControlMessage ToMessage() =>
        new(ControlKind.Failure, AsksForReply: false, Rank, Place with { Seconds = Seconds }, Host, Message);

    /// <summary>As another rank told it.</summary>
    public static RankFailure From(ControlMessage message) =>
        new(message.Rank, message.Host, message.Place, message.Place.Seconds, message.Text) { WasTold = true };
}
