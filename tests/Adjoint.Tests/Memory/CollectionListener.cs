using System.Diagnostics.Tracing;

namespace Adjoint.Tests.Memory;

/// <summary>Counts the garbage collections that somebody asked for, while it lives.</summary>
internal sealed class CollectionListener : EventListener
{
    private const string Source = "Microsoft-Windows-DotNETRuntime";
    private const EventKeywords Collections = (EventKeywords)1;
    // Of GCStart: why it runs (GCStart_V2, clretwall.man). Asked for; where the runtime agrees; with compaction; to
    // give back all that it can.
    private static readonly uint[] Induced = [1, 7, 10, 17];
    private int asked;
    private long seen;

    /// <summary>How many there were.</summary>
    internal int Stop()
    {
        // Events arrive a moment later: this one after all before it, and it proves that its kind is noticed.
        GC.Collect();
        var last = GC.CollectionCount(0);
        Assert.True(SpinWait.SpinUntil(() => Interlocked.Read(ref seen) >= last, TimeSpan.FromSeconds(30)),
            "no event of a collection arrived");
        Assert.True(asked > 0, "a collection that somebody asked for goes unnoticed");
        return asked - 1;
    }

    protected override void OnEventSourceCreated(EventSource eventSource)
    {
        if (eventSource.Name == Source) EnableEvents(eventSource, EventLevel.Informational, Collections);
    }

    protected override void OnEventWritten(EventWrittenEventArgs eventData)
    {
        if (eventData.EventName?.StartsWith("GCStart", StringComparison.Ordinal) != true) return;
        if (Induced.Contains(Field(eventData, "Reason"))) Interlocked.Increment(ref asked);
        Interlocked.Exchange(ref seen, Field(eventData, "Count"));
    }

    private static uint Field(EventWrittenEventArgs data, string name) =>
        (uint)data.Payload![data.PayloadNames!.IndexOf(name)]!;
}
