namespace Adjoint.Explorer;

/// <summary>A page of the explorer that is being served on 127.0.0.1 until it is disposed.</summary>
public sealed class ExplorerPage : IDisposable
{
    private readonly Exploration exploration;
    private readonly ExplorerServer server;

    private ExplorerPage(Exploration exploration, ExplorerServer server) =>
        (this.exploration, this.server) = (exploration, server);

    /// <summary>
    /// The address to open in a browser. It holds a random token: whoever knows it can see the page, and nobody else.
    /// </summary>
    public Uri Address => server.Address;

    /// <summary>Stops serving; the address then leads nowhere.</summary>
    public void Dispose()
    {
        server.DisposeAsync().AsTask().GetAwaiter().GetResult();
        exploration.Dispose();
    }

    internal static ExplorerPage Serve(Exploration exploration, int port)
    {
        try
        {
            return new(exploration, ExplorerServer.StartAsync(exploration, port).GetAwaiter().GetResult());
        }
        catch
        {
            exploration.Dispose();
            throw;
        }
    }
}
