namespace Adjoint.Distributed;

/// <summary>What a <see cref="Communicator"/> has carried since it was created, and what that cost.</summary>
/// <param name="BytesSent">Bytes that were sent to other ranks, without headers and heartbeats.</param>
/// <param name="BytesReceived">Bytes that were received from other ranks, without headers and heartbeats.</param>
/// <param name="Messages">Messages that were sent to other ranks, without heartbeats.</param>
/// <param name="WaitTime">How long callers were blocked.</param>
/// <param name="TransferTime">How long something was under way, or waited for another rank to take part.</param>
public readonly record struct CommunicationStatistics(
    long BytesSent, long BytesReceived, long Messages, TimeSpan WaitTime, TimeSpan TransferTime)
{
    /// <summary>How long something was under way while this rank computed: the part that cost no time.</summary>
    public TimeSpan HiddenTime => TransferTime > WaitTime ? TransferTime - WaitTime : TimeSpan.Zero;

    /// <summary>What came in between two moments.</summary>
    /// <param name="later">The later ones.</param>
    /// <param name="earlier">The earlier ones.</param>
    /// <returns>The later numbers less the earlier ones.</returns>
    public static CommunicationStatistics operator -(CommunicationStatistics later, CommunicationStatistics earlier) =>
        new(later.BytesSent - earlier.BytesSent, later.BytesReceived - earlier.BytesReceived,
            later.Messages - earlier.Messages, later.WaitTime - earlier.WaitTime,
            later.TransferTime - earlier.TransferTime);
}
