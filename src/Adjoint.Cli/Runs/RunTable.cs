using Adjoint.Experiments;

namespace Adjoint.Cli;

/// <summary>
/// Runs as lines, as many columns as there is room for. Elsewhere than on a terminal everything is written, whole.
/// </summary>
internal static class RunTable
{
    private const int Gap = 2, ShortestName = 20;

    // What goes first where room is short: the name often tells the time, and the state is what matters most.
    private static readonly RunColumn[] Spare =
    [
        RunColumn.Task, RunColumn.When, RunColumn.Duration, RunColumn.Model, RunColumn.Data, RunColumn.Epochs,
        RunColumn.Metric,
    ];

    /// <summary>Writes a heading, and a line for each run.</summary>
    /// <param name="runs">What is listed, in this order.</param>
    /// <param name="output">Gets the lines.</param>
    /// <param name="room">The longest line; null: any.</param>
    /// <param name="hasColors">Whether states are colored.</param>
    internal static void Write(IReadOnlyList<ListedRun> runs, TextWriter output, int? room, bool hasColors)
    {
        var columns = RunColumn.All.ToList();
        // Where all are judged by the same measure, its name is the heading of the values.
        var scores = runs.Select(run => RunColumn.Metric.Text(run)).OfType<string>().Distinct().ToArray();
        if (room is not null && scores.Length < 2) columns.Remove(RunColumn.Metric);
        string Head(RunColumn column) => column == RunColumn.Best && !columns.Contains(RunColumn.Metric)
            && scores.Length == 1 ? $"best {scores[0]}" : column.Name;
        string Cell(RunColumn column, ListedRun run) => Printable.Line(column.Text(run) ?? "–");
        int Width(RunColumn column) =>
            runs.Select(run => Cell(column, run).Length).Append(Head(column).Length).Max();
        int Others() => columns.Where(column => column != RunColumn.Run).Sum(column => Width(column) + Gap);
        var name = Width(RunColumn.Run);
        foreach (var spare in Spare)
            if (Others() + Math.Min(name, ShortestName) > room) columns.Remove(spare);
        if (room is not null) name = Math.Clamp(room.Value - Others(), Math.Min(name, 4), name);
        var widths = columns.ToDictionary(column => column, column => column == RunColumn.Run ? name : Width(column));
        WriteLine(column => Head(column));
        foreach (var run in runs) WriteLine(column => Cell(column, run), run.State);

        void WriteLine(Func<RunColumn, string> text, string? state = null)
        {
            var cells = columns.Select(column =>
            {
                var cell = Cut(text(column), widths[column]);
                var padded = column.IsNumber ? cell.PadLeft(widths[column]) : cell.PadRight(widths[column]);
                return hasColors && column == RunColumn.State && state is not null ? $"{Color(state)}{padded}\e[0m"
                    : padded;
            });
            output.WriteLine(string.Join(new string(' ', Gap), cells).TrimEnd());
        }
    }

    /// <summary>A text in so many columns: the middle of a long one is left out.</summary>
    internal static string Cut(string text, int width)
    {
        if (text.Length <= width) return text;
        var left = width / 2;
        return string.Concat(text.AsSpan(0, left), "…", text.AsSpan(text.Length - (width - left - 1)));
    }

    private static string Color(string state) => state switch
    {
        "running" => "\e[34m",
        "complete" => "\e[32m",
        "diverged" or "damaged" => "\e[31m",
        _ => "\e[90m",
    };
}
