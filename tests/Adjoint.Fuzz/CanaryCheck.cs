using System.Runtime.CompilerServices;
using Adjoint.Memory;

namespace Adjoint.Fuzz;

/// <summary>
/// Proves, before anything is tried, that a write beyond a buffer and a read of what was handed back would be seen.
/// </summary>
internal static class CanaryCheck
{
    internal static void Run()
    {
        foreach (var length in (int[])[3, 2000])
            foreach (var beyond in (int[])[-1, length])
            {
                var tensor = Tensor.Zeros(length);
                ref var outside = ref Unsafe.Add(ref tensor.Origin<float>(), beyond);
                var canary = outside;
                outside = 7;
                var isSeen = false;
                try
                {
                    BufferGuard.Check();
                }
                catch (InvalidOperationException)
                {
                    isSeen = true;
                }
                outside = canary;
                if (!isSeen)
                    throw new FindingException(
                        $"a write at {beyond} of {length} elements goes unseen: are buffers guarded?");
                GC.KeepAlive(tensor);
            }
    }
}
