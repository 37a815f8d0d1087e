namespace Adjoint.Distributed;

/// <summary>
/// One message under way, sent or to be received: what <see cref="Transport.Send"/> and
/// <see cref="Transport.Receive"/> give, and <see cref="Transport.IsDone"/> takes. Each transport has its own kind.
/// </summary>
public abstract class Transfer;
