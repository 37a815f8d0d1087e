using System.Runtime.CompilerServices;

namespace Adjoint.Tests.Capture;

/// <summary>Memory that nobody holds: what a plan reads of it without owning it is wrong.</summary>
internal static class FreeMemory
{
    /// <summary>Lets finalizers run, and writes over whatever memory is free.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static void Overwrite()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        foreach (var size in (int[])[1024, 2048, 3000, 4096, 8192, 65536])
            GC.KeepAlive(Enumerable.Range(0, 8).Select(_ => Tensor.Full([size], 1001.0)).ToArray());
    }
}
