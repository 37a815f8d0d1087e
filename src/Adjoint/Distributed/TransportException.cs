namespace Adjoint.Distributed;

/// <summary>
/// A transport could not carry a message: the connection to the other rank is lost, or the message does not have the
/// length that the receiver asked for. A <see cref="Communicator"/> turns it into a
/// <see cref="RankFailureException"/>, which names the rank.
/// </summary>
public sealed class TransportException : AdjointException
{
    /// <summary>Creates the exception with its message.</summary>
    /// <param name="message">What the transport reports.</param>
    public TransportException(string message) : base(message) { }

    /// <summary>Creates the exception with its message and cause.</summary>
    /// <param name="message">What the transport reports.</param>
    /// <param name="inner">The exception that caused this one.</param>
    public TransportException(string message, Exception inner) : base(message, inner) { }
}
