using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Adjoint.Kernels;

/// <summary>
/// Σ (scale·xᵢ)², in float64 whatever the type of x. The order of the sum follows from the length alone: the same bits
/// on any number of threads and any width of vectors.
/// </summary>
public static unsafe class SquaredNorm
{
    // Elements of a chunk: also where long sums are cut (see Pairwise).
    private const int BlockLength = 8192;

    // Four chains of eight lanes, whatever the machine has.
    private const int Step = 32;

    /// <summary>Over contiguous elements; 0 where there are none.</summary>
    /// <param name="scale">Multiplied with each element before it is squared.</param>
    /// <param name="x">The elements.</param>
    /// <param name="length">How many.</param>
    /// <returns>The sum.</returns>
    public static double Run<T>(double scale, T* x, nint length) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (length <= BlockLength) return Sum(scale, x, (int)length);
        var blocks = (int)((length + BlockLength - 1) / BlockLength);
        fixed (double* sums = new double[blocks])
        {
            var job = new Job<T> { Scale = scale, X = x, Length = length, Sums = sums };
            Workers.For(blocks, ref job);
            return SumPairwise(sums, blocks);
        }
    }

    private static double SumPairwise(double* sums, nint count)
    {
        if (count == 1) return *sums;
        var left = Pairwise.Left(count, 1);
        return SumPairwise(sums, left) + SumPairwise(sums + left, count - left);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static double Sum<T>(double scale, T* x, int length) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var (a, b, c, d) = (Vector512<double>.Zero, Vector512<double>.Zero, Vector512<double>.Zero,
            Vector512<double>.Zero);
        var rest = stackalloc T[Step];
        for (var i = 0; i < length; i += Step)
        {
            var from = x + i;
            if (length - i < Step)
            {
                // Zeros add nothing.
                new Span<T>(rest, Step).Clear();
                new Span<T>(from, length - i).CopyTo(new Span<T>(rest, Step));
                from = rest;
            }
            a += Square(Load(from), scale);
            b += Square(Load(from + 8), scale);
            c += Square(Load(from + 16), scale);
            d += Square(Load(from + 24), scale);
        }
        var lanes = stackalloc double[8];
        (a + b + (c + d)).Store(lanes);
        return lanes[0] + lanes[4] + (lanes[1] + lanes[5]) + (lanes[2] + lanes[6] + (lanes[3] + lanes[7]));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<double> Square(Vector512<double> x, double scale)
    {
        x *= scale;
        return x * x;
    }

    // Eight, widened where they must be.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<double> Load<T>(T* from) where T : unmanaged =>
        typeof(T) == typeof(double)
            ? Vector512.Load((double*)from)
            : Vector512.WidenLower(Vector256.Load((float*)from).ToVector512Unsafe());

    private struct Job<T> : IChunkJob where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public double Scale;
        public T* X;
        public nint Length;
        public double* Sums;

        public readonly void Run(int chunk)
        {
            var first = (nint)chunk * BlockLength;
            Sums[chunk] = Sum(Scale, X + first, (int)Math.Min(BlockLength, Length - first));
        }
    }
}
