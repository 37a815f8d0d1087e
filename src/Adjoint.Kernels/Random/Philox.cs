using System.Numerics;
using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>
/// Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC 2011): a keyed
/// bijection of a counter, so that element i of a stream can be computed by anyone, in any order. Counter = (block,
/// stream), key = seed.
/// </summary>
public static unsafe class Philox
{
    // Elements of a chunk, whatever the thread count: they outweigh a hand-off.
    private const int ChunkLength = 16384;

    private enum Kind { Uniform, Normal, Bernoulli }

    /// <summary>One block: four 32-bit numbers from a 128-bit counter and a 64-bit key.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (uint X0, uint X1, uint X2, uint X3) Block(uint c0, uint c1, uint c2, uint c3, uint k0, uint k1)
    {
        for (var round = 0; round < 10; round++)
        {
            var p0 = (ulong)0xD2511F53 * c0;
            var p1 = (ulong)0xCD9E8D57 * c2;
            (c0, c1, c2, c3) = ((uint)(p1 >> 32) ^ c1 ^ k0, (uint)p1, (uint)(p0 >> 32) ^ c3 ^ k1, (uint)p0);
            k0 += 0x9E3779B9;
            k1 += 0xBB67AE85;
        }
        return (c0, c1, c2, c3);
    }

    /// <summary>
    /// Uniform in [0, 1): 24 random bits for float, 53 for double.
    /// </summary>
    /// <param name="seed">The key.</param>
    /// <param name="stream">Which of the streams of the seed: the upper half of the counter.</param>
    /// <param name="offset">Where in the stream y begins; a multiple of 4.</param>
    /// <param name="y">The numbers.</param>
    /// <param name="n">How many.</param>
    public static void Uniform<T>(ulong seed, ulong stream, ulong offset, T* y, nint n)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        Run(Kind.Uniform, seed, stream, offset, y, n, 0);

    /// <summary>Normal, mean 0 and variance 1, by Box and Muller's transform (1958).</summary>
    /// <param name="seed">The key.</param>
    /// <param name="stream">Which of the streams of the seed: the upper half of the counter.</param>
    /// <param name="offset">Where in the stream y begins; a multiple of 4.</param>
    /// <param name="y">The numbers.</param>
    /// <param name="n">How many.</param>
    public static void Normal<T>(ulong seed, ulong stream, ulong offset, T* y, nint n)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        Run(Kind.Normal, seed, stream, offset, y, n, 0);

    /// <summary>1 with probability <paramref name="p"/>, else 0.</summary>
    /// <param name="seed">The key.</param>
    /// <param name="stream">Which of the streams of the seed: the upper half of the counter.</param>
    /// <param name="offset">Where in the stream y begins; a multiple of 4.</param>
    /// <param name="y">The numbers.</param>
    /// <param name="n">How many.</param>
    /// <param name="p">The probability of 1.</param>
    public static void Bernoulli<T>(ulong seed, ulong stream, ulong offset, T* y, nint n, double p)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        Run(Kind.Bernoulli, seed, stream, offset, y, n, p);

    /// <summary>A uniformly random order of 0 … n − 1 (Fisher and Yates; Lemire's unbiased bounded numbers).</summary>
    /// <param name="seed">The key.</param>
    /// <param name="stream">Which of the streams of the seed: the upper half of the counter.</param>
    /// <param name="y">The numbers.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Permutation(ulong seed, ulong stream, Span<int> y)
    {
        for (var i = 0; i < y.Length; i++) y[i] = i;
        ulong block = 0;
        for (var i = y.Length - 1; i > 0; i--)
        {
            var j = (int)Bounded((uint)i + 1, seed, stream, ref block);
            (y[i], y[j]) = (y[j], y[i]);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static uint Bounded(uint bound, ulong seed, ulong stream, ref ulong block)
    {
        var threshold = (0u - bound) % bound;
        while (true)
        {
            var product = (ulong)At(block++, seed, stream).X0 * bound;
            if ((uint)product >= threshold) return (uint)(product >> 32);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (uint X0, uint X1, uint X2, uint X3) At(ulong block, ulong seed, ulong stream) =>
        Block((uint)block, (uint)(block >> 32), (uint)stream, (uint)(stream >> 32), (uint)seed, (uint)(seed >> 32));

    private static void Run<T>(Kind kind, ulong seed, ulong stream, ulong offset, T* y, nint n, double p)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var job = new Job<T>
        {
            Kind = kind,
            Seed = seed,
            Stream = stream,
            Offset = offset,
            Y = y,
            Length = n,
            Probability = p,
        };
        Workers.For((int)((n + ChunkLength - 1) / ChunkLength), ref job);
    }

    private struct Job<T> : IChunkJob where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public Kind Kind;
        public ulong Seed;
        public ulong Stream;
        public ulong Offset;
        public T* Y;
        public nint Length;
        public double Probability;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public readonly void Run(int chunk)
        {
            var first = (nint)chunk * ChunkLength;
            var last = Math.Min(Length, first + ChunkLength);
            var four = stackalloc T[4];
            for (var i = first; i < last; i += 4)
            {
                Four(Offset + (ulong)i, four);
                for (var j = 0; j < Math.Min(4, last - i); j++) Y[i + j] = four[j];
            }
        }

        // Doubles take two blocks for four numbers: 128 bits hold two of 53.
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void Four(ulong at, T* four)
        {
            var wide = typeof(T) == typeof(double);
            var uniform = stackalloc double[4];
            var (a, b, c, d) = At(wide ? at / 2 : at / 4, Seed, Stream);
            if (wide)
            {
                var (e, f, g, h) = At(at / 2 + 1, Seed, Stream);
                (uniform[0], uniform[1], uniform[2], uniform[3]) = (Unit(a, b), Unit(c, d), Unit(e, f), Unit(g, h));
            }
            else
            {
                (uniform[0], uniform[1], uniform[2], uniform[3]) = ((a >> 8) * (1.0 / (1 << 24)),
                    (b >> 8) * (1.0 / (1 << 24)), (c >> 8) * (1.0 / (1 << 24)), (d >> 8) * (1.0 / (1 << 24)));
            }
            for (var i = 0; i < 4; i++)
                four[i] = T.CreateTruncating(Kind switch
                {
                    Kind.Uniform => uniform[i],
                    Kind.Bernoulli => uniform[i] < Probability ? 1.0 : 0.0,
                    // 1 − u lies in (0, 1], where the logarithm is finite.
                    _ => Math.Sqrt(-2 * Math.Log(1 - uniform[i & 2]))
                        * (i % 2 == 0 ? Math.Cos(Math.Tau * uniform[i | 1]) : Math.Sin(Math.Tau * uniform[i | 1])),
                });
        }

        private static double Unit(uint low, uint high) => (((ulong)high << 32 | low) >> 11) * (1.0 / (1L << 53));
    }
}
