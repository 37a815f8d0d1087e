using Microsoft.Playwright;

namespace Adjoint.Tests.Explorer;

/// <summary>
/// A real browser without a window, which notes what must not happen: errors on the console, requests to other hosts.
/// </summary>
public sealed class Browser : IAsyncLifetime
{
    private const string Executable = "/usr/bin/chromium";
    private IPlaywright? playwright;
    private IBrowser? browser;

    public async ValueTask InitializeAsync()
    {
        if (!File.Exists(Executable)) return;
        playwright = await Playwright.CreateAsync();
        browser = await playwright.Chromium.LaunchAsync(new() { ExecutablePath = Executable, Args = ["--no-sandbox"] });
    }

    public async ValueTask DisposeAsync()
    {
        if (browser is not null) await browser.DisposeAsync();
        playwright?.Dispose();
    }

    /// <summary>
    /// Opens an address and waits until the page is there. The test is skipped where there is no browser.
    /// </summary>
    internal async Task<Tab> OpenAsync(Uri address, int width = 1440, int height = 900, bool dark = false)
    {
        if (browser is null) Assert.Skip($"skipped: {Executable} is not there; install Debian's package chromium");
        var context = await browser.NewContextAsync(new()
        {
            ViewportSize = new() { Width = width, Height = height },
            ColorScheme = dark ? ColorScheme.Dark : ColorScheme.Light,
            AcceptDownloads = true,
        });
        var tab = new Tab(await context.NewPageAsync(), address);
        await tab.Page.GotoAsync(address.ToString());
        await tab.Page.WaitForSelectorAsync("html[data-ready]");
        return tab;
    }
}

/// <summary>One page; disposing it fails where something went wrong in it.</summary>
internal sealed class Tab : IAsyncDisposable
{
    private readonly List<string> problems = [];

    internal Tab(IPage page, Uri address)
    {
        Page = page;
        page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning") problems.Add($"console: {message.Text}");
        };
        page.PageError += (_, message) => problems.Add($"error: {message}");
        page.Request += (_, request) =>
        {
            var to = new Uri(request.Url);
            if (to.Scheme is "http" or "https" && to.Authority != address.Authority || to.Scheme == "file"
                && to != address) problems.Add($"request to {request.Url}");
        };
    }

    internal IPage Page { get; }

    /// <summary>The numbers of a table on the page, all digits.</summary>
    internal async Task<double[]> NumbersAsync(string selector)
    {
        await Page.WaitForSelectorAsync(selector);
        var texts = await Page.EvalOnSelectorAllAsync<string[]>(
            selector, "cells => cells.map(cell => cell.dataset.value)");
        return [.. texts.Select(text => double.Parse(text, System.Globalization.CultureInfo.InvariantCulture))];
    }

    public async ValueTask DisposeAsync()
    {
        await Page.Context.CloseAsync();
        Assert.Empty(problems);
    }
}
