using System.Numerics;
using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>
/// Which weights of attention are dropped: weight (row, key) is kept where its number of the Philox stream is below the
/// probability. Nothing is stored: backward draws the numbers again.
/// </summary>
/// <param name="KeepProbability">The probability that a weight is kept, in (0, 1]; 1: nothing is dropped.</param>
/// <param name="Seed">The key of the stream.</param>
/// <param name="Stream">The upper half of its counter.</param>
public readonly record struct AttentionDropout(double KeepProbability, ulong Seed, ulong Stream)
{
    /// <summary>Whether weights are dropped.</summary>
    internal bool IsOn => KeepProbability < 1;

    /// <summary>
    /// The factors of a row's weights: 0 where dropped, else 1 / <see cref="KeepProbability"/>. A row is a query of a
    /// head of a sample, counted over all of them.
    /// </summary>
    /// <param name="row">The row.</param>
    /// <param name="first">The first key; a multiple of 4.</param>
    /// <param name="count">The number of keys.</param>
    /// <param name="keys">The number of keys of a whole row.</param>
    /// <param name="to">Where the first factor goes.</param>
    /// <param name="step">Elements from factor to factor.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public unsafe void Factors<T>(long row, int first, int count, int keys, T* to, nint step)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var (kept, threshold) = (T.CreateTruncating(1 / KeepProbability), KeepProbability * (1 << 24));
        // Every row begins with a block of its own.
        var block = (ulong)row * (ulong)((keys + 3) / 4) + (ulong)(first / 4);
        for (var key = 0; key < count; key += 4, block++)
        {
            var (a, b, c, d) = Philox.Block((uint)block, (uint)(block >> 32), (uint)Stream, (uint)(Stream >> 32),
                (uint)Seed, (uint)(Seed >> 32));
            Put(key, a);
            Put(key + 1, b);
            Put(key + 2, c);
            Put(key + 3, d);
        }

        void Put(int key, uint bits)
        {
            if (key < count) to[key * step] = bits >> 8 < threshold ? kept : T.Zero;
        }
    }
}
