namespace Adjoint.Explorer;

/// <summary>A page of the explorer that is being served on 127.0.0.1 until it is disposed.</summary>
public sealed class ExplorerPage : IDisposable
{
    private readonly Site site;
    private readonly PageServer server;

    private ExplorerPage(Site site, PageServer server) => (this.site, this.server) = (site, server);

    /// <summary>
    /// The address to open in a browser. It holds a random token: whoever knows it can see the page, and nobody else.
    /// </summary>
    public Uri Address => server.Address;

    /// <summary>Stops serving; the address then leads nowhere.</summary>
    public void Dispose()
    {
        server.DisposeAsync().AsTask().GetAwaiter().GetResult();
        site.Dispose();
    }

    internal static ExplorerPage Serve(Exploration exploration, int port) =>
        Serve(new ExplorerSite(exploration), port);

    /// <summary>Serves a site, which it disposes of, also where it cannot be served.</summary>
    internal static ExplorerPage Serve(Site site, int port)
    {
        try
        {
            return new(site, PageServer.StartAsync(site, port).GetAwaiter().GetResult());
        }
        catch
        {
            site.Dispose();
            throw;
        }
    }
}
