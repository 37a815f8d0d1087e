using System.Globalization;
using System.Text.RegularExpressions;
using Adjoint.Cli;
using Adjoint.Cli.Commands;
using Adjoint.Experiments;
using Adjoint.Explorer;
using Microsoft.Playwright;

namespace Adjoint.Tests.Explorer;

/// <summary>
/// What a reader does on the page, in a real browser: watch a training, search, ask for an element, turn pictures, tap.
/// </summary>
public sealed class PageUseTests(Browser browser) : IClassFixture<Browser>
{
    private static readonly SettingValues Settings =
        TrainSettings.Table.Read([new("batch-size", "32"), new("epochs", "1"), new("threads", "1")]);

    [Fact]
    public async Task The_graph_follows_a_training_that_plays_and_says_its_step()
    {
        using var page = Serve();
        await using var tab = await browser.OpenAsync(page.Address);
        Assert.StartsWith("Step 0: ", await tab.Page.TextContentAsync("#status"), StringComparison.Ordinal);
        await tab.Page.ClickAsync("#unfold");
        await tab.Page.FocusAsync(".node.kind-root");
        var loss = await LossAsync(tab);
        await tab.Page.EvaluateAsync("document.querySelector('#play').click()");
        // Twice: it goes on following.
        for (var seen = 0; seen < 2; seen++)
        {
            var step = await StepAsync(tab);
            await tab.Page.WaitForFunctionAsync(
                "step => Number(document.documentElement.dataset.version.split('.')[2]) > step", step);
            Assert.Equal("Pause", await tab.Page.TextContentAsync("#play"));
            Assert.True(await StepAsync(tab) > step);
        }
        Assert.NotEqual(loss, await LossAsync(tab));
        // What the reader has in hand is still there.
        Assert.True(await tab.Page.EvaluateAsync<bool>("document.activeElement.classList.contains('kind-root')"));
        await tab.Page.ClickAsync("#play");
        await tab.Page.WaitForSelectorAsync("#play:text-is('Play')");
        var last = await tab.Page.GetAttributeAsync("#progress", "data-step");
        await tab.Page.WaitForSelectorAsync($"html[data-version='0.0.{last}']");
    }

    [Fact]
    public async Task An_element_that_was_chosen_stays_chosen_while_training_plays()
    {
        using var page = Serve();
        await using var tab = await browser.OpenAsync(page.Address);
        await SearchAsync(tab, "op sigmoid");
        await tab.Page.FillAsync("[aria-label=Forward] .choose input", "3, 2");
        await tab.Page.Keyboard.PressAsync("Tab");
        await tab.Page.EvaluateAsync("document.querySelector('#play').click()");
        await tab.Page.WaitForFunctionAsync("() => Number(document.documentElement.dataset.version.split('.')[2]) > 3");
        var step = await StepAsync(tab);
        await tab.Page.WaitForFunctionAsync(
            "step => Number(document.documentElement.dataset.version.split('.')[2]) > step", step);
        Assert.Equal("3, 2", await tab.Page.InputValueAsync("[aria-label=Forward] .choose input"));
        await tab.Page.WaitForSelectorAsync("[aria-label=Forward] .sum:has-text('y[3, 2]')");
    }

    [Fact]
    public async Task Choosing_an_optimizer_brings_its_learning_rate()
    {
        using var page = Serve();
        await using var tab = await browser.OpenAsync(page.Address);
        Assert.Equal("1", await tab.Page.InputValueAsync("#rate"));
        foreach (var (name, rate) in ((string, string)[])[("adam", "0.01"), ("sgd", "1"), ("adamw", "0.01"),
            ("rmsprop", "0.01")])
        {
            await tab.Page.SelectOptionAsync("#optimizer", name);
            await tab.Page.WaitForFunctionAsync("rate => document.querySelector('#rate').value === rate", rate);
        }
        await tab.Page.FillAsync("#rate", "");
        await tab.Page.Keyboard.PressAsync("Tab");
        await tab.Page.WaitForSelectorAsync("#panel-training .problem:has-text('a number from 0')");
    }

    [Fact]
    public async Task Search_takes_a_shape_however_it_is_written()
    {
        using var page = Serve();
        await using var tab = await browser.OpenAsync(page.Address);
        string[] two = ["32x8", "32×8", "(32, 8)", "[32,8]", "32 X 8", "32,8", "32*8", "( 32 × 8 )", "(32, 8,)"];
        foreach (var text in two) await FoundAsync(text, 2);
        foreach (var text in (string[])["weight 8x2", "(8,)", "Linear(8 → 2)", "input x"]) await FoundAsync(text, 1);
        await FoundAsync("parameter", 4);
        foreach (var text in (string[])["8x32", "(32, 8, 1)", "2x8x"]) await FoundAsync(text, 0);

        async Task FoundAsync(string text, int count)
        {
            await tab.Page.FillAsync("#query", "loss");
            await tab.Page.Keyboard.PressAsync("Enter");
            await SearchAsync(tab, text);
            var status = await tab.Page.TextContentAsync("#status");
            if (count == 0) Assert.Equal($"Nothing is called, or has the shape, \"{text}\".", status);
            else Assert.Matches($"^[12] of {count} found", status);
        }
    }

    [Fact]
    public async Task An_index_out_of_range_is_told_so()
    {
        using var page = Serve();
        await using var tab = await browser.OpenAsync(page.Address);
        await SearchAsync(tab, "op sigmoid");
        foreach (var way in (string[])["Forward", "Backward"])
        {
            await AnswerAsync(way, "32, 0", "32 is out of range: axis 0 of 32×8 goes from 0 to 31.");
            await AnswerAsync(way, "(31, 7)", null);
            await AnswerAsync(way, "0, -1", "−1 is out of range: axis 1 of 32×8 goes from 0 to 7.");
            await AnswerAsync(way, "99999999999999999999 0",
                "1.000e20 is out of range: axis 0 of 32×8 goes from 0 to 31.");
            await AnswerAsync(way, "5", "32×8 has 2 axes: give as many whole numbers, such as 31, 7; found 1.");
            await AnswerAsync(way, "", "32×8 has 2 axes: give as many whole numbers, such as 31, 7; found 0.");
            await AnswerAsync(way, "1, 2, 3", "32×8 has 2 axes: give as many whole numbers, such as 31, 7; found 3.");
            await AnswerAsync(way, "3 1", null);
            await AnswerAsync(way, "1, x", "\"x\" is no whole number: an element of 32×8 is such as 31, 7.");
            await AnswerAsync(way, "1.5, 0", "\"1.5\" is no whole number: an element of 32×8 is such as 31, 7.");
        }

        async Task AnswerAsync(string way, string text, string? problem)
        {
            await tab.Page.FillAsync($"[aria-label={way}] .choose input", text);
            await tab.Page.Keyboard.PressAsync("Enter");
            // What was typed is not taken away.
            Assert.Equal(text, await tab.Page.InputValueAsync($"[aria-label={way}] .choose input"));
            if (problem is null) await tab.Page.WaitForSelectorAsync($"[aria-label={way}] .sum");
            else Assert.Equal(problem, await tab.Page.TextContentAsync($"[aria-label={way}] .problem"));
        }
    }

    [Fact]
    public async Task Feature_maps_have_captions_and_all_can_be_seen()
    {
        // 120 maps: pages of 48, 48 and 24.
        var x = Tensor.Randn([20, 1, 9, 9], new Generator(3));
        var w = Tensor.Randn([6, 1, 3, 3], new Generator(4)).RequireGrad();
        var maps = x.Conv2d(w);
        using var page = GraphExplorer.Open(maps.Square().Sum());
        await using var tab = await browser.OpenAsync(page.Address);
        await SearchAsync(tab, "20x6x7x7");
        var captions = new List<string>();
        const string value = "[data-which=value] .maps";
        foreach (var (from, to) in ((int, int)[])[(1, 48), (49, 96), (97, 120)])
        {
            await tab.Page.WaitForSelectorAsync($"{value} > figcaption:has-text('{from} to {to} of 120')");
            captions.AddRange(await tab.Page.Locator($"{value} .pictures figcaption").AllTextContentsAsync());
            // The last page has no page after it.
            if (to < 120) await tab.Page.ClickAsync($"{value} button:has-text('after')");
            else Assert.True(await tab.Page.Locator($"{value} button:has-text('after')").IsDisabledAsync());
        }
        Assert.Equal(Enumerable.Range(0, 120).Select(i => $"{i / 6}, {i % 6}"), captions);
        Assert.Contains("[sample, channel]", await tab.Page.TextContentAsync($"{value} > figcaption"),
            StringComparison.Ordinal);
        await tab.Page.ClickAsync($"{value} button:has-text('before')");
        await tab.Page.WaitForSelectorAsync($"{value} > figcaption:has-text('49 to 96 of 120')");
        Assert.Equal("[8, 0]", Regex.Match((await tab.Page.GetAttributeAsync($"{value} canvas", "aria-label"))!,
            @"\[.*").Value);
    }

    [Fact]
    public async Task A_tapped_nodes_details_come_into_view_on_a_phone()
    {
        using var page = Serve();
        await using var tab = await browser.OpenAsync(page.Address, 390, 844);
        Assert.False(await InViewAsync());
        await tab.Page.ClickAsync(".node.kind-root");
        await tab.Page.WaitForFunctionAsync(
            "() => document.querySelector('#panel-node h2')?.getBoundingClientRect().bottom < innerHeight / 2");
        Assert.True(await InViewAsync());

        Task<bool> InViewAsync() => tab.Page.EvaluateAsync<bool>(
            "() => { const { top } = document.querySelector('#tabs').getBoundingClientRect(); "
            + "return top >= 0 && top < innerHeight / 2; }");
    }

    [Fact]
    public async Task Names_are_text_on_the_page_and_in_the_saved_file()
    {
        const string hostile = "</script><img src=x onerror=document.title='hit'>";
        var w = Tensor.Randn([2, 3], new Generator(1)).RequireGrad();
        w.Name = hostile;
        var loss = (w * 2).Sum();
        var file = Path.Combine(Path.GetTempPath(), $"adjoint-{Guid.NewGuid():N}.html");
        try
        {
            loss.ToHtml(file, hostile);
            using var page = GraphExplorer.Open(loss, hostile);
            foreach (var address in (Uri[])[page.Address, new(file)])
            {
                await using var tab = await browser.OpenAsync(address);
                await tab.Page.ClickAsync(".node.kind-parameter");
                await tab.Page.WaitForSelectorAsync("#panel-node .numbers");
                Assert.Equal(0, await tab.Page.Locator("img").CountAsync());
                Assert.Equal(hostile, await tab.Page.TextContentAsync("#title"));
                Assert.StartsWith(hostile, await tab.Page.TextContentAsync("#panel-node h2"), StringComparison.Ordinal);
            }
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static ExplorerPage Serve() => ExplorerPage.Serve(
        Exploration.Of(ExploreCommand.TaskOf(Settings, Settings.LoadData())), 0);

    private static async Task SearchAsync(Tab tab, string text)
    {
        await tab.Page.FillAsync("#query", text);
        await tab.Page.Keyboard.PressAsync("Enter");
    }

    private static Task<string?> LossAsync(Tab tab) => tab.Page.TextContentAsync(".node.kind-root .small");

    private static async Task<int> StepAsync(Tab tab) => int.Parse(
        Regex.Match((await tab.Page.TextContentAsync("#status"))!, "^Step ([0-9,]+):").Groups[1].Value.Replace(",", "",
            StringComparison.Ordinal),
        CultureInfo.InvariantCulture);
}
