using System.Buffers.Binary;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Adjoint.Data;
using Adjoint.Explorer;
using Adjoint.Generation;
using Adjoint.Nn;
using Adjoint.Tests.Cli;

namespace Adjoint.Tests.Explorer;

/// <summary>The page of a language model: its answers, and what a real browser makes of them.</summary>
public sealed class LanguagePageTests : IClassFixture<Browser>, IDisposable
{
    private const string Learned = "\n <>abc&";
    private readonly Browser browser;
    private readonly CharacterText text = CharacterText.Fit(Learned);
    private readonly Gpt model;
    private readonly ExplorerPage page;
    private readonly HttpClient client = new();

    public LanguagePageTests(Browser browser)
    {
        this.browser = browser;
        model = new(new() { Vocabulary = text.Size, Context = 12, Width = 16, Heads = 2, Layers = 2 },
            new Generator(1));
        using (new NoGrad())
            foreach (var weight in model.Parameters().Where(one => one.Rank == 2)) weight.CopyFrom(weight * 20);
        page = Serve(model, text);
    }

    public void Dispose()
    {
        client.Dispose();
        page.Dispose();
    }

    [Fact]
    public async Task A_text_is_answered_with_tokens_probabilities_and_weights()
    {
        var json = await Post("look", """{ "text": "ab<a" }""");
        Assert.Equal("ab<a", json.GetProperty("text").GetString());
        var tokens = json.GetProperty("tokens").EnumerateArray().ToArray();
        Assert.Equal(["a", "b", "<", "a"], tokens.Select(one => one.GetProperty("text").GetString()));
        int[] ids = [.. tokens.Select(one => one.GetProperty("id").GetInt32())];
        Assert.Equal(text.Encode("ab<a"), ids);
        Assert.False(tokens[0].TryGetProperty("probability", out _));
        var logits = Logits(ids);
        for (var place = 1; place < 4; place++)
            Assert.Equal(Softmax(logits[place - 1])[ids[place]], tokens[place].GetProperty("probability").GetDouble(),
                1e-9);
        Assert.Equal([("layers.0.self_attn", 2), ("layers.1.self_attn", 2)],
            json.GetProperty("layers").EnumerateArray()
                .Select(one => (one.GetProperty("name").GetString(), one.GetProperty("heads").GetInt32())));
        var shares = Shares(json);
        Assert.Equal(2 * 2 * 4 * 4, shares.Length);
        for (var row = 0; row < 16; row++)
        {
            Assert.Equal(1, shares[(4 * row)..(4 * row + 4)].Sum(), 1e-4);
            Assert.All(shares[(4 * row + row % 4 + 1)..(4 * row + 4)], share => Assert.Equal(0, share));
        }
        // Those of the second layer are the second half.
        Tensor? weights = null;
        using (model.Layers[1].SelfAttention.RegisterWeightsHook((_, found) => weights = found)) Logits(ids);
        Assert.Equal(weights!.ItemAt(0, 1, 2, 1), shares[3 * 16 + 2 * 4 + 1], 1e-5);
        // Again, and with other tokens between: what is kept is that of the tokens.
        await Post("look", """{ "tokens": [3] }""");
        Assert.Equal(json.GetRawText(), (await Post("look", """{ "tokens": [4, 5, 2, 4] }""".Replace("4, 5, 2, 4",
            string.Join(',', ids)))).GetRawText());
    }

    [Fact]
    public async Task The_next_token_has_the_models_distribution_and_the_one_it_is_drawn_from()
    {
        var ids = text.Encode("ab");
        var order = $$"""{ "tokens": [{{string.Join(',', ids)}}], "place": 0, "temperature": 0.5, "topK": 3 }""";
        var json = await Post("next", order);
        var expected = Softmax(Logits(ids)[0]);
        var sharpened = Softmax([.. Logits(ids)[0].Select(logit => 2 * logit)]);
        var tokens = json.GetProperty("tokens").EnumerateArray().ToArray();
        Assert.Equal(text.Size, tokens.Length);
        Assert.Equal(3, json.GetProperty("possible").GetInt32());
        Assert.Equal(expected.OrderDescending(), tokens.Select(one => one.GetProperty("model").GetDouble()),
            (a, b) => Math.Abs(a - b) < 1e-9);
        var kept = sharpened.OrderDescending().Take(3).Sum();
        foreach (var one in tokens.Take(3))
            Assert.Equal(sharpened[one.GetProperty("id").GetInt32()] / kept, one.GetProperty("drawn").GetDouble(),
                1e-9);
        Assert.All(tokens.Skip(3), one => Assert.Equal(0, one.GetProperty("drawn").GetDouble()));
        Assert.Contains(json.GetProperty("draw").GetInt32(),
            tokens.Take(3).Select(one => one.GetProperty("id").GetInt32()));
        // Another seed, another token, some time.
        var draws = new HashSet<int>();
        for (var seed = 0; seed < 40; seed++)
            draws.Add((await Post("next", $$"""{ "text": "ab", "seed": {{seed}} }""")).GetProperty("draw").GetInt32());
        Assert.InRange(draws.Count, 2, text.Size);
    }

    [Fact]
    public async Task Of_a_text_beyond_the_context_the_last_tokens_are_shown()
    {
        var json = await Post("look", $$"""{ "text": "{{new string('b', 20)}}c" }""");
        Assert.Equal(9, json.GetProperty("hidden").GetArrayLength());
        Assert.Equal(12, json.GetProperty("tokens").GetArrayLength());
        Assert.Equal(new string('b', 20) + "c", json.GetProperty("text").GetString());
        // An empty one is a line break.
        Assert.Equal("\n", (await Post("look", """{ "text": "" }""")).GetProperty("text").GetString());
    }

    [Theory]
    [InlineData("look", "[]", "an order is a JSON object")]
    [InlineData("look", "{}", "an order needs a 'text', or 'tokens'")]
    [InlineData("look", """{ "tokens": [1, 99] }""", "tokens: each must be a whole number from 0 to 8")]
    [InlineData("look", """{ "tokens": [1.5] }""", "tokens: each must be a whole number from 0 to 8")]
    [InlineData("look", """{ "tokens": 3 }""", "tokens: a list of whole numbers is needed")]
    [InlineData("look", """{ "text": "\ud800" }""", "half a surrogate pair")]
    [InlineData("next", """{ "text": "a", "place": 1 }""", "place: 1 is none of the 1 tokens")]
    [InlineData("next", """{ "text": "a", "temperature": -1 }""", "the temperature must be 0 or more")]
    [InlineData("next", """{ "text": "a", "temperature": "1" }""", "temperature: a number is needed")]
    [InlineData("next", """{ "text": "a", "topK": 0 }""", "top-k must keep 1 token or more")]
    [InlineData("training", "{}", "use GET, or POST to api/look or api/next")]
    public async Task What_is_no_order_is_refused(string what, string order, string message)
    {
        using var answer = await client.PostAsync(new Uri(page.Address, $"api/{what}"),
            new StringContent(order, Encoding.UTF8, "application/json"));
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        var error = await answer.Content.ReadFromJsonAsync<JsonElement>();
        Assert.Contains(message, error.GetProperty("error").GetString(), StringComparison.Ordinal);
    }

    [Theory, InlineData(1300, false), InlineData(1300, true), InlineData(360, false)]
    public async Task A_text_is_looked_at_and_continued(int width, bool dark)
    {
        await using var tab = await browser.OpenAsync(page.Address, width, 900, dark);
        await tab.Page.WaitForSelectorAsync("html[data-ready=true]");
        await tab.Page.FillAsync("#written", "<b>a");
        await tab.Page.PressAsync("#written", "Enter");
        await tab.Page.WaitForSelectorAsync("#tokens button:nth-child(4)");
        Assert.Equal(["<", "b", ">", "a"], await tab.Page.Locator("#tokens button").AllTextContentsAsync());
        Assert.Equal(4, await tab.Page.Locator("#heads button").CountAsync());
        Assert.Equal("Layer 1, head 1", await tab.Page.TextContentAsync("#head"));
        Assert.Equal(width, await tab.Page.EvaluateAsync<int>("document.documentElement.scrollWidth"));
        // A token that is chosen is appended.
        await tab.Page.WaitForSelectorAsync("html[data-ready=true]");
        var first = tab.Page.Locator("#bars li").First;
        var token = int.Parse((await first.GetAttributeAsync("data-token"))!);
        await first.Locator("button").ClickAsync();
        await tab.Page.WaitForSelectorAsync("#tokens button:nth-child(5)");
        await tab.Page.WaitForSelectorAsync("html[data-ready=true]");
        Assert.Equal($"token {token}",
            (await tab.Page.GetAttributeAsync("#tokens button:nth-child(5)", "title"))![..7]);
        await tab.Page.ClickAsync("#back");
        await tab.Page.WaitForSelectorAsync("#tokens button:nth-child(5)", new() { State = Detached });
        await tab.Page.ClickAsync("#draw");
        await tab.Page.WaitForSelectorAsync("#tokens button:nth-child(5)");
    }

    [Fact]
    public async Task Heads_and_cells_are_chosen_by_keys()
    {
        await using var tab = await browser.OpenAsync(page.Address);
        await tab.Page.WaitForSelectorAsync("html[data-ready=true]");
        await tab.Page.FillAsync("#written", "abc");
        await tab.Page.PressAsync("#written", "Enter");
        await tab.Page.WaitForSelectorAsync("#tokens button:nth-child(3)");
        await tab.Page.WaitForSelectorAsync("html[data-ready=true]");
        await tab.Page.FocusAsync("#head-3");
        await tab.Page.Keyboard.PressAsync("Enter");
        Assert.Equal("Layer 2, head 2", await tab.Page.TextContentAsync("#head"));
        await tab.Page.FocusAsync(".stage");
        foreach (var key in (string[])["ArrowUp", "ArrowRight", "ArrowLeft", "ArrowLeft", "ArrowLeft"])
            await tab.Page.Keyboard.PressAsync(key);
        Assert.StartsWith("b (2) takes", await tab.Page.TextContentAsync("#cell"), StringComparison.Ordinal);
        Assert.EndsWith("from a (1)", await tab.Page.TextContentAsync("#cell"), StringComparison.Ordinal);
        var shares = Shares(await Post("look", """{ "text": "abc" }"""));
        Assert.Equal(shares[3 * 9 + 3], (await tab.NumbersAsync("#cell"))[0], 1e-12);
        // The row is the token whose successor is shown.
        await tab.Page.WaitForSelectorAsync("#place:has-text('After b (2), where c follows')");
        await tab.Page.WaitForSelectorAsync("html[data-ready=true]");
        await tab.Page.FocusAsync("#tokens [aria-pressed=true]");
        await tab.Page.Keyboard.PressAsync("End");
        await tab.Page.WaitForSelectorAsync("#place:has-text('After c, the last token')");
    }

    [Fact]
    public async Task Sliders_change_what_is_drawn_from()
    {
        var tab = await browser.OpenAsync(page.Address);
        await tab.Page.FillAsync("#temperature", "0");
        await tab.Page.WaitForSelectorAsync("#others:has-text('1 can be drawn')");
        await tab.Page.FillAsync("#temperature", "1");
        await tab.Page.FillAsync("#top-k", "2");
        await tab.Page.WaitForSelectorAsync("#others:has-text('2 can be drawn')");
        var drawn = await tab.Page.Locator("#bars li").EvaluateAllAsync<double[]>(
            "bars => bars.map(bar => Number(bar.dataset.drawn))");
        Assert.Equal(1, drawn[0] + drawn[1], 1e-9);
        await tab.Page.FillAsync("#top-k", "0");
        await tab.Page.WaitForSelectorAsync("#problem:has-text('top-k must keep 1 token or more')");
        // The refusal is noted by the browser's console: not disposed of as others are.
        await tab.Page.Context.CloseAsync();
    }

    [Fact]
    public async Task A_model_without_attention_and_parts_of_characters_have_a_page()
    {
        using var other = Serve(new Generation.HistoryModel(256, null), new ByteText());
        await using var tab = await browser.OpenAsync(other.Address);
        await tab.Page.FillAsync("#written", "é\u202e");
        await tab.Page.PressAsync("#written", "Enter");
        await tab.Page.WaitForSelectorAsync("#tokens button:nth-child(5)");
        Assert.Equal(["#195", "#169", "#226", "#128", "#174"],
            await tab.Page.Locator("#tokens button").AllTextContentsAsync());
        Assert.False(await tab.Page.IsVisibleAsync("#attention"));
    }

    [Fact]
    public void The_tool_refuses_settings_of_a_training()
    {
        var folder = Directory.CreateTempSubdirectory("adjoint-").FullName;
        try
        {
            model.Save(Path.Combine(folder, "best.safetensors"), new() { Preprocessing = text });
            Assert.StartsWith("adjoint: --lr: has no effect on the page of a language model",
                ToolRun.Refused("explore", "--checkpoint", folder, "--lr", "0.1"), StringComparison.Ordinal);
            Assert.StartsWith("adjoint: --model gpt: language models are not trained on this page; train one",
                ToolRun.Refused("explore", "--model", "gpt"), StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private const Microsoft.Playwright.WaitForSelectorState Detached =
        Microsoft.Playwright.WaitForSelectorState.Detached;

    private static ExplorerPage Serve(LanguageModel model, TextPreprocessing text) =>
        ExplorerPage.Serve(new LanguageSite(new(new TextGenerator(model, text), "a run")), 0);

    private async Task<JsonElement> Post(string what, string order)
    {
        using var answer = await client.PostAsync(new Uri(page.Address, $"api/{what}"),
            new StringContent(order, Encoding.UTF8, "application/json"));
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        return await answer.Content.ReadFromJsonAsync<JsonElement>();
    }

    private static double[] Shares(JsonElement json)
    {
        var bytes = json.GetProperty("weights").GetBytesFromBase64();
        return [.. Enumerable.Range(0, bytes.Length / 2)
            .Select(i => BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(2 * i)) / 65535.0)];
    }

    // Of each place.
    private double[][] Logits(int[] tokens)
    {
        using var _ = new NoGrad();
        var logits = model.Eval().Forward(Tensor.From([.. tokens.Select(token => (long)token)], 1, tokens.Length));
        return [.. logits.To(DType.Float64).ToArray<double>().Chunk(text.Size)];
    }

    private static double[] Softmax(double[] logits)
    {
        var weights = logits.Select(logit => Math.Exp(logit - logits.Max())).ToArray();
        return [.. weights.Select(weight => weight / weights.Sum())];
    }
}
