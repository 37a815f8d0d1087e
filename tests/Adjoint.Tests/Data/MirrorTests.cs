using System.Globalization;
using System.IO.Compression;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Adjoint.Data;

namespace Adjoint.Tests.Data;

/// <summary>
/// Mirrors that give something else, in every way known, before one that gives the file: bytes on the wire.
/// </summary>
public sealed partial class MirrorTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-").FullName;
    private readonly byte[] content = RandomNumberGenerator.GetBytes(200_000);
    private readonly TcpListener server = new(IPAddress.Loopback, 0);
    private readonly HttpClient client = new();
    private readonly List<string> requests = [];

    public MirrorTests()
    {
        server.Start();
        _ = Task.Run(async () =>
        {
            try
            {
                while (true)
                {
                    var connection = await server.AcceptTcpClientAsync();
                    _ = Task.Run(() => Answer(connection));
                }
            }
            catch (Exception error) when (error is SocketException or ObjectDisposedException)
            {
                // The test is over.
            }
        });
    }

    public void Dispose()
    {
        server.Dispose();
        client.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    private static readonly string[] Bad =
    [
        "page", "page-typed", "page-chunked", "page-until-end", "as-long-as-the-file", "longer", "longer-chunked",
            "gzip", "gzip-chunked", "gzip-until-end", "shorter", "shorter-chunked", "reset",
        "reset-at-once", "no-http", "missing", "location-bad", "location-other", "location-loop", "location-empty",
            "range-elsewhere", "range-of-another",
    ];

    private static readonly string[] Parts = ["none", "beginning", "page", "longer", "as-long-as-the-file", "empty"];

    public static TheoryData<string> Mirrors() => [.. Bad];

    [Theory]
    [MemberData(nameof(Mirrors))]
    public async Task What_a_mirror_left_poisons_no_other(string bad)
    {
        foreach (var part in Parts)
        {
            var seed = Environment.TickCount;
            var another = Bad[new Random(seed).Next(Bad.Length)];
            TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}: {part}, {bad}, {another}");
            Begin(part);
            Assert.Equal(content, File.ReadAllBytes(await Fetch(bad, another, "good")));
            Assert.Equal(["file"], Directory.GetFiles(Path.Combine(folder, "set")).Select(Path.GetFileName));
        }
    }

    [Theory]
    [MemberData(nameof(Mirrors))]
    public async Task Kept_is_said_where_something_is_kept_and_it_is_used(string bad)
    {
        foreach (var part in Parts)
        {
            Begin(part);
            var error = await Assert.ThrowsAsync<DataFormatException>(() => Fetch(bad));
            var left = Path.Combine(folder, "set", "file.part");
            var length = File.Exists(left) ? new FileInfo(left).Length : 0;
            Assert.Equal(length > 0,
                error.Message.Contains($"try again (the {length} bytes that arrived are kept)",
                StringComparison.Ordinal));
            Assert.Empty(Directory.GetFiles(Path.Combine(folder, "set")).Select(Path.GetFileName)
                .Except(["file.part"]));
            // What was the beginning of the file still is.
            if (part == "beginning") Assert.Equal(content[..50_000], File.ReadAllBytes(left).AsSpan(0, 50_000));
            if (length > 0 && part == "beginning" && bad != "reset")
            {
                requests.Clear();
                await Fetch("good");
                Assert.Equal([$"/good {length}"], requests);
            }
            else Assert.Equal(content, File.ReadAllBytes(await Fetch("good")));
        }
    }

    [Theory]
    [InlineData("file")]
    [InlineData("file.part")]
    [InlineData("file.part.new")]
    public async Task A_pipe_in_the_place_of_a_file_is_refused_at_once(string name)
    {
        if (OperatingSystem.IsWindows()) Assert.Skip("skipped: pipes are made as on Unix");
        Begin("none");
        var path = Path.Combine(folder, "set", name);
        using (var made = System.Diagnostics.Process.Start("mkfifo", [path])) made.WaitForExit();
        var error = await Assert.ThrowsAsync<DataFormatException>(() => Fetch("good"));
        Assert.Equal($"{path}: is a pipe or a device; name a file", error.Message);
        File.Delete(path);
    }

    [Fact]
    public async Task An_archive_that_is_none_is_refused_in_one_line()
    {
        var set = new RemoteDataset("set", "set",
            [new("file", content.Length, Convert.ToHexStringLower(SHA256.HashData(content)), [])], ["a.bin"]);
        File.WriteAllBytes(Path.Combine(folder, "file"), content);
        var error = await Assert.ThrowsAsync<DataFormatException>(() =>
            new DataFetcher(client).FetchAsync(set, folder, null, TestContext.Current.CancellationToken));
        Assert.Contains("file: is not a valid gzipped tar archive: ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_arrived_before_a_reset_is_the_beginning_that_another_mirror_goes_on_from()
    {
        Begin("none");
        await Assert.ThrowsAsync<DataFormatException>(() => Fetch("reset"));
        var arrived = File.ReadAllBytes(Path.Combine(folder, "set", "file.part"));
        Assert.Equal(content[..arrived.Length], arrived);
        Assert.NotEmpty(arrived);
        await Fetch("good");
        Assert.Equal($"/good {arrived.Length}", requests[^1]);
    }

    private void Begin(string part)
    {
        var set = Path.Combine(folder, "set");
        if (Directory.Exists(set)) Directory.Delete(set, recursive: true);
        Directory.CreateDirectory(set);
        byte[]? bytes = part switch
        {
            "beginning" => content[..50_000],
            "page" => Page,
            "longer" => [.. content, 1],
            "as-long-as-the-file" => new byte[content.Length],
            "empty" => [],
            _ => null,
        };
        if (bytes is not null) File.WriteAllBytes(Path.Combine(set, "file.part"), bytes);
    }

    private async Task<string> Fetch(params string[] mirrors)
    {
        var address = $"http://127.0.0.1:{((IPEndPoint)server.LocalEndpoint).Port}/";
        var file = new RemoteFile("file", content.Length, Convert.ToHexStringLower(SHA256.HashData(content)),
            [.. mirrors.Select(mirror => new Uri(address + mirror))]);
        return Path.Combine(await new DataFetcher(client)
            .FetchAsync(new("set", "set", [file], []), folder, null, TestContext.Current.CancellationToken), "file");
    }

    private static byte[] Page => [.. "<html>no such file"u8, .. new byte[5000]];

    private static byte[] Gzip(byte[] bytes)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest)) gzip.Write(bytes);
        return packed.ToArray();
    }

    private void Answer(TcpClient connection)
    {
        using (connection)
            try
            {
                var stream = connection.GetStream();
                var request = "";
                for (int read; !request.EndsWith("\r\n\r\n", StringComparison.Ordinal)
                    && (read = stream.ReadByte()) >= 0;) request += (char)read;
                var path = request.Split(' ')[1];
                var range = Range().Match(request);
                var from = range.Success ? int.Parse(range.Groups[1].Value, CultureInfo.InvariantCulture) : 0;
                lock (requests) requests.Add($"{path} {from}");
                Answer(connection, stream, path[1..], from);
            }
            catch (IOException)
            {
                // Whoever asked has left.
            }
    }

    private void Answer(TcpClient connection, NetworkStream stream, string path, int from)
    {
        void Send(string head, byte[]? body = null, bool isChunked = false, int? length = null)
        {
            var framing = isChunked ? "Transfer-Encoding: chunked\r\n" : length is null ? ""
                : $"Content-Length: {length}\r\n";
            stream.Write(Encoding.ASCII.GetBytes($"HTTP/1.1 {head}\r\n{framing}Connection: close\r\n\r\n"));
            if (body is null) return;
            if (isChunked) stream.Write(Encoding.ASCII.GetBytes($"{body.Length:x}\r\n"));
            stream.Write(body);
            if (isChunked) stream.Write("\r\n0\r\n\r\n"u8);
        }

        var all = content.Length;
        switch (path)
        {
            case "good" when from > 0:
                Send($"206 Partial Content\r\nContent-Range: bytes {from}-{all - 1}/{all}", content[from..],
                    length: all - from);
                break;
            case "good": Send("200 OK", content, length: all); break;
            case "page": Send("200 OK", Page, length: Page.Length); break;
            case "page-typed": Send("200 OK\r\nContent-Type: text/html; charset=utf-8", Page, isChunked: true); break;
            case "page-chunked": Send("200 OK", Page, isChunked: true); break;
            case "page-until-end": Send("200 OK", Page); break;
            case "as-long-as-the-file": Send("200 OK", new byte[all], length: all); break;
            case "longer": Send("200 OK", [.. content, 1], length: all + 1); break;
            case "longer-chunked": Send("200 OK", [.. content, 1], isChunked: true); break;
            case "gzip": Send("200 OK\r\nContent-Encoding: gzip", Gzip(content), length: Gzip(content).Length); break;
            case "gzip-chunked": Send("200 OK\r\nContent-Encoding: gzip", Gzip(content), isChunked: true); break;
            case "gzip-until-end": Send("200 OK\r\nContent-Encoding: gzip", Gzip(content)[..1000]); break;
            case "shorter": Send("200 OK", content[..^1], length: all - 1); break;
            case "shorter-chunked": Send("200 OK", content[..^1], isChunked: true); break;
            case "reset":
                Send("200 OK", content[..100_000], length: all);
                Thread.Sleep(50);
                connection.Client.LingerState = new(true, 0);
                break;
            case "reset-at-once": connection.Client.LingerState = new(true, 0); break;
            case "no-http": stream.Write("220 mail\r\n\r\n"u8); break;
            case "missing": Send("404 Not \u0001Found", length: 0); break;
            case "location-bad": Send("302 Found\r\nLocation: http://[::bad", length: 0); break;
            case "location-other": Send("302 Found\r\nLocation: file:///etc/passwd", length: 0); break;
            case "location-loop": Send("302 Found\r\nLocation: /location-loop", length: 0); break;
            case "location-empty": Send("302 Found\r\nLocation:", length: 0); break;
            case "range-elsewhere":
                Send($"206 Partial Content\r\nContent-Range: bytes 7-{all - 1}/{all}", content[7..],
                length: all - 7); break;
            case "range-of-another":
                Send($"206 Partial Content\r\nContent-Range: bytes {from}-{all}/{all + 1}",
                [.. content[from..], 1], length: all + 1 - from); break;
            default: Send("404 Not Found", length: 0); break;
        }
    }

    [GeneratedRegex("[Rr]ange: bytes=([0-9]+)-")]
    private static partial Regex Range();
}
