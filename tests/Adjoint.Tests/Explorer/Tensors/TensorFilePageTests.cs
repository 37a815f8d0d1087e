using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Adjoint.Explorer;
using Adjoint.IO;

namespace Adjoint.Tests.Explorer;

/// <summary>The page of a file of tensors: its answers, and what a real browser makes of them.</summary>
public sealed class TensorFilePageTests : IClassFixture<Browser>, IDisposable
{
    // As the file has them: larger element types first.
    private static readonly (string Name, Tensor Value)[] Saved =
    [
        ("steps", Tensor.Scalar(7, DType.Int64)),
        ("<b>bold</b>", Tensor.From(new[] { 1f, float.NaN, -3 })),
        ("layer1.conv.weight", Tensor.Randn([8, 3, 5, 5], new Generator(1))),
        ("layer2.weight", Tensor.Randn([100, 40], new Generator(2))),
        ("none", Tensor.Zeros(0, 3)),
        ("layer1.conv.bias", Tensor.From(new[] { 0.1f, 0.2f, 0.3f, 0.4f, 0.5f, 0.6f, 0.7f, 0.8f }).To(DType.BFloat16)),
    ];

    private readonly Browser browser;
    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-").FullName;
    private readonly ExplorerPage page;
    private readonly HttpClient client = new();

    public TensorFilePageTests(Browser browser)
    {
        this.browser = browser;
        var path = Path.Combine(folder, "some.safetensors");
        SafeTensors.Save(path, Saved.ToDictionary(one => one.Name, one => one.Value),
            new Dictionary<string, string> { ["note"] = "<script>alert(1)</script>" });
        page = Serve(path);
    }

    public void Dispose()
    {
        client.Dispose();
        page.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task The_file_is_told_with_its_metadata()
    {
        var file = await Ask("file");
        Assert.Equal(("some", "safetensors", 6), (file.GetProperty("title").GetString(),
            file.GetProperty("format").GetString(), file.GetProperty("count").GetInt32()));
        Assert.Equal(Saved.Sum(one => (double)one.Value.Length), file.GetProperty("elements").GetDouble());
        Assert.Equal("<script>alert(1)</script>", file.GetProperty("notes")[0][1].GetString());
    }

    [Theory]
    [InlineData("", "", "steps,<b>bold</b>,layer1.conv.weight,layer2.weight,none,layer1.conv.bias")]
    [InlineData("WEIGHT", "", "layer1.conv.weight,layer2.weight")]
    [InlineData("weight f32", "", "layer1.conv.weight,layer2.weight")]
    [InlineData("3×5", "", "layer1.conv.weight")]
    [InlineData("100x40", "", "layer2.weight")]
    [InlineData("layer", "size", "layer2.weight,layer1.conv.weight,layer1.conv.bias")]
    [InlineData("nothing", "", "")]
    public async Task The_list_is_searched_and_sorted(string search, string sort, string expected)
    {
        var list = await Ask($"tensors?search={Uri.EscapeDataString(search)}&sort={sort}");
        Assert.Equal(expected, string.Join(',',
            list.GetProperty("tensors").EnumerateArray().Select(one => one.GetProperty("name").GetString())));
    }

    [Fact]
    public async Task A_tensor_has_its_summary_histogram_and_pictures()
    {
        var json = await Ask("tensor?tensor=2");
        var values = Saved[2].Value.ToArray<float>();
        Assert.Equal(values.Min(), json.GetProperty("summary").GetProperty("minimum").GetDouble());
        Assert.Equal(values.Average(), json.GetProperty("summary").GetProperty("mean").GetDouble(), 1e-6);
        Assert.Equal(values.Length, json.GetProperty("histogram").EnumerateArray().Sum(one => one.GetInt32()));
        Assert.Equal((8, 3), (json.GetProperty("pictures").GetProperty("total").GetInt32(),
            json.GetProperty("pictures").GetProperty("channels").GetInt32()));
        Assert.Equal(2, (await Ask("pictures?tensor=2&from=6")).GetProperty("count").GetInt32());
        var bad = await Ask("tensor?tensor=1");
        Assert.Equal(1, bad.GetProperty("summary").GetProperty("nans").GetInt32());
    }

    [Fact]
    public async Task A_slice_has_the_numbers_of_two_axes()
    {
        var tensor = Saved[2].Value;
        var json = await Ask("slice?tensor=2&rows=3&columns=0&at=9,2,4,9");
        Assert.Equal([5, 8], json.GetProperty("shape").EnumerateArray().Select(one => one.GetInt32()));
        Assert.Equal(
            from row in Enumerable.Range(0, 5)
            from column in Enumerable.Range(0, 8)
            select (float)tensor.ItemAt(column, 2, 4, row),
            json.GetProperty("values").EnumerateArray().Select(one => one.GetSingle()));

        var matrix = Saved[3].Value;
        var blocks = (await Ask("slice?tensor=3&rows=0&columns=1&at=0,0")).GetProperty("blocks");
        Assert.Equal((100, 40, 64, 40), (blocks.GetProperty("rows").GetInt32(),
            blocks.GetProperty("columns").GetInt32(), blocks.GetProperty("down").GetInt32(),
            blocks.GetProperty("across").GetInt32()));
        var window = await Ask("numbers?tensor=3&rows=0&columns=1&at=0,0&row=90&column=35");
        Assert.Equal([10, 5], window.GetProperty("shape").EnumerateArray().Select(one => one.GetInt32()));
        Assert.Equal(
            from row in Enumerable.Range(90, 10)
            from column in Enumerable.Range(35, 5)
            select (float)matrix.ItemAt(row, column),
            window.GetProperty("values").EnumerateArray().Select(one => one.GetSingle()));
        Assert.Equal("[7]", (await Ask("slice?tensor=0&rows=0&columns=1&at=")).GetProperty("values").GetRawText());
        Assert.Equal("[]", (await Ask("slice?tensor=4&rows=0&columns=1&at=0,0")).GetProperty("values").GetRawText());
    }

    // In digits of its own type.
    [Fact]
    public async Task A_vector_is_one_row() => Assert.Equal("[0.1,0.2,0.3,0.4,0.5,0.6,0.7,0.8]",
        (await Ask("slice?tensor=5&rows=0&columns=1&at=0")).GetProperty("values").GetRawText());

    [Theory]
    [InlineData("tensor?tensor=6", "there is no tensor 6; there are 6, from 0")]
    [InlineData("tensor?tensor=-1", "there is no tensor -1")]
    [InlineData("tensor", "a whole number 'tensor' is needed")]
    [InlineData("slice?tensor=2&rows=1&columns=1&at=0,0,0,0", "two different axes")]
    [InlineData("slice?tensor=2&rows=0&columns=4&at=0,0,0,0", "two different axes")]
    [InlineData("slice?tensor=2&rows=0&columns=1&at=0,0", "needs 4 indices: found 2")]
    [InlineData("slice?tensor=2&rows=0&columns=1&at=0,0,0,5", "there is no index 5 on axis 3; there are 5, from 0")]
    [InlineData("slice?tensor=2&rows=0&columns=1&at=0,0,-1,0", "indices with commas between")]
    [InlineData("numbers?tensor=3&rows=0&columns=1&at=0,0&row=100&column=0", "there is no row 100")]
    [InlineData("pictures?tensor=2&from=8", "there is no picture 8")]
    [InlineData("pictures?tensor=3&from=0", "has no pictures")]
    [InlineData("rule?tensor=3", "there is no api/rule")]
    public async Task What_is_not_there_is_refused(string what, string message)
    {
        using var answer = await client.GetAsync(new Uri(page.Address, $"api/{what}"));
        Assert.Contains(answer.StatusCode, new[] { HttpStatusCode.BadRequest, HttpStatusCode.NotFound });
        var error = await answer.Content.ReadFromJsonAsync<JsonElement>();
        Assert.Contains(message, error.GetProperty("error").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Of_a_large_tensor_a_part_is_looked_at_and_what_cannot_be_read_says_why()
    {
        // Files of zeros that take no room on the disk; the last numbers of the vector are not read one by one.
        const int length = TensorFileExploration.MostRead * 2;
        var path = Path.Combine(folder, "large.safetensors");
        Write(path, $$"""
            {"complex":{"dtype":"C64","shape":[1],"data_offsets":[0,8]},
             "turned\u202e":{"dtype":"F8_E4M3","shape":[8],"data_offsets":[8,16]},
             "vector":{"dtype":"F32","shape":[{{length}}],"data_offsets":[16,{{16 + 4L * length}}] } }
            """, 16 + 4L * length);
        using var large = Serve(path);
        var json = await Ask("tensor?tensor=2", large);
        Assert.Equal((length, TensorFileExploration.MostRead),
            (json.GetProperty("elements").GetInt32(), json.GetProperty("read").GetInt32()));
        var slice = await Ask("slice?tensor=2&rows=0&columns=1&at=0", large);
        Assert.InRange(slice.GetProperty("blocks").GetProperty("means").GetArrayLength(), 1, 64 * 64);
        Assert.Equal("float16", (await Ask("tensor?tensor=1", large)).GetProperty("dtype").GetString());
        Assert.Equal("turned\\u202E", (await Ask("tensors?search=turned", large)).GetProperty("tensors")[0]
            .GetProperty("name").GetString());
        Assert.Equal("no element type here holds C64: this tensor can only be listed",
            (await Ask("tensor?tensor=0", large)).GetProperty("error").GetString());
    }

    [Fact]
    public async Task A_list_without_end_is_cut()
    {
        var path = Path.Combine(folder, "many.safetensors");
        var entries = Enumerable.Range(0, TensorFileExploration.MostListed + 5).Select(i =>
            $"\"{(i == 0 ? new string('n', 5000) : $"t{i}")}\":"
                + $"{{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[{i},{i + 1}]}}");
        Write(path, $"{{{string.Join(',', entries)}}}", TensorFileExploration.MostListed + 5);
        using var many = Serve(path);
        var list = await Ask("tensors", many);
        Assert.Equal((TensorFileExploration.MostListed + 5, TensorFileExploration.MostListed),
            (list.GetProperty("found").GetInt32(), list.GetProperty("tensors").GetArrayLength()));
        var name = (await Ask("tensors?search=nnn", many)).GetProperty("tensors")[0].GetProperty("name").GetString();
        Assert.InRange(name!.Length, 500, 600);
    }

    [Theory, InlineData(1280, false), InlineData(1280, true), InlineData(400, false)]
    public async Task A_tensor_is_chosen_and_sliced(int width, bool dark)
    {
        await using var tab = await browser.OpenAsync(page.Address, width, 900, dark);
        await tab.Page.WaitForSelectorAsync("html[data-ready=true]");
        Assert.Equal("some", await tab.Page.TextContentAsync("#title"));
        // A name is text, never markup.
        Assert.Equal("<b>bold</b>", await tab.Page.TextContentAsync("[data-tensor='1'] bdi"));
        Assert.Equal(0, await tab.Page.Locator("b").CountAsync());

        await tab.Page.ClickAsync("[data-tensor='2']");
        await tab.Page.WaitForSelectorAsync("#slice:not([hidden])");
        Assert.Equal("layer1.conv.weight", await tab.Page.TextContentAsync("#name"));
        Assert.Equal(8, await tab.Page.Locator(".pictures canvas").CountAsync());
        await tab.Page.FillAsync("#at-2", "4");
        await tab.Page.PressAsync("#at-2", "Enter");
        await tab.Page.SelectOptionAsync("#axis-rows", "1");
        await tab.Page.WaitForSelectorAsync("#map tr:nth-child(3):last-child");
        var numbers = await tab.NumbersAsync("#map td");
        Assert.Equal((float)Saved[2].Value.ItemAt(5, 1, 4, 0), (float)numbers[1 * 8 + 5]);
        Assert.Equal(width, await tab.Page.EvaluateAsync<int>("document.documentElement.scrollWidth"));

        // With the keyboard alone: search, the list, the numbers from a row on.
        await tab.Page.Keyboard.PressAsync("Escape");
        await tab.Page.FocusAsync("#theme");
        await tab.Page.Keyboard.PressAsync("/");
        await tab.Page.Keyboard.TypeAsync("layer2");
        await tab.Page.WaitForSelectorAsync("#tensors > button:only-child");
        await tab.Page.FocusAsync("#tensors button");
        await tab.Page.Keyboard.PressAsync("Enter");
        await tab.Page.WaitForSelectorAsync("#name:text-is('layer2.weight')");
        await tab.Page.WaitForSelectorAsync("#numbers td[data-value]");
        await tab.Page.FillAsync("#row", "99");
        await tab.Page.PressAsync("#row", "Enter");
        await tab.Page.WaitForSelectorAsync("#numbers tbody tr:only-child");
        numbers = await tab.NumbersAsync("#numbers td[data-value]");
        Assert.Equal((float)Saved[3].Value.ItemAt(99, 3), (float)numbers[3]);
        Assert.Equal(width, await tab.Page.EvaluateAsync<int>("document.documentElement.scrollWidth"));

        // Loaded again, the page shows the same tensor.
        await tab.Page.ReloadAsync();
        await tab.Page.WaitForSelectorAsync("#name:text-is('layer2.weight')");
    }

    private static ExplorerPage Serve(string path) =>
        ExplorerPage.Serve(new TensorFileSite(new(TensorFile.Open(path), Path.GetFileNameWithoutExtension(path))), 0);

    private async Task<JsonElement> Ask(string what, ExplorerPage? of = null)
    {
        using var answer = await client.GetAsync(new Uri((of ?? page).Address, $"api/{what}"));
        return await answer.Content.ReadFromJsonAsync<JsonElement>();
    }

    private static void Write(string path, string header, long bytes)
    {
        using var file = File.Create(path);
        var text = System.Text.Encoding.UTF8.GetBytes(header);
        file.Write(BitConverter.GetBytes((ulong)text.Length));
        file.Write(text);
        file.SetLength(file.Length + bytes);
    }
}
