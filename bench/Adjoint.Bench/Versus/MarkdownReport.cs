using System.Globalization;

namespace Adjoint.Bench;

/// <summary>A report as a page: the machine, the table, how to read it.</summary>
internal static class MarkdownReport
{
    private const string Legend = """
        A cell is the median ± half the distance between the quartiles (number of samples); the sides take turns, sample
        by sample. Before and after each sample the multiply-add peak of one thread and of two is measured: `apart`, the
        two threads had two physical cores, `together`, they shared one. Only samples of the same kind are compared; one
        during which that changed, or another process had a processor, is dropped. A ratio takes another library at its
        better number of threads. `of peak` and `of bandwidth` are shares of what was measured beside the sample, on as
        many threads. GFLOP/s count what the plain sum would take (convolutions of 3 × 3 take a quarter of it, so their
        share may pass 1), GB/s the bytes that must be moved at the least. `+captured`: the same step replayed. `infer`:
        the network only answers.
        """;

    private sealed record Column(string Title, Func<Row, string> Cell);

    internal static string Page(Report report)
    {
        var machine = report.Machine;
        var two = machine.Gflops2 is { } gflops
            ? Text($"; two, apart: {gflops:0} GFLOP/s, {machine.GigabytesPerSecond2:0.0} GB/s") : "";
        return Text($"""
            # {report.Processor.Name}, {machine.VectorBits}-bit vectors, {machine.Processors} processors

            {report.Date}. `{report.Command}`

            {string.Join(", ", report.Sides.Select(Versions))}; {machine.Runtime}, {machine.System}. One thread:
            {machine.Gflops1:0} GFLOP/s, {machine.GigabytesPerSecond1:0.0} GB/s{two}. Of {machine.OnTwoThreads} samples
            on two threads {machine.Apart} were apart, {machine.Together} together.

            {Table(report.Rows, [.. report.Sides.Select(side => side.Name)])}
            {Legend}

            """);
    }

    /// <summary>All rows; without the columns in which no row has anything.</summary>
    internal static string Table(IReadOnlyList<Row> rows, IReadOnlyList<string> sides)
    {
        var columns = Columns(sides).Select(column => rows.Select(column.Cell).Prepend(column.Title).ToArray())
            .Where(column => column.Skip(1).Any(cell => cell.Length > 0)).ToArray();
        var widths = columns.Select(column => column.Max(cell => cell.Length)).ToArray();
        string Line(int at) =>
            $"| {string.Join(" | ", columns.Select((cells, i) => cells[at].PadRight(widths[i])))} |\n";
        var rule = $"|{string.Concat(widths.Select(width => $"{new string('-', width + 2)}|"))}\n";
        return Line(0) + rule + string.Concat(rows.Select((_, i) => Line(i + 1)));
    }

    /// <summary>A row in one line, while the run goes on.</summary>
    internal static string Progress(Row row) => Text($"{row.Work.Name} {row.Threads} {Where(row)}")
        + string.Concat(row.Sides.Select(side => $"  {side.Key} {Milliseconds(side.Value.Ms)}"));

    private static IEnumerable<Column> Columns(IReadOnlyList<string> sides) =>
    [
        new("work", row => row.Work.Name),
        new("threads", row => Text($"{row.Threads}")),
        new("cores", Where),
        .. sides.Select(side => new Column($"{side} ms",
            row => row.Sides.TryGetValue(side, out var found) ? Milliseconds(found.Ms) : "")),
        .. sides.Select(side => new Column($"{side} / ours",
            row => row.Ratios.TryGetValue(side, out var ratio) ? Text($"{ratio:0.00}") : "")),
        new("goal", row => row.Ratios.ContainsKey(Side.Torch) ? Text($"{row.Work.Goal:0.0}") : ""),
        new("GFLOP/s", row => Text($"{Ours(row)?.Gflops:0}")),
        new("of peak", row => Text($"{Ours(row)?.ShareOfPeak:0.00}")),
        new("GB/s", row => Text($"{Ours(row)?.GigabytesPerSecond:0.0}")),
        new("of bandwidth", row => Text($"{Ours(row)?.ShareOfBandwidth:0.00}")),
        new("dropped", row => row.Dropped > 0 ? Text($"{row.Dropped}") : ""),
    ];

    private static string Where(Row row) => row.Cores == Cores.One ? "" : row.Cores.ToString().ToLowerInvariant();

    private static Summary? Ours(Row row) => row.Sides.GetValueOrDefault(Side.Ours);

    // "libtorch 2.10.0" names itself.
    private static string Versions(Library side) =>
        side.Version.StartsWith(side.Name, StringComparison.Ordinal) ? side.Version : $"{side.Name}: {side.Version}";

    private static string Milliseconds(Spread ms) =>
        Text($"{ms.Median:G4} ± {(ms.Upper - ms.Lower) / 2 / ms.Median * 100:0} % ({ms.Count})");

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
