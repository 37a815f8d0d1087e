using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Adjoint.Shared;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Adjoint.Explorer;

/// <summary>
/// Serves a page on 127.0.0.1. Its addresses begin with a random token, so nobody can read the page or give orders who
/// was not given the address; requests that name another host, or come from another site's page, are refused (DNS
/// rebinding, cross-site requests).
/// </summary>
internal sealed class PageServer : IAsyncDisposable
{
    // Inline are the map of modules and what formulas need; no script of another origin runs.
    private const string Policy =
        "default-src 'none'; script-src 'self' 'nonce-{0}'; style-src 'self'; img-src 'self' data: blob:; " +
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    private readonly WebApplication application;
    private readonly Site site;
    private readonly string token = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
    private string host = "";

    private PageServer(WebApplication application, Site site) =>
        (this.application, this.site) = (application, site);

    /// <summary>What to open, token included.</summary>
    internal Uri Address { get; private set; } = null!;

    /// <summary>Starts on a port, 0 for any free one that browsers open.</summary>
    /// <exception cref="AdjointException">The port is taken, blocked by browsers, or not allowed.</exception>
    internal static Task<PageServer> StartAsync(Site site, int port = 0) =>
        StartAsync(site, port, BlockedPorts.Contains);

    /// <summary>The same, with a rule of its own about which of the system's free ports will not do.</summary>
    internal static async Task<PageServer> StartAsync(Site site, int port, Func<int, bool> isBlocked)
    {
        if (BlockedPorts.Refusal(port) is { } refusal) throw new AdjointException($"port: {refusal}");
        while (true)
        {
            var server = await BindAsync(site, port).ConfigureAwait(false);
            if (port != 0 || !isBlocked(server.Address.Port)) return server;
            // The system draws another each time.
            await server.DisposeAsync().ConfigureAwait(false);
        }
    }

    private static async Task<PageServer> BindAsync(Site site, int port)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ApplicationName = "adjoint" });
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(options =>
        {
            options.AddServerHeader = false;
            options.Limits.MaxRequestBodySize = site.LargestOrder;
            options.Listen(IPAddress.Loopback, port);
        });
        // Kestrel's default reaction to Ctrl+C prints; the tool has its own.
        builder.Services.AddSingleton<Microsoft.Extensions.Hosting.IHostLifetime, NoLifetime>();
        var application = builder.Build();
        var server = new PageServer(application, site);
        application.Run(server.AnswerAsync);
        try
        {
            await application.StartAsync().ConfigureAwait(false);
        }
        catch (Exception error) when (error is IOException or System.Net.Sockets.SocketException)
        {
            await application.DisposeAsync().ConfigureAwait(false);
            throw new AdjointException($"port {port}: {(error.InnerException ?? error).Message.TrimEnd('.')}; "
                + "name another with --port, or leave it out for any free one", error);
        }
        var bound = application.Urls.First();
        server.host = new Uri(bound).Authority;
        server.Address = new Uri($"http://{server.host}/{server.token}/");
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        using var soon = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        await application.StopAsync(soon.Token).ConfigureAwait(false);
        await application.DisposeAsync().ConfigureAwait(false);
    }

    private async Task AnswerAsync(HttpContext context)
    {
        var (request, response) = (context.Request, context.Response);
        response.Headers.CacheControl = "no-store";
        response.Headers["Referrer-Policy"] = "no-referrer";
        response.Headers["X-Content-Type-Options"] = "nosniff";
        response.Headers["Cross-Origin-Resource-Policy"] = "same-origin";
        if (Refusal(request, out var path) is { } refusal)
        {
            await ReplyAsync(response, 403, "text/plain; charset=utf-8", Encoding.UTF8.GetBytes(refusal + "\n"))
                .ConfigureAwait(false);
            return;
        }
        try
        {
            await AnswerAsync(context, path).ConfigureAwait(false);
        }
        catch (Exception error) when (error is AdjointException or JsonException or BadHttpRequestException)
        {
            var status = error switch
            {
                NotThereException => 404,
                BadHttpRequestException bad => bad.StatusCode,
                _ => 400,
            };
            var message = error is JsonException ? "the order is no JSON" : error.Message;
            await ReplyAsync(response, status, "application/json", JsonNumbers.ToBytes(json =>
            {
                json.WriteStartObject();
                json.WriteString("error", message);
                json.WriteEndObject();
            })).ConfigureAwait(false);
        }
    }

    private string? Refusal(HttpRequest request, out string path)
    {
        path = "";
        var named = request.Headers.Host.ToString();
        if (named != host && named != $"localhost:{host[(host.LastIndexOf(':') + 1)..]}")
            return $"The {site.Name} answers only requests to {host}.";
        if (request.Headers.Origin is { Count: > 0 } origin && origin.ToString() != $"http://{named}")
            return $"The {site.Name} answers only requests of its own page.";
        if (request.Headers["Sec-Fetch-Site"] is { Count: > 0 } from && from.ToString() is "cross-site"
            && request.Method != "GET")
            return $"The {site.Name} answers only requests of its own page.";
        var parts = (request.Path.Value ?? "").Split('/', 3);
        if (parts.Length < 3 || !IsToken(parts[1]))
            return $"The address lacks the right token: open the whole address that the {site.Name} printed, with what "
                + "follows the port.";
        path = parts[2];
        return null;
    }

    // In the same time for every wrong one.
    private bool IsToken(string text) =>
        CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(text), Encoding.UTF8.GetBytes(token));

    private async Task AnswerAsync(HttpContext context, string path)
    {
        var (request, response) = (context.Request, context.Response);
        var query = new Query(path, name => request.Query[name].ToString());
        if (request.Method == "POST")
        {
            if (!(request.ContentType ?? "").StartsWith("application/json", StringComparison.Ordinal))
                throw new AdjointException("an order is sent as application/json");
            using var order = await JsonDocument.ParseAsync(request.Body, cancellationToken: context.RequestAborted)
                .ConfigureAwait(false);
            var state = await site.OrderAsync(query, order.RootElement).ConfigureAwait(false);
            await ReplyAsync(response, 200, "application/json", state).ConfigureAwait(false);
            return;
        }
        if (request.Method is not ("GET" or "HEAD"))
            throw new AdjointException($"{request.Method} is not understood here; use {site.Methods}");
        if (path == "")
        {
            var nonce = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
            response.Headers.ContentSecurityPolicy = string.Format(CultureInfo.InvariantCulture, Policy, nonce);
            var page = site.Files.Index(name => $"./{name}",
                site.Files.Styles.Select(name => Html.Element("link", ("rel", "stylesheet"), ("href", $"./{name}"))),
                nonce: nonce);
            await ReplyAsync(response, 200, "text/html; charset=utf-8", Encoding.UTF8.GetBytes(page))
                .ConfigureAwait(false);
            return;
        }
        if (path.StartsWith("api/", StringComparison.Ordinal))
        {
            var answer = await site.AnswerAsync(query).ConfigureAwait(false);
            if (answer.FileName is { } file)
                response.Headers.ContentDisposition = $"attachment; filename=\"{file}\"";
            var type = answer.FileName is null ? "application/json" : "text/html; charset=utf-8";
            await ReplyAsync(response, 200, type, answer.Body).ConfigureAwait(false);
            return;
        }
        if (PageFiles.TypeOf(path) is { } kind && site.Files.Read(path) is { } bytes)
            await ReplyAsync(response, 200, kind, bytes).ConfigureAwait(false);
        else
            throw new NotThereException($"there is no {path}");
    }

    private static async Task ReplyAsync(HttpResponse response, int status, string type, byte[] body)
    {
        (response.StatusCode, response.ContentType, response.ContentLength) = (status, type, body.Length);
        if (response.HttpContext.Request.Method != "HEAD") await response.Body.WriteAsync(body).ConfigureAwait(false);
    }

    private sealed class NoLifetime : Microsoft.Extensions.Hosting.IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
