using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Adjoint.Kernels;

namespace Adjoint.Training;

/// <summary>The cost of one op, or of the optimizer, over all its calls, forward or backward.</summary>
/// <param name="Name">The op, followed by <c>backward</c> for that; or the optimizer.</param>
/// <param name="Operations">The number of backend operations.</param>
/// <param name="Milliseconds">The time spent in them, in milliseconds.</param>
/// <param name="Flops">Floating-point operations of matrix products; 0 for what memory bandwidth limits.</param>
/// <param name="Bytes">Bytes read and written, at least.</param>
public sealed record ProfileRow(string Name, int Operations, double Milliseconds, double Flops, double Bytes);

/// <summary>
/// Times every operation of a training run, by the op, or the optimizer, that asked for it. A captured run is timed as
/// it runs, where ops that were fused count together.
/// </summary>
public sealed class Profile
{
    private const int MostEvents = 20_000;
    private readonly Dictionary<string, ProfileRow> rows = [];
    private readonly List<(string Name, string Operation, long Start, long Duration)> events = [];
    private readonly long origin = Stopwatch.GetTimestamp();

    /// <summary>The costs, the most expensive first.</summary>
    public IReadOnlyList<ProfileRow> Rows => [.. rows.Values.OrderByDescending(row => row.Milliseconds)];

    /// <summary>Times the operations that a function runs on this thread.</summary>
    /// <param name="work">The function to run.</param>
    public void Observe(Action work)
    {
        using (Backend.Observe(Execute)) work();
    }

    /// <summary>
    /// A table of time, its fraction of the total, operations per second, fraction of the peak, and bytes per second.
    /// </summary>
    /// <returns>The table, over several lines.</returns>
    public string ToTable()
    {
        var peak = MachineLimits.PeakFlops() * Workers.ThreadCount;
        var total = rows.Values.Sum(row => row.Milliseconds);
        var wide = rows.Count == 0 ? 2 : rows.Keys.Max(name => name.Length);
        var text = new StringBuilder();
        text.AppendLine($"{"op".PadRight(wide)}  operations        ms  share  GFLOP/s  of peak    GB/s");
        foreach (var row in Rows)
        {
            var rate = row.Flops / row.Milliseconds / 1e6;
            text.AppendLine(CultureInfo.InvariantCulture,
                $"{row.Name.PadRight(wide)}  {row.Operations,10}  {row.Milliseconds,8:0.0}  " +
                $"{row.Milliseconds / total,5:P0}  {(row.Flops > 0 ? $"{rate,7:0}" : "      –")}  " +
                $"{(row.Flops > 0 ? $"{rate * 1e9 / peak,7:P0}" : "      –")}  " +
                $"{row.Bytes / row.Milliseconds / 1e6,6:0.0}");
        }
        return text.ToString();
    }

    /// <summary>Writes the first operations as a trace that Chrome and Perfetto open.</summary>
    /// <param name="stream">The stream to write JSON to.</param>
    public void WriteTrace(Stream stream)
    {
        using var json = new Utf8JsonWriter(stream);
        json.WriteStartObject();
        json.WriteStartArray("traceEvents");
        foreach (var (name, operation, start, duration) in events)
        {
            json.WriteStartObject();
            json.WriteString("name", name);
            json.WriteString("cat", operation);
            json.WriteString("ph", "X");
            json.WriteNumber("ts", start * 1e6 / Stopwatch.Frequency);
            json.WriteNumber("dur", duration * 1e6 / Stopwatch.Frequency);
            json.WriteNumber("pid", 1);
            json.WriteNumber("tid", 1);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private void Execute(PrimitiveCall call)
    {
        var name = (call.Cause ?? Execution.Current.Cause) is { } cause
            ? cause.IsBackward ? $"{cause.Op} backward" : cause.Op
            : "gradients";
        var start = Stopwatch.GetTimestamp();
        call.Run();
        Add(name, call.Name, start, call.Flops, call.Bytes);
    }

    private void Add(string name, string operation, long start, double flops, double bytes)
    {
        var duration = Stopwatch.GetTimestamp() - start;
        var row = rows.GetValueOrDefault(name) ?? new(name, 0, 0, 0, 0);
        rows[name] = new(name, row.Operations + 1, row.Milliseconds + duration * 1e3 / Stopwatch.Frequency, row.Flops
            + flops, row.Bytes + bytes);
        if (events.Count < MostEvents) events.Add((name, operation, start - origin, duration));
    }
}
