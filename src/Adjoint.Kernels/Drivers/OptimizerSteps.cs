using System.Numerics;
using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>
/// One pass over a parameter, its gradient and the optimiser's state; all arrays have the same length.
/// </summary>
public static unsafe class OptimizerSteps
{
    private const int Chunk = 16384;

    /// <summary>Applies the update to every element. States that are not used may be null.</summary>
    public static void Run<T, TUpdate>(TUpdate update, T* w, T* g, T* s, T* t, nint length)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> where TUpdate : struct, IUpdateRule
    {
        var job = new Job<T, TUpdate> { Update = update, W = w, G = g, S = s, R = t, Length = length };
        Workers.For((int)((length + Chunk - 1) / Chunk), ref job);
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
            var first = (nint)chunk * Chunk;
            var last = Math.Min(Length, first + Chunk);
            Simd.Widest<T, Kernel>(new(this, first, last));
        }

        private readonly void Loop<V>(nint first, nint last) where V : struct, ILanes<V, T>
        {
            var i = first;
            for (; i <= last - V.Count; i += V.Count)
                One<V>(W + i, G + i, S == null ? null : S + i, R == null ? null : R + i);
            if (i < last) Rest<V>(i, (int)(last - i));
        }

        // What is less than a vector, padded with zeros, through the same code.
        private readonly void Rest<V>(nint i, int rest) where V : struct, ILanes<V, T>
        {
            var buffer = stackalloc T[4 * V.Count];
            new Span<T>(buffer, 4 * V.Count).Clear();
            T*[] parts = [W, G, S, R];
            for (var part = 0; part < 4; part++)
                if (parts[part] != null)
                    new Span<T>(parts[part] + i, rest).CopyTo(new Span<T>(buffer + part * V.Count, rest));
            One<V>(buffer, buffer + V.Count, buffer + 2 * V.Count, buffer + 3 * V.Count);
            for (var part = 0; part < 4; part++)
                if (part != 1 && parts[part] != null)
                    new Span<T>(buffer + part * V.Count, rest).CopyTo(new Span<T>(parts[part] + i, rest));
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private readonly void One<V>(T* w, T* g, T* s, T* t) where V : struct, ILanes<V, T>
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
