using Adjoint.IO;

namespace Adjoint.Explorer;

/// <summary>
/// Shows in the browser how a tensor was computed: <c>GraphExplorer.Show(loss)</c>. Compute inside
/// <c>using (new Tracing()) { … }</c> to see modules, lines and times too, and inside <c>using (new RecordGraph())
/// { … }</c> to see what was computed before the first parameter.
/// </summary>
public static class GraphExplorer
{
    /// <summary>
    /// Serves the page of a tensor's graph on 127.0.0.1, prints its address, and waits for the Enter key.
    /// </summary>
    /// <param name="tensor">Usually a loss, before <c>Backward()</c>; every <c>.Grad</c> is left alone.</param>
    /// <param name="title">The page's heading.</param>
    /// <exception cref="AdjointException">The graph was released.</exception>
    public static void Show(Tensor tensor, string title = "A computation")
    {
        using var page = Open(tensor, title);
        Console.WriteLine($"{page.Address}\nEnter stops.");
        Console.ReadLine();
    }

    /// <summary>Serves the page of a tensor's graph on 127.0.0.1 until it is disposed.</summary>
    /// <param name="tensor">Usually a loss, before <c>Backward()</c>; every <c>.Grad</c> is left alone.</param>
    /// <param name="title">The page's heading.</param>
    /// <param name="port">The port to listen on; 0 is any free port.</param>
    /// <returns>The page, with its address; disposing it stops serving.</returns>
    /// <exception cref="AdjointException">
    /// The graph was released, or the port is taken, or one that browsers block.
    /// </exception>
    public static ExplorerPage Open(Tensor tensor, string title = "A computation", int port = 0) =>
        ExplorerPage.Serve(new Exploration(ComputationGraph.Of(tensor), title), port);

    extension(Tensor tensor)
    {
        /// <summary>
        /// Writes the page of this tensor's graph as one file that needs neither server nor network, whole or not at
        /// all.
        /// </summary>
        /// <param name="path">The file; one that is there is replaced.</param>
        /// <param name="title">The page's heading.</param>
        /// <exception cref="AdjointException">The graph was released.</exception>
        public void ToHtml(string path, string title = "A computation")
        {
            using var page = new Exploration(ComputationGraph.Of(tensor), title, isServed: false);
            var html = page.Offline();
            AtomicFile.Write(path, stream => stream.Write(html));
        }
    }
}
