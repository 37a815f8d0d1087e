using Adjoint.Kernels;

namespace Adjoint.Tests;

/// <summary>Numbers of worker threads, one after another; the number before is set again at the end.</summary>
internal static class Threads
{
    internal static IEnumerable<int> Of(params int[] counts)
    {
        var before = Workers.ThreadCount;
        try
        {
            foreach (var count in counts)
            {
                Workers.ThreadCount = count;
                yield return count;
            }
        }
        finally
        {
            Workers.ThreadCount = before;
        }
    }
}
