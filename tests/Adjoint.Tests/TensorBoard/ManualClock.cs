namespace Adjoint.Tests.TensorBoard;

/// <summary>A clock that stands still until it is told to go on.</summary>
internal sealed class ManualClock : TimeProvider
{
    private DateTimeOffset now = DateTimeOffset.FromUnixTimeMilliseconds(1_700_000_000_500);

    public override DateTimeOffset GetUtcNow() => now;

    public override long GetTimestamp() => now.UtcTicks;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    internal void Advance(double seconds) => now += TimeSpan.FromSeconds(seconds);
}
