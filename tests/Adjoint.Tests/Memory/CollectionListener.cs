using System.Diagnostics.Tracing;

namespace Adjoint.Tests.Memory;

/// <summary>Counts the garbage collections that somebody asked for, while it lives.</summary>
internal sealed class CollectionListener : EventListener
{
    private const string Source = "Microsoft-Windows-DotNETRuntime";
    private const EventKeywords Collections = (EventKeywords)1;
    // Of GCStart: who asked, and how it runs (GCStart_V2, clretwall.man).
    private const uint Induced = 1, NonConcurrent = 0;
    private int young, forced;
    private long seen;

    /// <summary>How many of young objects, and how many blocking ones of all objects, there were.</summary>
    internal (int Young, int Forced) Stop()
    {
        // Events arrive a moment later: this one after all before it, and it proves that its kind is noticed.
        GC.Collect();
        var last = GC.CollectionCount(0);
        Assert.True(SpinWait.SpinUntil(() => Interlocked.Read(ref seen) >= last, TimeSpan.FromSeconds(30)),
            "no event of a collection arrived");
        Assert.True(forced > 0, "a blocking collection of all objects goes unnoticed");
        return (young, forced - 1);
    }

    protected override void OnEventSourceCreated(EventSource eventSource)
    {
        if (eventSource.Name == Source) EnableEvents(eventSource, EventLevel.Informational, Collections);
    }

    protected override void OnEventWritten(EventWrittenEventArgs eventData)
    {
        if (eventData.EventName?.StartsWith("GCStart", StringComparison.Ordinal) != true) return;
        if (Field(eventData, "Reason") == Induced)
            if (Field(eventData, "Depth") < 2) young++;
            else if (Field(eventData, "Type") == NonConcurrent) forced++;
        Interlocked.Exchange(ref seen, Field(eventData, "Count"));
    }

    private static uint Field(EventWrittenEventArgs data, string name) =>
        (uint)data.Payload![data.PayloadNames!.IndexOf(name)]!;
}
