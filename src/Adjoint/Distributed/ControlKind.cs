namespace Adjoint.Distributed;

/// <summary>What a <see cref="ControlMessage"/> says.</summary>
internal enum ControlKind : byte
{
    /// <summary>The sender is there: its step, its call, and for how long it has been in it.</summary>
    Heartbeat,

    /// <summary>The world is broken: which rank failed, and why.</summary>
    Failure,

    /// <summary>The last message of a sender that ends in an orderly world.</summary>
    Goodbye,
}
