using System.Collections.Concurrent;

namespace Adjoint.Explorer;

/// <summary>
/// The one thread on which a page's network computes: requests and training steps take turns, so that nobody sees a
/// half-made step. Gradient mode, tracing and the two generations of buffers belong to a thread, which is why it must
/// always be the same.
/// </summary>
internal sealed class EngineThread : IDisposable
{
    private readonly BlockingCollection<Action> requests = [];
    private readonly Thread thread;

    internal EngineThread()
    {
        thread = new(Loop) { IsBackground = true, Name = "explorer" };
        thread.Start();
    }

    /// <summary>
    /// What is done between requests: returns after how many milliseconds it wants to be called again; null stops until
    /// the next request.
    /// </summary>
    internal Func<int?>? Between { get; set; }

    /// <summary>Runs a request in its turn.</summary>
    internal Task<T> Run<T>(Func<T> request)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        requests.Add(() =>
        {
            try
            {
                done.SetResult(request());
            }
            catch (Exception error)
            {
                done.SetException(error);
            }
        });
        return done.Task;
    }

    public void Dispose()
    {
        requests.CompleteAdding();
        thread.Join();
        requests.Dispose();
    }

    private void Loop()
    {
        int? wait = null;
        while (!requests.IsCompleted)
        {
            if (requests.TryTake(out var request, wait ?? Timeout.Infinite))
            {
                request();
                // A request may have begun training; many must not hold it up.
                if (requests.Count > 0) continue;
            }
            if (!requests.IsAddingCompleted) wait = Between?.Invoke();
        }
    }
}
