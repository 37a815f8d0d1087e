using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Adjoint.Cli;
using Adjoint.Cli.Commands;
using Adjoint.Explorer;
using Adjoint.IO;

namespace Adjoint.Tests.Explorer;

public sealed class ServerTests : IDisposable
{
    private readonly ExplorerPage page = GraphExplorer.Open(Graphs.Network().Loss);
    private readonly HttpClient client = new();
    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-").FullName;

    public void Dispose()
    {
        client.Dispose();
        page.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task The_page_and_its_modules_are_served()
    {
        var html = await client.GetStringAsync(page.Address);
        Assert.Contains("explorer/main", html, StringComparison.Ordinal);
        var graph = JsonDocument.Parse(await client.GetStringAsync(new Uri(page.Address, "api/graph"))).RootElement;
        Assert.Equal(4, graph.GetProperty("ops").GetArrayLength());
        using var module = await client.GetAsync(new Uri(page.Address, "layout.js"));
        Assert.Equal("text/javascript", module.Content.Headers.ContentType!.MediaType);
    }

    [Theory]
    [InlineData("/"), InlineData("/main.js"), InlineData("/00000000000000000000000000000000/"),
        InlineData("/00000000000000000000000000000000/api/graph"), InlineData("//")]
    public async Task A_missing_or_wrong_token_is_refused(string path)
    {
        var answer = await SendAsync($"GET {path} HTTP/1.1\r\nHost: {page.Address.Authority}\r\n");
        Assert.StartsWith("HTTP/1.1 403", answer, StringComparison.Ordinal);
        Assert.DoesNotContain("explorer/main", answer, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Host: evil.example"), InlineData("Host: 127.0.0.1"),
        InlineData("Host: {0}\r\nOrigin: http://evil.example"), InlineData("Host: {0}\r\nOrigin: null"),
        InlineData("Host: evil.example\r\nOrigin: http://evil.example")]
    public async Task Other_hosts_and_sites_are_refused(string headers) =>
        Assert.StartsWith("HTTP/1.1 403", await SendAsync(
            $"GET {page.Address.AbsolutePath} HTTP/1.1\r\n"
            + $"{string.Format(CultureInfo.InvariantCulture, headers, page.Address.Authority)}\r\n"),
            StringComparison.Ordinal);

    [Fact]
    public async Task Its_own_origin_and_localhost_are_answered()
    {
        Assert.StartsWith(
            "HTTP/1.1 200",
            await SendAsync(
            $"GET {page.Address.AbsolutePath} HTTP/1.1\r\nHost: {page.Address.Authority}\r\nOrigin: " +
            $"http://{page.Address.Authority}\r\n"), StringComparison.Ordinal);
        Assert.StartsWith(
            "HTTP/1.1 200",
            await SendAsync($"GET {page.Address.AbsolutePath} HTTP/1.1\r\nHost: localhost:{page.Address.Port}\r\n"),
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("api/tensor?id=999&which=value", 404, "there is no tensor 999")]
    [InlineData("api/tensor?id=x", 400, "a whole number 'id' is needed")]
    [InlineData("api/rule?op=0&input=9&element=0", 400, "has no input 9")]
    [InlineData("api/rule?op=0&input=1&element=9999", 400, "element 9999 is outside")]
    [InlineData("api/parts?op=-1&element=0", 404, "there is no op -1")]
    [InlineData("api/check?op=77", 404, "there is no op 77")]
    [InlineData("api/pictures?id=0&which=value&from=0", 404, "has no pictures")]
    [InlineData("api/pictures?id=0&which=value", 400, "a whole number 'from' is needed")]
    [InlineData("api/training", 404, "nothing is trained here")]
    [InlineData("api/nothing", 404, "there is no api/nothing")]
    [InlineData("../secrets", 403, "token")]
    [InlineData("secrets.txt", 404, "there is no secrets.txt")]
    public async Task Bad_requests_get_one_line(string path, int status, string message)
    {
        using var answer = await client.GetAsync(new Uri(page.Address, path));
        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Contains(message, (await answer.Content.ReadAsStringAsync())
            .Replace("\\u0027", "'", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{", "no JSON"), InlineData("[]", "fixed graph"), InlineData("{\"action\":\"step\"}", "fixed graph")]
    public async Task Bad_orders_get_one_line(string body, string message)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using var answer = await client.PostAsync(new Uri(page.Address, "api/training"), content);
        Assert.InRange((int)answer.StatusCode, 400, 404);
        Assert.Contains(message, await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{\"action\":\"\\ud800\"}", "no valid Unicode")]
    [InlineData("{\"\\ud800\":1}", "no valid Unicode")]
    [InlineData("{\"optimizer\":\"\\ud800\"}", "no valid Unicode")]
    [InlineData("{\"optimizer\":\"lion\"}", "is none of sgd")]
    [InlineData("{\"action\":\"reset\",\"seed\":-1}", "a whole number from 0")]
    [InlineData("{\"learningRate\":1e999}", "out of range")]
    public async Task Bad_orders_to_a_training_get_one_line(string body, string message)
    {
        var settings = TrainSettings.Table.Read([]);
        using var training = ExplorerPage.Serve(
            Exploration.Of(ExploreCommand.TaskOf(settings, settings.LoadData())), 0);
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using var answer = await client.PostAsync(new Uri(training.Address, "api/training"), content);
        Assert.Equal(400, (int)answer.StatusCode);
        Assert.Contains(message, await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_busy_port_says_so()
    {
        var error =
            Assert.Throws<AdjointException>(() => GraphExplorer.Open(Graphs.Network().Loss, port: page.Address.Port));
        Assert.Matches($"^port {page.Address.Port}: .*in use; name another with --port", error.Message);
    }

    // Some of the fetch standard's bad ports, from each of its ends.
    [Theory]
    [InlineData(1), InlineData(22), InlineData(2049), InlineData(4190), InlineData(5060), InlineData(6000),
        InlineData(6566)]
    [InlineData(6665), InlineData(6666), InlineData(6667), InlineData(6668), InlineData(6669), InlineData(6679),
        InlineData(6697), InlineData(10080)]
    public void A_port_that_browsers_block_is_refused_with_the_remedy(int port)
    {
        var error = Assert.Throws<AdjointException>(() => GraphExplorer.Open(Graphs.Network().Loss, port: port));
        Assert.Equal($"port: browsers block {port}, whatever serves it (the fetch standard's bad ports); "
            + "name another, such as 8080, or leave it out for any free one", error.Message);
        // Before any data is read.
        var told = Fails(2, "explore", "--dataset", "cifar10", "--data-dir", folder, "--port", $"{port}");
        Assert.Contains($"--port: browsers block {port}", told, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(-1), InlineData(65536), InlineData(int.MaxValue), InlineData(int.MinValue)]
    public void A_port_that_is_none_is_refused(int port)
    {
        var error = Assert.Throws<AdjointException>(() => GraphExplorer.Open(Graphs.Network().Loss, port: port));
        Assert.StartsWith($"port: {port} is out of range; use 1 to 65535", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_free_port_that_browsers_block_is_given_back_for_another()
    {
        var offered = new List<int>();
        using var exploration = new Exploration(
            ComputationGraph.Of(Graphs.Network().Loss), "");
        await using var server = await PageServer.StartAsync(new ExplorerSite(exploration), 0, port =>
        {
            offered.Add(port);
            return offered.Count < 3;
        });
        Assert.Equal((3, offered[2]), (offered.Count, server.Address.Port));
        Assert.DoesNotContain(offered, BlockedPorts.Contains);
        Assert.Contains("explorer/main", await client.GetStringAsync(server.Address), StringComparison.Ordinal);
    }

    [Fact]
    public void A_checkpoint_that_does_not_fit_says_so()
    {
        var file = Path.Combine(folder, "other.safetensors");
        SafeTensors.Save(file, new Adjoint.Nn.Mlp(2, [3], 2).StateDict());
        var error = Fails(1, "explore", "--checkpoint", file);
        Assert.Contains($"--checkpoint {file}: LoadStateDict: 1.weight must be (8, 2)", error,
            StringComparison.Ordinal);
        Assert.Contains("holds no best.safetensors", Fails(1, "explore", "--checkpoint", folder),
            StringComparison.Ordinal);
        File.WriteAllText(Path.Combine(folder, "best.safetensors"), "");
        File.WriteAllText(Path.Combine(folder, "settings.json"), "{");
        Assert.Contains("settings.json, offset 0: found what does not parse",
            Fails(1, "explore", "--checkpoint", folder), StringComparison.Ordinal);
    }

    [Fact]
    public void The_folder_of_a_run_brings_its_settings_and_options_override_them()
    {
        var run = Path.Combine(folder, "run");
        using (var output = new StringWriter())
        using (var error = new StringWriter())
            Assert.Equal(
                0, Tool.Run(["train", "--hidden", "5,3", "--activation", "relu", "--epochs", "1", "--data-share",
                    "0.02", "--quiet", "--out", run], output, error));
        // The port is asked for last: a network of the default size would not have taken these weights.
        Assert.StartsWith($"adjoint: port {page.Address.Port}: ",
            Fails(1, "explore", "--checkpoint", run, "--port", $"{page.Address.Port}"), StringComparison.Ordinal);
        Assert.Contains("must be (6, 2)", Fails(1, "explore", "--checkpoint", run, "--hidden", "6,3", "--port",
            $"{page.Address.Port}"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--port 70000", "--port: 70000 is out of range"),
        InlineData("--dataset mnits", "did you mean 'mnist'?"),
        InlineData("--batch-size 5000", "--batch-size: 5000 is out of range"),
        InlineData("--modle mlp", "did you mean '--model'?"), InlineData("--opn", "did you mean '--open'?")]
    public void Wrong_usage_is_one_line_and_exit_code_2(string options, string message) =>
        Assert.Contains(message, Fails(2, ["explore", .. options.Split(' ')]), StringComparison.Ordinal);

    private static string Fails(int expected, params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        Assert.Equal(expected, Tool.Run(args, output, error));
        Assert.Single(error.ToString().TrimEnd().Split('\n'));
        return error.ToString();
    }

    // Headers that the client would not send.
    private async Task<string> SendAsync(string head)
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync(IPAddress.Loopback, page.Address.Port);
        await using var stream = socket.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"{head}Connection: close\r\n\r\n"));
        using var reader = new StreamReader(stream);
        return await reader.ReadToEndAsync();
    }
}
