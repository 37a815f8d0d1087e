namespace Adjoint.Bench;

/// <summary>Where the threads of a sample ran.</summary>
internal enum Cores
{
    /// <summary>One thread: nothing to tell apart.</summary>
    One,

    /// <summary>Two virtual processors on one physical core: two threads bring nothing.</summary>
    Together,

    /// <summary>Two virtual processors on two physical cores.</summary>
    Apart,

    /// <summary>They moved during the sample, or another process had one of them: it counts for nothing.</summary>
    Unclear,
}

/// <summary>Tells by the multiply-add peaks before and after a sample where its threads ran.</summary>
internal static class CoresRule
{
    /// <summary>
    /// One thread keeps a core's multiply-add units busy, so two threads reach 1.0 times its peak on one core and 2.0
    /// times on two cores, less what the clock loses when both are busy: 1.6 leaves a fifth for that.
    /// </summary>
    internal const double ApartFrom = 1.6;

    /// <summary>Two threads that reach less than one does had to wait for another process.</summary>
    internal const double TogetherFrom = 0.85;

    internal static Cores Of(in Reading reading) => (reading.Peak2 / reading.Peak1) switch
    {
        >= ApartFrom => Cores.Apart,
        >= TogetherFrom => Cores.Together,
        _ => Cores.Unclear,
    };

    /// <summary>Of a sample between two readings.</summary>
    internal static Cores Of(int threads, in Reading before, in Reading after) =>
        threads == 1 ? Cores.One : Of(before) == Of(after) ? Of(before) : Cores.Unclear;
}
