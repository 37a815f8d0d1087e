using System.Numerics;
using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>
/// One pass over a parameter, its gradient and the optimizer's state; all arrays have the same length.
/// The rest after whole vectors is padded with zeros and goes through the same code.
/// </summary>
public static unsafe class OptimizerSteps
{
    // Elements of a chunk, whatever the thread count: they outweigh a hand-off.
    private const int ChunkLength = 16384;

    /// <summary>Applies the update to every element. States that are not used may be null.</summary>
    /// <param name="update">The update rule.</param>
    /// <param name="w">The parameter, which is updated.</param>
    /// <param name="g">Its gradient.</param>
    /// <param name="s">The first state, which is updated, or null.</param>
    /// <param name="t">The second state, which is updated, or null.</param>
    /// <param name="length">How many elements.</param>
    public static void Run<T, TUpdate>(TUpdate update, T* w, T* g, T* s, T* t, nint length)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> where TUpdate : struct, IUpdateRule
    {
        var job = new Job<T, TUpdate> { Update = update, W = w, G = g, S = s, R = t, Length = length };
        Workers.For((int)((length + ChunkLength - 1) / ChunkLength), ref job);
    }

    private struct Job<T, TUpdate> : IChunkJob
        where T : unmanaged, IBinaryFloatingPointIeee754<T> where TUpdate : struct, IUpdateRule
    {
        public TUpdate Update;
        public T* W;
        public T* G;
        public T* S;
        public T* R;
        public nint Length;

        public readonly void Run(int chunk)
        {
            var first = (nint)chunk * ChunkLength;
            var last = Math.Min(Length, first + ChunkLength);
            Simd.Widest<T, Kernel>(new(this, first, last));
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void Loop<V>(nint first, nint last) where V : struct, ILanes<V, T>
        {
            var i = first;
            for (; i <= last - V.Count; i += V.Count)
                Step<V>(W + i, G + i, S == null ? null : S + i, R == null ? null : R + i);
            if (i < last) Tail<V>(i, (int)(last - i));
        }

        // What is less than a vector, padded with zeros, through the same code.
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void Tail<V>(nint i, int rest) where V : struct, ILanes<V, T>
        {
            var buffer = stackalloc T[4 * V.Count];
            new Span<T>(buffer, 4 * V.Count).Clear();
            T*[] arrays = [W, G, S, R];
            for (var array = 0; array < 4; array++)
                if (arrays[array] != null)
                    new Span<T>(arrays[array] + i, rest).CopyTo(new Span<T>(buffer + array * V.Count, rest));
            Step<V>(buffer, buffer + V.Count, buffer + 2 * V.Count, buffer + 3 * V.Count);
            for (var array = 0; array < 4; array++)
                if (array != 1 && arrays[array] != null)
                    new Span<T>(buffer + array * V.Count, rest).CopyTo(new Span<T>(arrays[array] + i, rest));
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private readonly void Step<V>(T* w, T* g, T* s, T* t) where V : struct, ILanes<V, T>
        {
            var x = V.Load(w);
            V a = s == null ? default : V.Load(s), b = t == null ? default : V.Load(t);
            Update.Invoke(ref x, V.Load(g), ref a, ref b);
            V.Store(x, w);
            if (s != null) V.Store(a, s);
            if (t != null) V.Store(b, t);
        }

        private readonly struct Kernel(Job<T, TUpdate> job, nint first, nint last) : IVectorKernel<T>
        {
            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            public void Invoke<V>() where V : struct, ILanes<V, T> => job.Loop<V>(first, last);
        }
    }
}
