using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Adjoint.Kernels;

namespace Adjoint.Training;

/// <summary>What one op, or the optimiser, cost in all its calls, forward or backward.</summary>
/// <param name="Name">The op, <c>backward</c> after it where that is meant; or the optimiser.</param>
/// <param name="Operations">Operations of the backend.</param>
/// <param name="Milliseconds">Time in them.</param>
/// <param name="Flops">Floating-point operations of matrix products; 0 for what memory limits.</param>
/// <param name="Bytes">Bytes read and written at the least.</param>
public sealed record ProfileRow(string Name, int Operations, double Milliseconds, double Flops, double Bytes);

/// <summary>
/// Times every operation of a training run, by the op, or the optimiser, that asked for it; of a captured run, which is
/// timed as it runs, ops that became one pass over memory together.
/// </summary>
public sealed class Profile
{
    private const int MostEvents = 20_000;
    private readonly Dictionary<string, ProfileRow> rows = [];
    private readonly List<(string Name, string Operation, long Start, long Duration)> events = [];
    private readonly long origin = Stopwatch.GetTimestamp();

    /// <summary>Dearest first.</summary>
    public IReadOnlyList<ProfileRow> Rows => [.. rows.Values.OrderByDescending(row => row.Milliseconds)];

    /// <summary>Runs <paramref name="work"/>, timing each operation on this thread.</summary>
    public void Observe(Action work)
    {
        using (Backend.Observe(Execute)) work();
    }

    /// <summary>A table: time, its share, calculations per second and share of the peak, bytes per second.</summary>
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
            text.AppendLine(CultureInfo.InvariantCulture, $"{row.Name.PadRight(wide)}  {row.Operations,10}  {row.Milliseconds,8:0.0}  {row.Milliseconds / total,5:P0}  {(row.Flops > 0 ? $"{rate,7:0}" : "      –")}  {(row.Flops > 0 ? $"{rate * 1e9 / peak,7:P0}" : "      –")}  {row.Bytes / row.Milliseconds / 1e6,6:0.0}");
        }
        return text.ToString();
    }

    /// <summary>The first operations as a trace that Chrome and Perfetto open.</summary>
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
        rows[name] = new(name, row.Operations + 1, row.Milliseconds + duration * 1e3 / Stopwatch.Frequency, row.Flops + flops, row.Bytes + bytes);
        if (events.Count < MostEvents) events.Add((name, operation, start - origin, duration));
    }
}
