namespace Adjoint.Bench;

/// <summary>
/// What the machine gave at one moment on one thread and on two: peaks in floating-point operations a second,
/// bandwidths in bytes a second. With one processor the figures of two threads repeat those of one.
/// </summary>
internal readonly record struct Reading(double Peak1, double Peak2, double Bandwidth1, double Bandwidth2)
{
    internal double Peak(int threads) => threads == 1 ? Peak1 : Peak2;

    internal double Bandwidth(int threads) => threads == 1 ? Bandwidth1 : Bandwidth2;

    /// <summary>What lies between two readings: their mean.</summary>
    internal static Reading Between(in Reading a, in Reading b) =>
        new((a.Peak1 + b.Peak1) / 2, (a.Peak2 + b.Peak2) / 2,
            (a.Bandwidth1 + b.Bandwidth1) / 2, (a.Bandwidth2 + b.Bandwidth2) / 2);
}
