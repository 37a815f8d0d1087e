using System.Diagnostics;
using System.Net;
using System.Text.Json;
using Adjoint.Cli;
using Adjoint.Explorer;
using Adjoint.IO;

namespace Adjoint.SystemTests.Cli;

/// <summary>What <c>adjoint watch</c> serves, refuses, and when it ends.</summary>
public sealed class WatchCommandTests : IDisposable
{
    private readonly WrittenRuns runs = new();
    private readonly HttpClient client = new();

    public void Dispose()
    {
        client.Dispose();
        runs.Dispose();
    }

    [Fact]
    public async Task It_ends_with_the_run_once_the_page_has_its_last_curves()
    {
        var run = runs.Add("run", """{ "epochs": "2" }""", """{"epoch":0,"validationLoss":1,"seconds":1}""");
        var held = FolderLock.Take(run);
        using var process = Process.Start(new ProcessStartInfo("dotnet",
            [typeof(Tool).Assembly.Location, "watch", run])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var address = new Uri((await process.StandardOutput.ReadLineAsync())!);
        Assert.False((await Runs()).GetProperty("hasEnded").GetBoolean());
        File.WriteAllText(Path.Combine(run, "report.html"), "");
        held.Dispose();
        var until = DateTime.UtcNow.AddSeconds(20);
        while (!(await Runs()).GetProperty("hasEnded").GetBoolean()) Assert.True(DateTime.UtcNow < until);
        Assert.False(process.WaitForExit(1200));
        await client.GetStringAsync(new Uri(address, "api/run?id=0"));
        Assert.True(process.WaitForExit(20_000));
        Assert.Equal((0, $"Ctrl+C stops.\n{run}: complete; the page keeps its curves.\n"),
            (process.ExitCode, await process.StandardError.ReadToEndAsync()));

        async Task<JsonElement> Runs() =>
            JsonDocument.Parse(await client.GetStringAsync(new Uri(address, "api/runs"))).RootElement;
    }

    [Theory]
    [InlineData("", "text/html", 200)]
    [InlineData("watch.js", "text/javascript", 200)]
    [InlineData("dom.js", "text/javascript", 200)]
    [InlineData("api/run?id=0", "application/json", 200)]
    [InlineData("api/run?id=7", "there is no run 7", 404)]
    [InlineData("api/run?id=../x", "a whole number 'id' is needed", 400)]
    [InlineData("api/graph", "there is no api/graph", 404)]
    [InlineData("main.js", "there is no main.js", 404)]
    [InlineData("../api/runs", "right token", 403)]
    public async Task Its_page_and_nothing_else_is_served(string path, string found, int status)
    {
        runs.AddClassifier("a", "mlp", "0.1", 0.5, 0.9);
        var watched = new WatchedRuns(runs.Folder);
        watched.Look();
        using var page = ExplorerPage.Serve(new WatchSite(watched), 0);
        using var answer = await client.GetAsync(new Uri(page.Address, path));
        Assert.Equal((HttpStatusCode)status, answer.StatusCode);
        Assert.Contains(found, $"{answer.Content.Headers.ContentType} {await answer.Content.ReadAsStringAsync()}"
            .Replace("\\u0027", "'", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Other_hosts_and_orders_are_refused()
    {
        using var page = ExplorerPage.Serve(new WatchSite(new WatchedRuns(runs.Folder)), 0);
        using var foreign = new HttpRequestMessage(HttpMethod.Get, page.Address);
        foreign.Headers.Host = "evil.example";
        using var refused = await client.SendAsync(foreign);
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        using var content = new StringContent("{}", System.Text.Encoding.UTF8, "application/json");
        using var order = await client.PostAsync(new Uri(page.Address, "api/runs"), content);
        Assert.Equal("""{"error":"POST is not understood here; use GET"}""", await order.Content.ReadAsStringAsync());
    }

    [Fact]
    public void A_port_in_use_a_missing_folder_and_a_blocked_port_are_one_line()
    {
        using var page = ExplorerPage.Serve(new WatchSite(new WatchedRuns(runs.Folder)), 0);
        var (code, output, error) = ToolRun.Of("watch", runs.Folder, "--port", $"{page.Address.Port}");
        Assert.Equal((1, ""), (code, output));
        Assert.Matches($"^adjoint: port {page.Address.Port}: .*in use; name another with --port", error);
        Assert.Matches("no such folder; adjoint runs lists the runs, and adjoint train begins one\n$",
            ToolRun.Of("watch", Path.Combine(runs.Folder, "missing")).Error);
        Assert.Contains("browsers block 6000", ToolRun.Refused("watch", runs.Folder, "--port", "6000"),
            StringComparison.Ordinal);
    }
}
