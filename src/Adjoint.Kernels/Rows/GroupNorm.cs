using System.Numerics;
using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>
/// Normalization of x [n, c, s] over groups of channels and all positions of each sample (Wu and He 2018): y = γ·x̂ + β
/// with x̂ = (x − μ)/√(σ² + ε), a scale γ and a shift β per channel. As many groups as channels make it instance
/// normalization (Ulyanov, Vedaldi and Lempitsky 2016). A group has one job, and samples are added up in order: bits do
/// not depend on the number of threads.
/// </summary>
public static unsafe class GroupNorm
{
    // Elements that outweigh a hand-off.
    private const int ChunkLength = 16384;

    /// <summary>y = γ·x̂ + β.</summary>
    /// <param name="x">The input [n, c, s].</param>
    /// <param name="gamma">γ [c].</param>
    /// <param name="beta">β [c].</param>
    /// <param name="moments">What the gradient needs of each group [n, groups, <see cref="RowNorm.Moments"/>].</param>
    /// <param name="y">The result [n, c, s].</param>
    /// <param name="shape">The sizes.</param>
    /// <param name="epsilon">ε.</param>
    public static void Forward<T>(T* x, T* gamma, T* beta, T* moments, T* y, GroupShape shape, double epsilon)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (shape.GroupLength == 0) return;
        var job = new ForwardJob<T>
        {
            X = x,
            Gamma = gamma,
            Beta = beta,
            Moments = moments,
            Y = y,
            Shape = shape,
            Epsilon = epsilon,
            GroupsPerChunk = Math.Max(1, ChunkLength / shape.GroupLength),
        };
        Workers.For((int)((shape.Rows + job.GroupsPerChunk - 1) / job.GroupsPerChunk), ref job);
    }

    /// <summary>
    /// With h = γ·g: dx = r·(h − mean(h) − x̂·mean(h·x̂)), the means over each group; dγ = Σ g·x̂ and dβ = Σ g over
    /// samples and positions.
    /// </summary>
    /// <param name="x">The input [n, c, s].</param>
    /// <param name="g">∂L/∂y [n, c, s].</param>
    /// <param name="moments">What the forward pass kept of each group.</param>
    /// <param name="gamma">γ [c].</param>
    /// <param name="dx">∂L/∂x [n, c, s].</param>
    /// <param name="dgamma">∂L/∂γ [c].</param>
    /// <param name="dbeta">∂L/∂β [c].</param>
    /// <param name="shape">The sizes.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Gradient<T>(T* x, T* g, T* moments, T* gamma, T* dx, T* dgamma, T* dbeta, GroupShape shape)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var planes = shape.GroupLength == 0 ? 0 : shape.Samples * shape.Channels;
        using var sums = Scratch.Rent<double>(ScratchSlot.Sums, 2 * planes);
        if (planes > 0)
        {
            var job = new GradientJob<T>
            {
                X = x,
                G = g,
                Moments = moments,
                Gamma = gamma,
                DX = dx,
                Sums = sums.Pointer,
                Shape = shape,
                GroupsPerChunk = Math.Max(1, ChunkLength / shape.GroupLength),
            };
            Workers.For((int)((shape.Rows + job.GroupsPerChunk - 1) / job.GroupsPerChunk), ref job);
        }
        for (nint channel = 0; channel < shape.Channels; channel++)
        {
            var (sum, dot) = (0.0, 0.0);
            for (var plane = channel; plane < planes; plane += shape.Channels)
            {
                sum += sums.Pointer[2 * plane];
                dot += sums.Pointer[2 * plane + 1];
            }
            (dbeta[channel], dgamma[channel]) = (T.CreateTruncating(sum), T.CreateTruncating(dot));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Forward<V, T>(in ForwardJob<T> job, nint row, nint end)
        where V : struct, ILanes<V, T> where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var (channels, s) = (job.Shape.ChannelsPerGroup, job.Shape.Positions);
        for (; row < end; row++)
        {
            var moments = job.Moments + row * RowMoments.Count;
            var x = job.X + row * job.Shape.GroupLength;
            var y = job.Y + row * job.Shape.GroupLength;
            RowMoments.Find<V, T>(x, job.Shape.GroupLength, job.Epsilon, isCentered: true, moments);
            var channel = row % job.Shape.Groups * channels;
            for (var last = channel + channels; channel < last; channel++, x += s, y += s)
                Apply<V, T>(x, y, s, moments, job.Gamma[channel], job.Beta[channel]);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Apply<V, T>(T* x, T* y, nint s, T* moments, T gamma, T beta)
        where V : struct, ILanes<V, T> where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var (mean, inverse, shift) = (V.Splat(moments[0]), V.Splat(moments[1]), V.Splat(moments[2]));
        var (scale, add) = (V.Splat(gamma), V.Splat(beta));
        nint i = 0;
        for (; i <= s - V.Count; i += V.Count)
            V.Store(V.Fma(V.Fma(V.Load(x + i) - mean, inverse, shift), scale, add), y + i);
        for (; i < s; i++)
            y[i] = T.FusedMultiplyAdd(T.FusedMultiplyAdd(x[i] - moments[0], moments[1], moments[2]), gamma, beta);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Backward<V, T>(in GradientJob<T> job, nint row, nint end)
        where V : struct, ILanes<V, T> where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var (channels, s) = (job.Shape.ChannelsPerGroup, job.Shape.Positions);
        for (; row < end; row++)
        {
            var moments = job.Moments + row * RowMoments.Count;
            var at = row * job.Shape.GroupLength;
            var gamma = job.Gamma + row % job.Shape.Groups * channels;
            var sums = job.Sums + 2 * row * channels;
            var (mean, dot) = (0.0, 0.0);
            for (nint channel = 0; channel < channels; channel++)
            {
                var plane = at + channel * s;
                (sums[2 * channel], sums[2 * channel + 1]) =
                    RowMoments.Products<V, T, NoScale<T>>(job.X + plane, job.G + plane, default, s, moments);
                var scale = double.CreateTruncating(gamma[channel]);
                mean += scale * sums[2 * channel];
                dot += scale * sums[2 * channel + 1];
            }
            var (offset, slope) = (T.CreateTruncating(mean / job.Shape.GroupLength),
                T.CreateTruncating(-dot / job.Shape.GroupLength));
            for (nint channel = 0; channel < channels; channel++, at += s)
                BackwardPlane<V, T>(job.X + at, job.G + at, job.DX + at, s, moments, gamma[channel], offset, slope);
        }
    }

    // In this order: where all γ·g are equal, nothing is left of them.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void BackwardPlane<V, T>(T* x, T* g, T* dx, nint s, T* moments, T gamma, T offset, T slope)
        where V : struct, ILanes<V, T> where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var (mean, inverse, shift) = (V.Splat(moments[0]), V.Splat(moments[1]), V.Splat(moments[2]));
        var (scale, p, q) = (V.Splat(gamma), V.Splat(offset), V.Splat(slope));
        nint i = 0;
        for (; i <= s - V.Count; i += V.Count)
        {
            var normalized = V.Fma(V.Load(x + i) - mean, inverse, shift);
            V.Store(V.Fma(normalized, q, V.Load(g + i) * scale - p) * inverse, dx + i);
        }
        for (; i < s; i++)
        {
            var normalized = T.FusedMultiplyAdd(x[i] - moments[0], moments[1], moments[2]);
            dx[i] = T.FusedMultiplyAdd(normalized, slope, g[i] * gamma - offset) * moments[1];
        }
    }

    private struct ForwardJob<T> : IChunkJob where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public T* X;
        public T* Gamma;
        public T* Beta;
        public T* Moments;
        public T* Y;
        public GroupShape Shape;
        public double Epsilon;
        public nint GroupsPerChunk;

        public readonly void Run(int chunk) => Simd.Widest<T, ForwardKernel<T>>(
            new(this, chunk * GroupsPerChunk, Math.Min(Shape.Rows, (chunk + 1) * GroupsPerChunk)));
    }

    private readonly struct ForwardKernel<T>(ForwardJob<T> job, nint row, nint end) : IVectorKernel<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Invoke<V>() where V : struct, ILanes<V, T> => Forward<V, T>(job, row, end);
    }

    private struct GradientJob<T> : IChunkJob where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public T* X;
        public T* G;
        public T* Moments;
        public T* Gamma;
        public T* DX;
        public double* Sums;
        public GroupShape Shape;
        public nint GroupsPerChunk;

        public readonly void Run(int chunk) => Simd.Widest<T, GradientKernel<T>>(
            new(this, chunk * GroupsPerChunk, Math.Min(Shape.Rows, (chunk + 1) * GroupsPerChunk)));
    }

    private readonly struct GradientKernel<T>(GradientJob<T> job, nint row, nint end) : IVectorKernel<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Invoke<V>() where V : struct, ILanes<V, T> => Backward<V, T>(job, row, end);
    }
}

/// <summary>The sizes of a tensor [samples, channels, positions] whose channels form groups of equal size.</summary>
/// <param name="Samples">n.</param>
/// <param name="Channels">c.</param>
/// <param name="Positions">Elements of a sample and channel, s.</param>
/// <param name="Groups">The number of groups; it divides c.</param>
public readonly record struct GroupShape(nint Samples, nint Channels, nint Positions, nint Groups)
{
    internal nint Rows => Samples * Groups;
    internal nint ChannelsPerGroup => Channels / Groups;
    internal nint GroupLength => ChannelsPerGroup * Positions;
}
