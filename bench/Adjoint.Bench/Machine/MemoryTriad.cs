using System.Numerics;
using System.Runtime.CompilerServices;

namespace Adjoint.Bench;

/// <summary>x = y + 2z over more than the caches hold, as STREAM's triad: what memory gives.</summary>
internal sealed unsafe class MemoryTriad
{
    private const int Length = 8 << 20;
    private readonly float[] x = Filled(), y = Filled(), z = Filled();

    /// <summary>Bytes moved by both halves: two arrays read, one read to be written, and written.</summary>
    internal static double Bytes => 4.0 * 4 * Length;

    /// <summary>Part number <paramref name="part"/> of so many.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal void Run(int part, int parts)
    {
        var (begin, end) = (Length / parts * part, Length / parts * (part + 1));
        fixed (float* to = x, a = y, b = z)
            for (var i = begin; i < end; i += Vector<float>.Count)
                (Vector.Load(a + i) + 2 * Vector.Load(b + i)).Store(to + i);
    }

    // Memory never written is one page of zeros, read from the cache.
    private static float[] Filled()
    {
        var values = new float[Length];
        Array.Fill(values, 1);
        return values;
    }
}
