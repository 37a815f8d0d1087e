using System.Globalization;
using Adjoint.Cli;
using Adjoint.Cli.Commands;
using Adjoint.Data;
using Adjoint.Experiments;
using Adjoint.Explorer;
using Microsoft.Playwright;

namespace Adjoint.Tests.Explorer;

/// <summary>The page in a real browser, compared with an engine of its own.</summary>
public sealed class PageTests(Browser browser) : IClassFixture<Browser>
{
    private static readonly SettingValues Settings =
        TrainSettings.Table.Read([new("batch-size", "32"), new("epochs", "1"), new("threads", "1")]);

    [Fact]
    public async Task A_node_shows_the_very_numbers_that_the_engine_holds()
    {
        using var page = Serve(Settings);
        await using var tab = await browser.OpenAsync(page.Address);
        var (parameters, _) = Expected(steps: 0);
        await tab.Page.ClickAsync("[data-key=m1]");
        var weight = tab.Page.GetByRole(AriaRole.Button, new() { Name = "Parameter weight 8×2" });
        await weight.ClickAsync();
        var (name, value, gradient) = parameters[0];
        Assert.Equal("1.weight", name);
        Assert.Equal(value, await tab.NumbersAsync("[data-which=value] .numbers td"));
        Assert.Equal(gradient, await tab.NumbersAsync("[data-which=gradient] .numbers td"));
        Assert.Equal("true", await weight.GetAttributeAsync("aria-pressed"));
    }

    [Fact]
    public async Task The_slider_lets_gradients_arrive_and_every_one_is_the_engines()
    {
        using var page = Serve(Settings);
        await using var tab = await browser.OpenAsync(page.Address);
        await tab.Page.ClickAsync("#unfold");
        await MoveAsync(tab, 0);
        Assert.Equal(4, await tab.Page.Locator(".node.kind-op.todo").CountAsync());
        await MoveAsync(tab, 5);
        Assert.Contains("backward CrossEntropy", await tab.Page.TextContentAsync("#phase"), StringComparison.Ordinal);
        // The gradient has arrived at the logits, and at no parameter yet.
        Assert.Equal(0, await tab.Page.Locator(".node.kind-parameter.gradient").CountAsync());
        var max = int.Parse((await tab.Page.GetAttributeAsync("#position", "max"))!, CultureInfo.InvariantCulture);
        await MoveAsync(tab, max);
        Assert.Equal(4, await tab.Page.Locator(".node.kind-parameter.gradient").CountAsync());
        var (parameters, _) = Expected(steps: 0);
        var nodes = tab.Page.Locator(".node.kind-parameter");
        var shown = new List<double[]>();
        for (var i = 0; i < await nodes.CountAsync(); i++)
        {
            var key = await nodes.Nth(i).GetAttributeAsync("data-key");
            await nodes.Nth(i).ClickAsync();
            await tab.Page.WaitForSelectorAsync($"#panel-node[data-key={key}]");
            shown.Add(await tab.NumbersAsync($"#panel-node[data-key={key}] [data-which=gradient] .numbers td"));
        }
        Assert.Equal(parameters.Select(parameter => string.Join(' ', parameter.Gradient)).Order(),
            shown.Select(gradient => string.Join(' ', gradient)).Order());
    }

    [Fact]
    public async Task A_step_shows_which_products_were_summed_and_an_op_is_checked()
    {
        using var page = Serve(Settings);
        await using var tab = await browser.OpenAsync(page.Address);
        await MoveAsync(tab, 7);
        Assert.Contains("backward Sigmoid", await tab.Page.TextContentAsync("#phase"), StringComparison.Ordinal);
        await MoveAsync(tab, 6);
        await tab.Page.SelectOptionAsync("#panel-step select", "1");
        await tab.Page.FillAsync("#panel-step .choose input", "1, 3");
        await tab.Page.Keyboard.PressAsync("Enter");
        var sum = tab.Page.Locator("#panel-step tfoot:has-text('weight[1, 3]') td[data-sum]");
        var held = Expected(steps: 0).Parameters.Single(parameter => parameter.Name == "3.weight").Gradient[8 + 3];
        Assert.Equal(held, double.Parse((await sum.GetAttributeAsync("data-sum"))!, CultureInfo.InvariantCulture),
            1e-6);
        Assert.Contains("sigmoid[", await tab.Page.TextContentAsync("#panel-step tbody"), StringComparison.Ordinal);
        await tab.Page.ClickAsync("#panel-step h2 .link");
        await tab.Page.ClickAsync(".check button");
        Assert.Contains("agrees", await tab.Page.TextContentAsync(".check .good"), StringComparison.Ordinal);
        Assert.True(await tab.Page.Locator(".formula math mfrac").CountAsync() > 0);
    }

    [Fact]
    public async Task Twenty_steps_then_another_learning_rate_and_activation()
    {
        using var page = Serve(Settings);
        await using var tab = await browser.OpenAsync(page.Address);
        for (var step = 1; step <= 20; step++)
        {
            await tab.Page.ClickAsync("#one-step");
            await tab.Page.WaitForSelectorAsync($"#progress[data-step='{step}']");
        }
        await tab.Page.FillAsync("#rate", "0.25");
        await tab.Page.Keyboard.PressAsync("Tab");
        await tab.Page.ClickAsync("#one-step");
        await tab.Page.WaitForSelectorAsync("#progress[data-step='21']");
        await tab.Page.WaitForSelectorAsync("html[data-version='0.0.21']");
        await tab.Page.ClickAsync("[data-key=m1]");
        await tab.Page.GetByRole(AriaRole.Button, new() { Name = "Parameter bias 8" }).ClickAsync();
        var (parameters, loss) = Expected(steps: 21, rateFrom20: 0.25);
        Assert.Equal(parameters.Single(parameter => parameter.Name == "1.bias").Value,
            await tab.NumbersAsync("[data-which=value] .numbers td"));
        await tab.Page.ClickAsync("#tab-training");
        Assert.Contains($"loss {loss:0.0000}", await tab.Page.TextContentAsync("#progress"), StringComparison.Ordinal);
        await tab.Page.SelectOptionAsync("#activation", "relu");
        await tab.Page.WaitForSelectorAsync("html[data-version='0.1.21']");
        Assert.True(await tab.Page.GetByRole(AriaRole.Button, new() { Name = "Module 2 Relu" }).CountAsync() > 0);
        await tab.Page.ClickAsync("#play");
        await tab.Page.WaitForSelectorAsync("#play:text-is('Pause')");
        for (var last = 21; last <= 60; last = int.Parse((await tab.Page.GetAttributeAsync("#progress", "data-step"))!,
            CultureInfo.InvariantCulture))
            await tab.Page.WaitForSelectorAsync($"#progress:not([data-step='{last}'])");
        await tab.Page.ClickAsync("#play");
        await tab.Page.WaitForSelectorAsync("#play:text-is('Play')");
        await tab.Page.FillAsync("#seed", "9");
        await tab.Page.ClickAsync("#reset");
        await tab.Page.WaitForSelectorAsync("#progress[data-step='0']");
        Assert.True(await tab.Page.Locator("canvas.boundary").CountAsync() == 1);
        Assert.Equal(4, await tab.Page.Locator(".layer").CountAsync() + 1);
    }

    [Fact]
    public async Task The_saved_file_opens_without_a_server()
    {
        var path = Path.Combine(Path.GetTempPath(), $"adjoint-{Guid.NewGuid():N}.html");
        try
        {
            using (var page = Serve(Settings))
            {
                await using var tab = await browser.OpenAsync(page.Address);
                var download = await tab.Page.RunAndWaitForDownloadAsync(() => tab.Page.ClickAsync("#save"));
                await download.SaveAsAsync(path);
            }
            await using var saved = await browser.OpenAsync(new Uri(path));
            await saved.Page.ClickAsync("#unfold");
            await saved.Page.GetByRole(AriaRole.Button, new() { Name = "Parameter weight 8×2" }).ClickAsync();
            Assert.Equal(Expected(steps: 0).Parameters[0].Gradient,
                await saved.NumbersAsync("[data-which=gradient] .numbers td"));
            await saved.Page.ClickAsync("[data-key=o0]");
            await saved.Page.ClickAsync(".check button");
            Assert.Contains("agrees", await saved.Page.TextContentAsync(".check .good"), StringComparison.Ordinal);
            await MoveAsync(saved, 6);
            await saved.Page.WaitForSelectorAsync("#panel-step td[data-sum]");
            Assert.True(await saved.Page.Locator("#tab-training").IsHiddenAsync());
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public async Task The_graph_is_walked_by_keyboard_and_search()
    {
        using var page = Serve(Settings);
        await using var tab = await browser.OpenAsync(page.Address);
        await tab.Page.FillAsync("#query", "crossentropy");
        await tab.Page.Keyboard.PressAsync("Enter");
        Assert.Equal("CrossEntropy op", (await tab.Page.TextContentAsync("#panel-node h2"))!.Trim());
        await tab.Page.FocusAsync(".node.chosen");
        await tab.Page.Keyboard.PressAsync("ArrowRight");
        await tab.Page.Keyboard.PressAsync("Enter");
        Assert.Equal("loss loss", (await tab.Page.TextContentAsync("#panel-node h2"))!.Trim());
        foreach (var key in (string[])["ArrowLeft", "ArrowLeft", "ArrowLeft", "Enter"])
            await tab.Page.Keyboard.PressAsync(key);
        Assert.Equal(1, await tab.Page.GetByRole(AriaRole.Button, new() { Name = "Fold 3 Linear(8 → 2)" })
            .CountAsync());
        Assert.Equal(
            1, await tab.Page.EvalOnSelectorAllAsync<int>(
            ".node", "nodes => nodes.filter(node => node.tabIndex === 0).length"));
    }

    [Fact]
    public async Task Inputs_stand_outside_the_box_of_the_network()
    {
        using var page = Serve(Settings);
        await using var tab = await browser.OpenAsync(page.Address);
        await tab.Page.ClickAsync("#unfold");
        Assert.Equal(0, await tab.Page.EvaluateAsync<int>("""
            () => {
              const rects = what => [...document.querySelectorAll(what)].map(one => one.getBoundingClientRect());
              const boxes = rects(".cluster > rect"), inputs = rects(".node.kind-input > circle");
              const meet = (a, b) =>
                a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
              return inputs.flatMap(a => boxes.filter(b => meet(a, b))).length;
            }
            """));
    }

    [Theory, InlineData(1440, 900, false), InlineData(390, 844, true)]
    public async Task Everything_has_a_name_and_contrast_and_nothing_sticks_out(int width, int height, bool dark)
    {
        using var page = Serve(Settings);
        await using var tab = await browser.OpenAsync(page.Address, width, height, dark);
        Assert.Empty(await tab.Page.EvaluateAsync<string[]>("""
            () => [...document.querySelectorAll("button, input, select, a, [role=button]")]
              .filter(element => element.checkVisibility() && !element.textContent.trim()
                && !element.getAttribute("aria-label") && !(element.labels?.length > 0))
              .map(element => element.outerHTML)
            """));
        Assert.True(await tab.Page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= innerWidth"));
        // WCAG 2.2, 1.4.3: text against what is behind it, at least 4.5 : 1.
        Assert.Empty(await tab.Page.EvaluateAsync<string[]>("""
            () => {
              const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
              const rgb = color => {
                canvas.clearRect(0, 0, 1, 1);
                canvas.fillStyle = color;
                canvas.fillRect(0, 0, 1, 1);
                return [...canvas.getImageData(0, 0, 1, 1).data];
              };
              const linear = v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
              const light = color => rgb(color).slice(0, 3)
                .reduce((sum, v, i) => sum + linear(v / 255) * [0.2126, 0.7152, 0.0722][i], 0);
              const behind = element => {
                for (let at = element; at; at = at.parentElement) {
                  const color = getComputedStyle(at).backgroundColor;
                  if (rgb(color)[3] === 255) return color;
                }
                return "white";
              };
              const texts = "h1, h2, h3, h4, p, dt, dd, button, label, small, figcaption, td, th, output, #legend li";
              return [...document.querySelectorAll(texts)]
                .filter(element => element.checkVisibility() && element.textContent.trim())
                .flatMap(element => {
                  const [a, b] = [light(getComputedStyle(element).color), light(behind(element))]
                    .sort((x, y) => y - x);
                  const contrast = (a + 0.05) / (b + 0.05);
                  return contrast < 4.5 ? [`${element.outerHTML.slice(0, 80)} ${contrast}`] : [];
                });
            }
            """));
    }

    [Fact]
    public async Task Ten_million_elements_open()
    {
        var w = Tensor.Full((int[])[2500, 4000], 0.5).RequireGrad();
        w.Name = "large";
        using var page = GraphExplorer.Open((w * 2).Sum());
        await using var tab = await browser.OpenAsync(page.Address);
        await tab.Page.GetByRole(AriaRole.Button, new() { Name = "Parameter large 2500×4000" }).ClickAsync();
        foreach (var which in (string[])["value", "gradient"])
            await tab.Page.WaitForSelectorAsync($"[data-which={which}] canvas.heat");
        Assert.Equal(["0.5", "0.5", "0.5"],
            await tab.Page.EvalOnSelectorAllAsync<string[]>("[data-which=value] dd[data-value='0.5']",
                "cells => cells.map(cell => cell.dataset.value)"));
    }

    [Theory, InlineData("lenet"), InlineData("resnet20")]
    public async Task Networks_for_images_open_and_unfold(string model)
    {
        try
        {
            DataFolder.Locate(null, "cifar10");
        }
        catch (AdjointException)
        {
            Assert.Skip("skipped: cifar10 is not on this machine");
        }
        using var page = Serve(TrainSettings.Table.Read([new("dataset", "cifar10"), new("model", model),
            new("batch-size", "4"), new("optimizer", "sgd"), new("lr", "0.01"), new("threads", "1")]));
        await using var tab = await browser.OpenAsync(page.Address);
        Assert.Equal(4, await tab.Page.Locator(".predictions li").CountAsync());
        await tab.Page.ClickAsync("#unfold");
        var ops = await tab.Page.Locator(".node.kind-op").CountAsync();
        Assert.Contains($"{ops} ops", await tab.Page.TextContentAsync("#status"), StringComparison.Ordinal);
        await tab.Page.FillAsync("#query", "weight 3×3");
        await tab.Page.FillAsync("#query", "conv2d");
        await tab.Page.Keyboard.PressAsync("Enter");
        await tab.Page.WaitForSelectorAsync("#panel-node td[data-sum]");
        await tab.Page.ClickAsync(".check button");
        Assert.Contains("agrees", await tab.Page.TextContentAsync(".check .good"), StringComparison.Ordinal);
    }

    private static ExplorerPage Serve(SettingValues settings) =>
        ExplorerPage.Serve(Exploration.Of(ExploreCommand.TaskOf(settings, settings.LoadData())), 0);

    private static async Task MoveAsync(Tab tab, int position) =>
        await tab.Page.EvalOnSelectorAsync(
            "#position", "(slider, to) => { slider.value = to; slider.dispatchEvent(new Event('input')); }", position);

    // The same training in an engine of the test's own: plain loop, plain backward.
    private static (List<(string Name, double[] Value, double[] Gradient)> Parameters, double Loss) Expected(
        int steps, double rateFrom20 = 1)
    {
        var data = Settings.LoadData();
        var model = Settings.CreateModel(data.Train);
        var optimizer = Settings.CreateOptimizer(model);
        var (step, last) = (0, double.NaN);
        foreach (var (x, y) in new DataLoader(data.Train, 32, new() { Shuffle = true, Seed = 1 }))
        {
            optimizer.ZeroGrad();
            var loss = Loss.CrossEntropy(model.Forward(x), y);
            loss.Backward(retainGraph: step == steps);
            if (step == steps) break;
            if (step == 20) optimizer.LearningRate = rateFrom20;
            optimizer.Step();
            (step, last) = (step + 1, loss.Item());
        }
        static double[] Shortest(Tensor tensor) =>
            [.. tensor.ToArray<float>()
                .Select(
                value => double.Parse(value.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture))];
        return (
            [.. model.NamedParameters()
                .Select(parameter => (parameter.Name, Shortest(parameter.Value), Shortest(parameter.Value.Grad!)))],
                last);
    }
}
