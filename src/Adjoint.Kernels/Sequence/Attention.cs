using System.Numerics;
using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>
/// Scaled dot product attention, softmax(scale·Q·Kᵀ + mask)·V, tile by tile: no matrix of queries by keys is ever in
/// memory (FlashAttention: Dao et al. 2022, Dao 2023). Forward keeps the logarithm of the sum of each query's
/// exponentials, from which backward computes the weights again. A query that sees no key has the output 0. What a
/// query does not see does not matter to it, NaN included. Results do not depend on the number of threads.
/// </summary>
public static unsafe class Attention
{
    /// <summary>The outputs, and what backward needs.</summary>
    /// <param name="problem">The operands.</param>
    /// <param name="output">The outputs (n, h, t, e), contiguous.</param>
    /// <param name="logSumExp">ln Σ e^score of each query (n, h, t), −∞ for one that sees no key; contiguous.</param>
    public static void Forward<T>(in AttentionProblem<T> problem, T* output, T* logSumExp)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        Simd.Widest<T, ForwardKernel<T>>(new(problem, output, logSumExp));

    /// <summary>The gradients, contiguous.</summary>
    /// <param name="problem">The operands of forward.</param>
    /// <param name="output">The outputs of forward (n, h, t, e), contiguous.</param>
    /// <param name="logSumExp">What forward left for backward (n, h, t), contiguous.</param>
    /// <param name="gradient">The gradient of the outputs (n, h, t, e).</param>
    /// <param name="strides">The layout of the gradient of the outputs.</param>
    /// <param name="dq">The gradient of the queries (n, h, t, d).</param>
    /// <param name="dk">The gradient of the keys (n, g, s, d).</param>
    /// <param name="dv">The gradient of the values (n, g, s, e).</param>
    public static void Gradient<T>(in AttentionProblem<T> problem, T* output, T* logSumExp, T* gradient,
        in AttentionStrides strides, T* dq, T* dk, T* dv)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        Simd.Widest<T, BackwardKernel<T>>(new(new(problem, output, logSumExp, gradient, strides), dq, dk, dv));

    /// <summary>
    /// The gradient of <see cref="AttentionProblem{T}.Bias"/>, added to <paramref name="to"/>.
    /// </summary>
    /// <param name="problem">The operands of forward.</param>
    /// <param name="output">The outputs of forward (n, h, t, e), contiguous.</param>
    /// <param name="logSumExp">What forward left for backward (n, h, t), contiguous.</param>
    /// <param name="gradient">The gradient of the outputs (n, h, t, e).</param>
    /// <param name="strides">The layout of the gradient of the outputs.</param>
    /// <param name="to">The gradient, 0 at first.</param>
    /// <param name="toStrides">Its layout; 0 along axes that the mask is broadcast along.</param>
    public static void MaskGradient<T>(in AttentionProblem<T> problem, T* output, T* logSumExp, T* gradient,
        in AttentionStrides strides, T* to, in AttentionStrides toStrides)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        Simd.Widest<T, MaskKernel<T>>(new(new(problem, output, logSumExp, gradient, strides), to, toStrides));

    // Only AVX-512 has the registers for a tile of 24 accumulators.
    private readonly struct ForwardKernel<T>(in AttentionProblem<T> problem, T* output, T* logSumExp) : IVectorKernel<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        private readonly AttentionProblem<T> problem = problem;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Invoke<V>() where V : struct, ILanes<V, T>
        {
            if (AttentionRows<V, T>.Fits(problem)) AttentionRows<V, T>.Run(problem, output, logSumExp);
            else if (Simd.Width < 512) AttentionForward<MicroKernel6x2, V, T>.Run(problem, output, logSumExp);
            else AttentionForward<MicroKernel12x2, V, T>.Run(problem, output, logSumExp);
        }
    }

    private readonly struct BackwardKernel<T>(in AttentionGradient<T> of, T* dq, T* dk, T* dv) : IVectorKernel<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        private readonly AttentionGradient<T> of = of;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Invoke<V>() where V : struct, ILanes<V, T>
        {
            if (Simd.Width < 512) AttentionBackward<MicroKernel6x2, V, T>.Run(of, dq, dk, dv);
            else AttentionBackward<MicroKernel12x2, V, T>.Run(of, dq, dk, dv);
        }
    }

    private readonly struct MaskKernel<T>(in AttentionGradient<T> of, T* to, in AttentionStrides strides)
        : IVectorKernel<T> where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        private readonly AttentionGradient<T> of = of;
        private readonly AttentionStrides strides = strides;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Invoke<V>() where V : struct, ILanes<V, T>
        {
            if (Simd.Width < 512) AttentionMaskBackward<MicroKernel6x2, V, T>.Run(of, to, strides);
            else AttentionMaskBackward<MicroKernel12x2, V, T>.Run(of, to, strides);
        }
    }
}
