using System.Globalization;
using Adjoint.Cli;
using Adjoint.Explorer;
using Adjoint.IO;
using Adjoint.Tests.Cli;
using Microsoft.Playwright;

namespace Adjoint.Tests.Explorer;

/// <summary>The page that watches runs, in a real browser, over files that grow.</summary>
public sealed class WatchPageTests(Browser browser) : IClassFixture<Browser>, IDisposable
{
    private const string Settings = """{ "dataset": "synth", "lr": "0.1", "epochs": "3" }""";
    private readonly WrittenRuns runs = new();

    public void Dispose() => runs.Dispose();

    [Fact]
    public async Task Curves_grow_with_the_files_until_the_run_ends()
    {
        var run = Path.Combine(runs.Folder, "run");
        var held = FolderLock.Take(run);
        var watched = new WatchedRuns(run);
        watched.Look();
        using var page = ExplorerPage.Serve(new WatchSite(watched), 0);
        await using var tab = await browser.OpenAsync(page.Address);
        Assert.Equal("run", await tab.Page.TextContentAsync("h1"));
        Assert.Contains("Nothing measured yet", await tab.Page.TextContentAsync("#charts"), StringComparison.Ordinal);
        runs.Add("run", Settings, Line(0, 0.9, 0.5));
        Write("steps.jsonl", """{"epoch":1,"step":5,"steps":10,"loss":0.75}""" + "\n");
        await tab.Page.WaitForSelectorAsync("[data-kind=steps][data-value='0.75']");
        Assert.StartsWith("running, epoch 0 of 3", await tab.Page.TextContentAsync("#state"), StringComparison.Ordinal);
        // Half a line is waited for.
        Write("metrics.jsonl", Line(0, 0.9, 0.5) + "\n" + Line(1, 0.8, 0.625) + "\n{\"epoch\":2,");
        await tab.Page.WaitForSelectorAsync("section[aria-label=accuracy] [data-value='0.625']");
        Assert.Equal("", await tab.Page.TextContentAsync("#problem"));
        // After a resume the file is shorter, and goes on otherwise.
        Write("metrics.jsonl", Line(0, 0.9, 0.5) + "\n");
        await tab.Page.WaitForSelectorAsync("section[aria-label=accuracy] [data-value='0.5']");
        Write("metrics.jsonl", string.Join('\n', Line(0, 0.9, 0.5), Line(1, 0.7, 0.75), Line(2, null, 0.875), ""));
        await tab.Page.WaitForSelectorAsync("section[aria-label=accuracy] [data-value='0.875']");
        // A loss that is not finite is a gap.
        Assert.Equal("0.7", await tab.Page.GetAttributeAsync("[data-kind=validation]", "data-value"));
        File.WriteAllText(Path.Combine(run, "report.html"), "");
        held.Dispose();
        await tab.Page.WaitForSelectorAsync("html[data-ended]");
        Assert.StartsWith("complete, epoch 2 of 3, best accuracy 0.8750 after epoch 2. It has ended",
            await tab.Page.TextContentAsync("#state"), StringComparison.Ordinal);
        Assert.True(watched.HasEnded && watched.IsDelivered);
        Assert.Contains("synth", await tab.Page.TextContentAsync("#settings"), StringComparison.Ordinal);

        void Write(string name, string text) => File.WriteAllText(Path.Combine(run, name), text);
    }

    [Fact]
    public async Task Scale_smoothing_and_the_place_under_the_pointer_change_what_is_shown()
    {
        runs.Add("a", Settings, Line(0, 1, 0.1), Line(1, 0.1, 0.5), Line(2, 0.01, 0.9));
        using var page = ExplorerPage.Serve(new WatchSite(new WatchedRuns(Path.Combine(runs.Folder, "a"))), 0);
        await using var tab = await browser.OpenAsync(page.Address);
        var curve = tab.Page.Locator("section[aria-label=loss] .line.validation");
        await tab.Page.CheckAsync("#log");
        // Equal ratios are equal distances.
        var log = await Heights();
        Assert.Equal(log[1] - log[0], log[2] - log[1], 0.11);
        await tab.Page.UncheckAsync("#log");
        var before = await Heights();
        await tab.Page.FillAsync("#smoothing", "0.5");
        // Debiased: 1, (1/2 · 1 + 0.1) / (3/2), (1/4 · 1 + 1/2 · 0.1 + 0.01) / (7/4); drawn between 1 and the least.
        double[] smoothed = [1, 0.4, 0.31 / 1.75];
        var after = await Heights();
        Assert.NotEqual(before[1], after[1], 1.0);
        for (var i = 0; i < 3; i++)
            Assert.Equal(10 + (1 - smoothed[i]) / (1 - smoothed[2]) * 216, after[i], 0.11);
        await tab.Page.FocusAsync("section[aria-label=accuracy] svg");
        await tab.Page.Keyboard.PressAsync("ArrowRight");
        await tab.Page.Keyboard.PressAsync("ArrowRight");
        Assert.Equal("0.5", await tab.Page.GetAttributeAsync("section[aria-label=accuracy] li", "data-value"));
        await tab.Page.Keyboard.PressAsync("Escape");
        Assert.Equal("0.9", await tab.Page.GetAttributeAsync("section[aria-label=accuracy] li", "data-value"));

        async Task<double[]> Heights() => [.. (await curve.GetAttributeAsync("d"))!.Split('M', 'L')
            .Where(part => part.Length > 0).Select(part => double.Parse(part.Split(' ')[1],
                CultureInfo.InvariantCulture))];
    }

    [Theory, InlineData(1300, false), InlineData(1300, true), InlineData(360, false)]
    public async Task Runs_of_a_folder_are_laid_over_each_other(int width, bool dark)
    {
        runs.AddClassifier("one", "mlp", "0.1", 0.5, 0.9, 0.95);
        runs.AddClassifier("two<b>", "lenet", "0.1", 0.25, 0.75);
        runs.AddRegression("houses", 0, 0.75);
        runs.Add("damaged\u001b", "{");
        using var page = ExplorerPage.Serve(new WatchSite(new WatchedRuns(runs.Folder)), 0);
        await using var tab = await browser.OpenAsync(page.Address, width, 900, dark);
        Assert.Equal(4, await tab.Page.Locator("#runs li").CountAsync());
        Assert.Contains("3 complete, 1 damaged", await tab.Page.TextContentAsync("#state"), StringComparison.Ordinal);
        Assert.Contains("does not parse", await tab.Page.TextContentAsync("#problem"), StringComparison.Ordinal);
        Assert.Equal(["loss", "r2", "mae", "accuracy"], await tab.Page.Locator(".panel h2").AllTextContentsAsync());
        Assert.Equal(2, await tab.Page.Locator("section[aria-label=accuracy] .line").CountAsync());
        Assert.Equal(["C", "D"], await tab.Page.Locator("section[aria-label=accuracy] .letter").AllTextContentsAsync());
        Assert.Contains("lenet", await tab.Page.TextContentAsync("#settings"), StringComparison.Ordinal);
        await tab.Page.Locator("label:has-text('two<b>') input").UncheckAsync();
        await tab.Page.Locator("section[aria-label=accuracy] .line").Nth(1)
            .WaitForAsync(new() { State = WaitForSelectorState.Detached });
        // One that begins later is found.
        runs.AddClassifier("zlast", "mlp", "0.1", 0.5, 0.9);
        await tab.Page.WaitForSelectorAsync("label:has-text('zlast')");
        Assert.Equal(width, await tab.Page.EvaluateAsync<int>("document.documentElement.scrollWidth"));
    }

    [Fact]
    public async Task A_tool_that_was_stopped_is_told_of_and_the_curves_stay()
    {
        runs.AddClassifier("one", "mlp", "0.1", 0.5, 0.9, 0.95);
        var page = ExplorerPage.Serve(new WatchSite(new WatchedRuns(Path.Combine(runs.Folder, "one"))), 0);
        var tab = await browser.OpenAsync(page.Address);
        page.Dispose();
        await tab.Page.WaitForSelectorAsync("#problem:has-text('was it stopped?')");
        Assert.Equal(1, await tab.Page.Locator("section[aria-label=accuracy] .line").CountAsync());
        // The refused connection is noted by the browser's console: not disposed of as others are.
        await tab.Page.Context.CloseAsync();
    }

    [Theory, InlineData(1300), InlineData(360)]
    public async Task Ranks_are_shown_where_a_run_has_several(int width)
    {
        var run = runs.AddClassifier("one", "mlp", "0.1", 0.5, 0.9, 0.95);
        runs.AddClassifier("two", "mlp", "0.2", 0.5, 0.9);
        using var page = ExplorerPage.Serve(new WatchSite(new WatchedRuns(runs.Folder)), 0);
        await using var tab = await browser.OpenAsync(page.Address, width, 900);
        Assert.Equal("", await tab.Page.TextContentAsync("#ranks"));
        File.WriteAllText(Path.Combine(run, "ranks.jsonl"), """
            {"epoch":1,"ranks":[{"rank":0,"host":"a","samplesPerSecond":1000,"computeSeconds":3,"waitSeconds":1,
            "hiddenSeconds":0.5,"bytes":2500000},{"rank":1,"host":"b<i>","samplesPerSecond":234,"computeSeconds":1,
            "waitSeconds":3,"hiddenSeconds":0,"bytes":2500000}]}
            """.ReplaceLineEndings("") + "\n{\"epoch\":2,\"ra");
        await tab.Page.WaitForSelectorAsync("#ranks table");
        Assert.StartsWith("A epoch 1: 1234 samples/s in all, skew 50 %", await tab.Page.TextContentAsync("#ranks p"),
            StringComparison.Ordinal);
        Assert.Equal(["1", "b<i>", "234", "1 s", "3 s", "0 s", "2.50 MB", ""],
            await tab.Page.Locator("#ranks tr:last-child > *").AllTextContentsAsync());
        Assert.Equal(width, await tab.Page.EvaluateAsync<int>("document.documentElement.scrollWidth"));
    }

    private static string Line(int epoch, double? loss, double accuracy) => FormattableString.Invariant(
        $"{{\"epoch\":{epoch},\"validationLoss\":{(object?)loss ?? "null"},\"metrics\":{{\"accuracy\":{accuracy}}}}}");
}
