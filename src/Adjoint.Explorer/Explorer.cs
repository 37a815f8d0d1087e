using Adjoint.Exploring;
using Adjoint.IO;

namespace Adjoint;

/// <summary>
/// A page in the browser that shows how a tensor was computed: <c>Explorer.Show(loss)</c>. Compute inside
/// <c>using (new Tracing()) { … }</c> to see modules, lines and times too, and inside <c>using (new RecordGraph())
/// { … }</c> to see what was computed before the first parameter.
/// </summary>
public static class Explorer
{
    /// <summary>Serves the page of a tensor's graph on 127.0.0.1, prints its address, and waits for the Enter key.</summary>
    /// <param name="tensor">Usually a loss, before <c>Backward()</c>; every <c>.Grad</c> is left alone.</param>
    /// <param name="title">The page's heading.</param>
    /// <exception cref="AdjointException">The graph was released.</exception>
    public static void Show(Tensor tensor, string title = "A computation")
    {
        using var page = Open(tensor, title);
        Console.WriteLine($"{page.Address}\nEnter stops.");
        Console.ReadLine();
    }

    /// <summary>Serves the page of a tensor's graph until it is disposed.</summary>
    /// <param name="tensor">Usually a loss, before <c>Backward()</c>; every <c>.Grad</c> is left alone.</param>
    /// <param name="title">The page's heading.</param>
    /// <param name="port">Where; 0 is any free port.</param>
    /// <exception cref="AdjointException">The graph was released, or the port is taken, or one that browsers
    /// block.</exception>
    public static ExplorerPage Open(Tensor tensor, string title = "A computation", int port = 0) =>
        ExplorerPage.Serve(new Exploration(ComputationGraph.Of(tensor), title), port);

    extension(Tensor tensor)
    {
        /// <summary>Writes the same page as one file that needs neither server nor network, atomically.</summary>
        /// <exception cref="AdjointException">The graph was released.</exception>
        public void ToHtml(string path, string title = "A computation")
        {
            using var page = new Exploration(ComputationGraph.Of(tensor), title, isServed: false);
            var html = page.Offline();
            AtomicFile.Write(path, stream => stream.Write(html));
        }
    }
}

/// <summary>A page that is being served.</summary>
public sealed class ExplorerPage : IDisposable
{
    private readonly Exploration exploration;
    private readonly ExplorerServer server;

    private ExplorerPage(Exploration exploration, ExplorerServer server) => (this.exploration, this.server) = (exploration, server);

    /// <summary>What to open. Whoever knows it can see the page, and nobody else.</summary>
    public Uri Address => server.Address;

    /// <summary>Stops serving.</summary>
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
