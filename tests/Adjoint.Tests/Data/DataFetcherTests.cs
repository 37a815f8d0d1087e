using System.Formats.Tar;
using System.IO.Compression;
using System.Net;
using System.Security.Cryptography;
using Adjoint.Data;

namespace Adjoint.Tests.Data;

/// <summary>Against a server on this machine that knows ranges, and misbehaves where asked.</summary>
public sealed class DataFetcherTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-").FullName;
    private readonly byte[] content = RandomNumberGenerator.GetBytes(300_000);
    private readonly HttpListener server = new();
    private readonly string address;
    private readonly List<string> requests = [];
    private readonly HttpClient client = new();

    public DataFetcherTests()
    {
        // HttpListener cannot choose a port itself.
        for (var port = Random.Shared.Next(20_000, 60_000); ; port++)
        {
            server.Prefixes.Clear();
            server.Prefixes.Add(address = $"http://127.0.0.1:{port}/");
            try
            {
                server.Start();
                break;
            }
            catch (HttpListenerException)
            {
            }
        }
        _ = Task.Run(async () =>
        {
            while (server.IsListening)
                try
                {
                    Answer(await server.GetContextAsync());
                }
                catch (Exception error) when (error is HttpListenerException or ObjectDisposedException)
                {
                }
        });
    }

    public void Dispose()
    {
        server.Close();
        client.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task A_file_is_fetched_once()
    {
        var progress = new List<FetchProgress>();
        var path = Path.Combine(await Fetch(progress.Add, "good"), "file");
        Assert.Equal(content, File.ReadAllBytes(path));
        Assert.Equal(new FetchProgress("file", content.Length, content.Length), progress[^1]);
        await Fetch(null, "good");
        Assert.Equal(["/good "], requests);
        Assert.Equal(["file"], Directory.GetFiles(Path.Combine(folder, "set")).Select(Path.GetFileName));
    }

    [Fact]
    public async Task An_interrupted_download_goes_on_where_it_ended()
    {
        await Assert.ThrowsAsync<DataFormatException>(() => Fetch(null, "cut"));
        Assert.Equal(100_000, new FileInfo(Path.Combine(folder, "set", "file.part")).Length);
        Assert.Equal(content, File.ReadAllBytes(Path.Combine(await Fetch(null, "good"), "file")));
        Assert.Equal(["/cut ", "/good bytes=100000-"], requests);
    }

    [Theory]
    [InlineData("missing", "answered 404")]
    [InlineData("wrong", "SHA-256 ")]
    [InlineData("long", "more than the 300000 bytes expected")]
    [InlineData("cut", "ended")]
    public async Task A_mirror_that_fails_is_followed_by_the_next_and_named_when_all_fail(string bad, string reason)
    {
        var error = await Assert.ThrowsAsync<DataFormatException>(() => Fetch(null, bad, "missing"));
        Assert.Contains($"file: no mirror delivered the file: {address}{bad}: ", error.Message,
            StringComparison.Ordinal);
        if (bad != "cut") Assert.Contains(reason, error.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(folder, "set", "file")));
        Assert.Equal(content, File.ReadAllBytes(Path.Combine(await Fetch(null, bad, "ignores-ranges"), "file")));
    }

    [Fact]
    public async Task Nobody_listening_is_a_failure_of_the_mirror()
    {
        server.Stop();
        var error = await Assert.ThrowsAsync<DataFormatException>(() => Fetch(null, "good"));
        Assert.Contains("refused", error.Message, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task A_file_with_other_content_is_not_overwritten()
    {
        Directory.CreateDirectory(Path.Combine(folder, "set"));
        File.WriteAllText(Path.Combine(folder, "set", "file"), "mine");
        var error = await Assert.ThrowsAsync<DataFormatException>(() => Fetch(null, "good"));
        Assert.Contains("another checksum", error.Message, StringComparison.Ordinal);
        Assert.Equal("mine", File.ReadAllText(Path.Combine(folder, "set", "file")));
    }

    [Fact]
    public async Task An_archive_is_unpacked_and_cannot_write_elsewhere()
    {
        using var buffer = new MemoryStream();
        using (var gzip = new GZipStream(buffer, CompressionLevel.Fastest, leaveOpen: true))
        using (var tar = new TarWriter(gzip))
            foreach (var name in (string[])["../a.bin", "deep/b.bin", "../../evil.bin"])
                tar.WriteEntry(
                    new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream([1, 2, 3]) });
        var archive = buffer.ToArray();
        content.AsSpan().Clear();
        archive.CopyTo(content, 0);
        var dataset = new RemoteDataset(
            "set", "set", [new("x.tar.gz", content.Length, Hash(), [new(address + "good")])], ["a.bin", "b.bin"]);
        var path = await new DataFetcher(client)
            .FetchAsync(dataset, folder, cancellation: TestContext.Current.CancellationToken);
        Assert.Equal(["a.bin", "b.bin"], Directory.GetFiles(path).Select(Path.GetFileName).Order());
        Assert.Equal(["set"], Directory.GetFileSystemEntries(folder).Select(Path.GetFileName));
        Assert.False(File.Exists(Path.Combine(folder, "..", "..", "evil.bin")));
        await new DataFetcher(client).FetchAsync(dataset, folder, cancellation: TestContext.Current.CancellationToken);
        Assert.Single(requests);
    }

    [Fact]
    public void Every_data_set_names_mirrors_lengths_and_checksums()
    {
        Assert.Equal(["mnist", "fashion-mnist", "cifar10"], RemoteDataset.All.Select(set => set.Name));
        Assert.All(RemoteDataset.All.SelectMany(set => set.Files), file =>
        {
            Assert.Matches("^[0-9a-f]{64}$", file.Sha256);
            Assert.True(file.Length > 0 && file.Mirrors.Count > 0);
        });
        if (Environment.GetEnvironmentVariable("ADJOINT_DATA") is not { Length: > 0 } data) return;
        Assert.All(RemoteDataset.All[0].Files,
            file => Assert.Equal(file.Sha256,
                Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(Path.Combine(data, "mnist", file.Name))))));
    }

    private Task<string> Fetch(Action<FetchProgress>? progress, params string[] mirrors) =>
        new DataFetcher(client)
            .FetchAsync(
            new("set", "set",
                [new("file", content.Length, Hash(), [.. mirrors.Select(mirror => new Uri(address + mirror))])], []),
                folder, progress, TestContext.Current.CancellationToken);

    private string Hash() => Convert.ToHexStringLower(SHA256.HashData(content));

    private void Answer(HttpListenerContext context)
    {
        var (path, response) = (context.Request.Url!.AbsolutePath, context.Response);
        var range = context.Request.Headers["Range"];
        lock (requests) requests.Add($"{path} {range}");
        var from = range is not null && path is "/good" or "/cut"
            ? int.Parse(range?["bytes=".Length..^1] ?? "0", System.Globalization.CultureInfo.InvariantCulture)
            : 0;
        var body = path switch
        {
            "/wrong" => new byte[content.Length],
            "/long" => [.. content, 1],
            _ => content[from..]
        };
        if (path == "/missing") response.StatusCode = 404;
        else
        {
            if (from > 0)
            {
                response.StatusCode = 206;
                response.Headers["Content-Range"] = $"bytes {from}-{content.Length - 1}/{content.Length}";
            }
            response.ContentLength64 = body.Length;
            if (path == "/cut" && from == 0)
            {
                response.OutputStream.Write(body, 0, 100_000);
                response.OutputStream.Flush();
                Thread.Sleep(100);
                response.Abort();
                return;
            }
            response.OutputStream.Write(body);
        }
        response.Close();
    }
}
