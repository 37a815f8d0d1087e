using System.Text.Json;
using System.Text.Json.Serialization;

namespace Adjoint.Bench;

/// <summary>A report for programs: all that the page has, of every side.</summary>
internal static class JsonReport
{
    private static readonly JsonSerializerOptions Options = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    internal static string Text(Report report) => JsonSerializer.Serialize(new
    {
        report.Date,
        report.Command,
        Processor = report.Processor.Name,
        report.Machine,
        report.Sides,
        Rows = report.Rows.Select(row => new
        {
            Workload = row.Work.Name,
            row.Threads,
            Cores = row.Cores.ToString().ToLowerInvariant(),
            row.Work.Goal,
            row.Work.Flops,
            row.Work.Bytes,
            row.Dropped,
            Sides = row.Sides.ToDictionary(side => side.Key, side => new
            {
                side.Value.Ms,
                side.Value.Gflops,
                side.Value.ShareOfPeak,
                side.Value.GigabytesPerSecond,
                side.Value.ShareOfBandwidth,
                Ratio = row.Ratios.TryGetValue(side.Key, out var ratio) ? ratio : (double?)null,
            }),
        }),
    }, Options) + "\n";
}
