using System.Text;
using System.Text.RegularExpressions;
using Adjoint.Cli;
using Adjoint.Tests.Training;
using Adjoint.Training;

namespace Adjoint.SystemTests.Cli;

/// <summary>What is drawn again and again on a terminal stays one line of it.</summary>
public sealed partial class LiveLineTests
{
    public static TheoryData<int, bool, bool> Terminals()
    {
        var rows = new TheoryData<int, bool, bool>();
        foreach (var columns in (int[])[1, 2, 10, 20, 30, 40, 60, 79, 80, 81, 120, 300])
            foreach (var (codes, colors) in ((bool, bool)[])[(true, true), (true, false),
                (false, false)]) rows.Add(columns, codes, colors);
        return rows;
    }

    [Theory, MemberData(nameof(Terminals))]
    public void A_live_line_never_fills_the_terminal(int columns, bool codes, bool colors)
    {
        foreach (var (epochs, loss) in ((int, double)[])[(1, 0.1), (20, 2.3026), (100_000, 1e9),
            (int.MaxValue, double.NaN)])
        {
            var screen = new Screen(columns);
            var view = new ProgressView(screen, new LiveLine(screen, codes, colors, () => screen.Columns), epochs);
            for (var step = 1; step <= 500; step += 37) view.Show(new(1, step, 500, loss, 128), 0.5 + step);
            Assert.True(screen.Rows.Count <= 1 && screen.Widest < columns,
                $"{columns} columns, {epochs} epochs: {string.Join('|', screen.Rows)}");
            if (!codes) Assert.DoesNotContain('\e', screen.Raw.ToString());
            // Ctrl-C: the terminal writes it at the end of the line, which then goes as a whole.
            if (screen.Rows.Count > 0) screen.Write("^C");
            view.Close();
            Assert.True(screen.Widest == 0, $"{columns} columns, {epochs} epochs: {string.Join('|', screen.Rows)}");
        }
    }

    [Theory, InlineData(true), InlineData(false)]
    public void Without_colors_the_bar_shows_how_far_it_is(bool codes)
    {
        var screen = new Screen(80);
        var view = new ProgressView(screen, new LiveLine(screen, codes, false, () => 80), 20);
        view.Show(new(3, 125, 500, 0.5, 128), 10);
        Assert.Matches(@"^epoch  3/20 #{6}-{18}  loss 0\.5000  \d+:\d\d left", screen.Rows[0]);
        view.Show(new(3, 500, 500, 0.5, 128), 10);
        Assert.Matches("^epoch  3/20 #{24}  loss", screen.Rows[0]);
        Assert.DoesNotMatch(Color(), screen.Raw.ToString());
    }

    [Fact]
    public void At_thirty_columns_epoch_bar_and_loss_are_left_and_at_eighty_all()
    {
        Assert.Matches(@"^epoch  3/20 #+-+  loss 0\.5000$", Drawn(35));
        Assert.Matches("^epoch  3/20 #+-+$", Drawn(30));
        Assert.Matches(@"^epoch  3/20 #+-+  loss 0\.5000  \d+:\d\d left  [\d,]+ samples/s$", Drawn(80));

        static string Drawn(int columns)
        {
            var screen = new Screen(columns);
            new ProgressView(screen, new LiveLine(screen, true, false, () => columns),
                20).Show(new(3, 250, 400, 0.5, 128), 10);
            return screen.Rows[0];
        }
    }

    [Theory, InlineData(80, 30), InlineData(120, 20), InlineData(80, 10), InlineData(30, 80)]
    public void A_line_that_the_terminal_folds_when_it_becomes_narrower_leaves_nothing_behind(int before, int after)
    {
        var screen = new Screen(before);
        var view = new ProgressView(screen, new LiveLine(screen, true, true, () => screen.Columns), 20);
        screen.WriteLine("above");
        for (var step = 1; step <= 400; step += 100) view.Show(new(3, step, 400, 0.5, 128), 10);
        screen.Resize(after);
        for (var step = 1; step <= 400; step += 100) view.Show(new(3, step, 400, 0.5, 128), 10);
        Assert.Equal("above", screen.Rows[0]);
        Assert.All(screen.Rows.Skip(1), row => Assert.StartsWith("epoch  3/20", row, StringComparison.Ordinal));
        Assert.True(screen.Rows.Count <= 2 && screen.Widest < after);
    }

    [Theory, InlineData(30), InlineData(50), InlineData(80), InlineData(200)]
    public void The_line_of_an_epoch_fits_a_terminal_and_is_whole_elsewhere(int columns)
    {
        var epoch = new EpochResult(3, 0.25, 0.5, Measures.Accuracy(0.98), 12.25);
        var screen = new Screen(columns);
        new ProgressView(screen, new LiveLine(screen, true, true, () => columns), 20).AfterEpoch(null!, epoch);
        Assert.True(screen.Widest < columns, screen.Rows[0]);
        Assert.Contains("0.98", screen.Rows[0], StringComparison.Ordinal);
        using var file = new StringWriter();
        new ProgressView(file, null, 20).AfterEpoch(null!, epoch);
        Assert.Equal("epoch   3/20  train loss 0.2500  validation loss 0.5000  accuracy 0.9800  12.25 s"
            + Environment.NewLine, file.ToString());
    }

    [Theory, InlineData(true), InlineData(false)]
    public void Curves_stand_above_the_line_and_stay_once_at_the_end(bool colors)
    {
        var screen = new Screen(100);
        var view = View(screen, colors, rows: 24);
        Train(view, epochs: 3);
        // Three lines of epochs, ten of curves, the line.
        Assert.Equal(14, screen.Rows.Count);
        Assert.All(screen.Rows.Take(3), row => Assert.Matches("^epoch +[0-2]/20  ", row));
        Assert.Matches("^loss: T training, V validation +validation accuracy$", screen.Rows[3]);
        Assert.Matches("^epoch  2/20 [#━]", screen.Rows[13]);
        Assert.True(screen.Widest < 100);
        Assert.Matches("V", string.Concat(screen.Rows.Skip(4).Take(8)));
        if (!colors) Assert.DoesNotMatch(Color(), screen.Raw.ToString());
        view.Finish();
        view.Close();
        screen.WriteLine("after");
        Assert.Equal(14, screen.Rows.Count);
        Assert.Equal("after", screen.Rows[13]);
        Assert.Single(screen.Rows, row => row.StartsWith("loss: T", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(79, 24)]
    [InlineData(100, 19)]
    [InlineData(30, 60)]
    public void Where_there_is_no_room_the_line_stands_alone(int columns, int rows)
    {
        var screen = new Screen(columns);
        var view = View(screen, colors: true, rows);
        Train(view, epochs: 2);
        view.Show(new(2, 150, 400, 0.5, 128), 10);
        Assert.Equal(3, screen.Rows.Count);
        view.Finish();
        Assert.Equal(2, screen.Rows.Count);
    }

    [Theory, InlineData(100, 60), InlineData(100, 30), InlineData(90, 200)]
    public void Curves_leave_nothing_behind_where_the_terminal_gets_another_width(int before, int after)
    {
        var screen = new Screen(before);
        var view = View(screen, colors: true, rows: 24);
        Train(view, epochs: 2);
        screen.Resize(after);
        view.Show(new(2, 150, 400, 0.5, 128), 10);
        Assert.Equal(after < 80 ? 1 : 11, screen.Rows.SkipWhile(row =>
            !row.StartsWith(after < 80 ? "epoch  2/20" : "loss: T", StringComparison.Ordinal)).Count());
        view.Finish();
        Assert.DoesNotContain(screen.Rows, row => row.Contains('#', StringComparison.Ordinal)
            || row.Contains('━', StringComparison.Ordinal));
        Assert.Equal(after < 80 ? 0 : 1, screen.Rows.Count(row => row.StartsWith("loss: T", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_task_without_metrics_has_its_losses_alone()
    {
        var screen = new Screen(100);
        var view = View(screen, colors: false, rows: 24);
        view.AfterEpoch(null!, new(0, null, 0.5, new Dictionary<string, double>(), 1));
        view.AfterEpoch(null!, new(1, 0.5, 0.25, new Dictionary<string, double>(), 1));
        view.Finish();
        Assert.Equal("loss: T training, V validation", screen.Rows[2]);
        Assert.Equal(12, screen.Rows.Count);
    }

    private static ProgressView View(Screen screen, bool colors, int rows) =>
        new(screen, new LiveLine(screen, true, colors, () => screen.Columns, () => rows), 20, hasCurves: true);

    private static void Train(ProgressView view, int epochs)
    {
        for (var epoch = 0; epoch < epochs; epoch++)
        {
            for (var step = 100; epoch > 0 && step <= 400; step += 100)
            {
                view.AfterBatch(null!, new(epoch, step, 400, 1.0 / epoch, 128));
                view.Show(new(epoch, step, 400, 1.0 / epoch, 128), 10);
            }
            view.AfterEpoch(null!, new(epoch, epoch == 0 ? null : 1.0 / epoch, 1.0 / (epoch + 1),
                new Dictionary<string, double> { ["accuracy"] = 0.5 + 0.1 * epoch }, 1));
        }
    }

    [GeneratedRegex(@"\e\[[0-9;]*m")]
    private static partial Regex Color();

    /// <summary>
    /// A terminal that folds lines which are too long, also when it becomes narrower, and knows the codes that the tool
    /// writes.
    /// </summary>
    private sealed partial class Screen(int columns) : StringWriter
    {
        private readonly List<StringBuilder> rows = [new()];
        private int row, column;

        internal int Columns { get; private set; } = columns;
        internal StringBuilder Raw { get; } = new();
        internal IReadOnlyList<string> Rows => [.. rows.Select(line =>
            line.ToString().TrimEnd()).Reverse().SkipWhile(line => line.Length == 0).Reverse()];
        internal int Widest => rows.Max(line => line.ToString().TrimEnd().Length);

        public override void Write(char value) => Write(value.ToString());

        public override void Write(string? value)
        {
            Raw.Append(value);
            for (var i = 0; i < value!.Length; i++)
                if (Code().Match(value, i) is { Success: true } code)
                {
                    i += code.Length - 1;
                    Obey(code.Groups[2].Value[0], code.Groups[1].Length == 0 ? 1
                        : int.Parse(code.Groups[1].Value.Split(';')[0]));
                }
                else Put(value[i]);
        }

        public override void WriteLine(string? value) => Write(value + "\n");

        internal void Resize(int columns)
        {
            Columns = columns;
            var text = rows.Select(line => line.ToString()).ToArray();
            rows.Clear();
            foreach (var line in text)
                for (var from = 0; from == 0 || from < line.Length;
                    from += columns) rows.Add(new(line[from..Math.Min(line.Length, from + columns)]));
            (row, column) = (rows.Count - 1, rows[^1].Length);
        }

        private void Put(char letter)
        {
            if (letter == '\r') column = 0;
            else if (letter == '\n' || column == Columns)
            {
                (row, column) = (row + 1, 0);
                if (row == rows.Count) rows.Add(new());
            }
            if (letter is '\r' or '\n') return;
            var line = rows[row];
            while (line.Length <= column) line.Append(' ');
            line[column++] = letter;
        }

        private void Obey(char code, int number)
        {
            if (code == 'A') row = Math.Max(0, row - number);
            else if (code is 'J' or 'K')
            {
                rows[row].Length = Math.Min(rows[row].Length, column);
                if (code == 'J') rows.RemoveRange(row + 1, rows.Count - row - 1);
            }
            else Assert.Equal('m', code);
        }

        [GeneratedRegex(@"\G\e\[([0-9;]*)([A-Za-z])")]
        private static partial Regex Code();
    }
}
