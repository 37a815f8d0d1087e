namespace Adjoint;

/// <summary>
/// A switch of one thread that scopes turn on. The scope that found it off holds it, and it goes off when that one
/// ends: an end that comes late, twice or in another order changes nothing for good.
/// </summary>
internal struct ScopeSwitch
{
    private int holder, last;

    internal readonly bool IsOn => holder != 0;

    /// <summary>Turns it on; returns the ticket of the holder, 0 for a scope that found it on.</summary>
    internal int Begin() => IsOn ? 0 : holder = ++last;

    /// <summary>Turns it off, where the ticket is the holder's.</summary>
    internal void End(int ticket)
    {
        if (ticket != 0 && ticket == holder) holder = 0;
    }

    /// <summary>Turns it on or off, whoever holds it; returns what <see cref="Restore"/> needs.</summary>
    internal int Override(bool on)
    {
        var before = holder;
        holder = !on ? 0 : before != 0 ? before : ++last;
        return before;
    }

    internal void Restore(int before) => holder = before;
}
