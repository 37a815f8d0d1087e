using System.Buffers;
using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>
/// The first k elements of runs in order of their values: largest or smallest first. NaN is larger than all numbers, −0
/// equals 0, and of equals the one that comes first in the run comes first.
/// </summary>
/// <remarks>
/// A value and its place become one unsigned number that orders as they do, the place in the low bits: no two are
/// alike, so every way of sorting gives the same.
/// </remarks>
public static unsafe class TopK
{
    private const int ChunkLength = 8192;

    // A heap of the best is faster than sorting where the run is at least so many times longer.
    private const int MinHeapRatio = 8;

    /// <summary>Runs along the middle of x [outer, size, inner] into values and indices [outer, k, inner].</summary>
    /// <param name="x">The elements.</param>
    /// <param name="values">Those chosen.</param>
    /// <param name="indices">Where in their runs they lie.</param>
    /// <param name="outer">How often the runs of an inner lie one after another.</param>
    /// <param name="size">Elements in a run.</param>
    /// <param name="inner">Elements between two neighbors of a run.</param>
    /// <param name="k">How many are wanted, at most <paramref name="size"/>.</param>
    /// <param name="largest">Whether the largest are wanted.</param>
    /// <param name="sorted">Whether they come in order of their values, else in that of their places.</param>
    public static void Run(
        float* x, float* values, long* indices, nint outer, int size, nint inner, int k, bool largest, bool sorted) =>
        Run<float, ulong, Single>(x, values, indices, outer, size, inner, k, largest, sorted);

    /// <inheritdoc cref="Run(float*, float*, long*, nint, int, nint, int, bool, bool)"/>
    public static void Run(
        double* x, double* values, long* indices, nint outer, int size, nint inner, int k, bool largest, bool sorted) =>
        Run<double, UInt128, Double>(x, values, indices, outer, size, inner, k, largest, sorted);

    /// <inheritdoc cref="Run(float*, float*, long*, nint, int, nint, int, bool, bool)"/>
    public static void Run(
        long* x, long* values, long* indices, nint outer, int size, nint inner, int k, bool largest, bool sorted) =>
        Run<long, UInt128, Whole>(x, values, indices, outer, size, inner, k, largest, sorted);

    /// <inheritdoc cref="Run(float*, float*, long*, nint, int, nint, int, bool, bool)"/>
    public static void Run(
        int* x, int* values, long* indices, nint outer, int size, nint inner, int k, bool largest, bool sorted) =>
        Run<int, ulong, Narrow>(x, values, indices, outer, size, inner, k, largest, sorted);

    /// <inheritdoc cref="Run(float*, float*, long*, nint, int, nint, int, bool, bool)"/>
    public static void Run(
        byte* x, byte* values, long* indices, nint outer, int size, nint inner, int k, bool largest, bool sorted) =>
        Run<byte, ulong, Narrow>(x, values, indices, outer, size, inner, k, largest, sorted);

    private static void Run<T, TKey, TPacking>(
        T* x, T* values, long* indices, nint outer, int size, nint inner, int k, bool largest, bool sorted)
        where T : unmanaged where TKey : unmanaged, IComparable<TKey> where TPacking : struct, IPacking<T, TKey>
    {
        var runs = outer * inner;
        if (runs == 0 || k == 0) return;
        var job = new Job<T, TKey, TPacking>
        {
            X = x,
            Values = values,
            Indices = indices,
            Runs = runs,
            Size = size,
            Inner = inner,
            K = k,
            Largest = largest,
            Sorted = sorted,
            RunsPerChunk = Math.Max(1, ChunkLength / size),
        };
        Workers.For((int)((runs + job.RunsPerChunk - 1) / job.RunsPerChunk), ref job);
    }

    /// <summary>Puts the <paramref name="k"/> smallest first, in order.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Select<TKey>(Span<TKey> keys, int k) where TKey : IComparable<TKey>
    {
        if (k > keys.Length / MinHeapRatio)
        {
            keys.Sort();
            return;
        }
        // The largest of the best so far lies on top, and leaves for whatever is smaller.
        var heap = keys[..k];
        for (var i = k / 2 - 1; i >= 0; i--) Sink(heap, i);
        foreach (var key in keys[k..])
        {
            if (key.CompareTo(heap[0]) >= 0) continue;
            heap[0] = key;
            Sink(heap, 0);
        }
        heap.Sort();
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Sink<TKey>(Span<TKey> heap, int at) where TKey : IComparable<TKey>
    {
        var key = heap[at];
        while (2 * at + 1 < heap.Length)
        {
            var child = 2 * at + 1;
            if (child + 1 < heap.Length && heap[child + 1].CompareTo(heap[child]) > 0) child++;
            if (heap[child].CompareTo(key) <= 0) break;
            heap[at] = heap[child];
            at = child;
        }
        heap[at] = key;
    }

    /// <summary>Numbers that order as values do, NaN last, and then as their places.</summary>
    private interface IPacking<T, TKey>
    {
        static abstract TKey Pack(T value, int place, bool largest);
        static abstract int Place(TKey key);
    }

    private readonly struct Single : IPacking<float, ulong>
    {
        public static ulong Pack(float value, int place, bool largest)
        {
            // Adding 0 makes 0 of −0; negative numbers have all bits turned, positive ones the sign.
            var bits = BitConverter.SingleToUInt32Bits(value + 0);
            var key = float.IsNaN(value) ? uint.MaxValue : bits ^ (uint)((int)bits >> 31 | int.MinValue);
            return (ulong)(largest ? ~key : key) << 32 | (uint)place;
        }

        public static int Place(ulong key) => (int)(uint)key;
    }

    private readonly struct Double : IPacking<double, UInt128>
    {
        public static UInt128 Pack(double value, int place, bool largest)
        {
            var bits = BitConverter.DoubleToUInt64Bits(value + 0);
            var key = double.IsNaN(value) ? ulong.MaxValue : bits ^ (ulong)((long)bits >> 63 | long.MinValue);
            return new(largest ? ~key : key, (uint)place);
        }

        public static int Place(UInt128 key) => (int)(uint)key;
    }

    private readonly struct Whole : IPacking<long, UInt128>
    {
        public static UInt128 Pack(long value, int place, bool largest)
        {
            var key = (ulong)(value ^ long.MinValue);
            return new(largest ? ~key : key, (uint)place);
        }

        public static int Place(UInt128 key) => (int)(uint)key;
    }

    private readonly struct Narrow : IPacking<int, ulong>, IPacking<byte, ulong>
    {
        public static ulong Pack(int value, int place, bool largest)
        {
            var key = (uint)(value ^ int.MinValue);
            return (ulong)(largest ? ~key : key) << 32 | (uint)place;
        }

        public static ulong Pack(byte value, int place, bool largest) => Pack((int)value, place, largest);

        public static int Place(ulong key) => (int)(uint)key;
    }

    private struct Job<T, TKey, TPacking> : IChunkJob
        where T : unmanaged where TKey : unmanaged, IComparable<TKey> where TPacking : struct, IPacking<T, TKey>
    {
        public T* X;
        public T* Values;
        public long* Indices;
        public nint Runs;
        public nint Inner;
        public nint RunsPerChunk;
        public int Size;
        public int K;
        public bool Largest;
        public bool Sorted;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public readonly void Run(int chunk)
        {
            var buffer = ArrayPool<TKey>.Shared.Rent(Size);
            var keys = buffer.AsSpan(0, Size);
            var last = Math.Min(Runs, (chunk + 1) * RunsPerChunk);
            for (var run = chunk * RunsPerChunk; run < last; run++)
            {
                var (block, at) = (run / Inner, run % Inner);
                var x = X + block * Size * Inner + at;
                for (var i = 0; i < Size; i++) keys[i] = TPacking.Pack(x[i * Inner], i, Largest);
                Select(keys, K);
                var first = block * K * Inner + at;
                for (var j = 0; j < K; j++) Indices[first + j * Inner] = TPacking.Place(keys[j]);
                if (!Sorted) InOrderOfPlaces(Indices + first);
                for (var j = 0; j < K; j++) Values[first + j * Inner] = x[(nint)Indices[first + j * Inner] * Inner];
            }
            ArrayPool<TKey>.Shared.Return(buffer);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void InOrderOfPlaces(long* indices)
        {
            var places = new long[K];
            for (var j = 0; j < K; j++) places[j] = indices[j * Inner];
            Array.Sort(places);
            for (var j = 0; j < K; j++) indices[j * Inner] = places[j];
        }
    }
}
