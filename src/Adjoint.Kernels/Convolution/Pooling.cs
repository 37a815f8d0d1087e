using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace Adjoint.Kernels;

/// <summary>The windows of a pooling over planes (N · C of them) of Height × Width.</summary>
public readonly record struct PoolShape(
    int Planes, int Height, int Width, int KernelHeight, int KernelWidth, int StrideHeight, int StrideWidth,
    int PadHeight, int PadWidth, int OutHeight, int OutWidth)
{
    /// <summary>Windows of 2 × 2 side by side, all of them within the plane.</summary>
    internal bool Is2x2 => this is
    {
        KernelHeight: 2, KernelWidth: 2, StrideHeight: 2, StrideWidth: 2, PadHeight: 0, PadWidth: 0,
    }
        && 2 * OutHeight <= Height && 2 * OutWidth <= Width;
}

/// <summary>Pooling, plane by plane.</summary>
public static unsafe class Pooling
{
    /// <summary>
    /// The largest of each window, and which of its elements it was, numbered row-major; padding never wins, the first
    /// of equals does, NaN does.
    /// </summary>
    public static void Max<T>(in PoolShape shape, T* x, T* y, byte* index)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        PlaneJob<MaxKernel<T>>.Run(shape, new() { Shape = shape, X = x, Y = y, Index = index });

    /// <summary>Sends each g to the element that was largest; where windows overlap, gradients add up.</summary>
    public static void MaxGradient<T>(in PoolShape shape, T* g, byte* index, T* dx)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        PlaneJob<MaxGradientKernel<T>>.Run(shape, new() { Shape = shape, G = g, Index = index, DX = dx });

    /// <summary>The element of each window that was largest somewhere else, by its number in the window.</summary>
    public static void Select<T>(in PoolShape shape, T* x, byte* index, T* y) where T : unmanaged =>
        PlaneJob<SelectKernel<T>>.Run(shape, new() { Shape = shape, X = x, Index = index, Y = y });

    /// <summary>What is done to a plane.</summary>
    private interface IPlaneKernel
    {
        void Plane(int plane);
    }

    /// <summary>Planes shared out in blocks, so that handing out work does not cost more than the work.</summary>
    private struct PlaneJob<TKernel> : IChunkJob where TKernel : struct, IPlaneKernel
    {
        private const int MinElements = 8192;

        private TKernel kernel;
        private int planes, planesPerBlock;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public readonly void Run(int chunk)
        {
            var last = Math.Min(planes, (chunk + 1) * planesPerBlock);
            for (var plane = chunk * planesPerBlock; plane < last; plane++) kernel.Plane(plane);
        }

        internal static void Run(in PoolShape shape, TKernel kernel)
        {
            var perBlock = Math.Max(1, MinElements / Math.Max(1, shape.Height * shape.Width));
            var job = new PlaneJob<TKernel> { kernel = kernel, planes = shape.Planes, planesPerBlock = perBlock };
            Workers.For((shape.Planes + perBlock - 1) / perBlock, ref job);
        }
    }

    private struct MaxKernel<T> : IPlaneKernel where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public PoolShape Shape;
        public T* X;
        public T* Y;
        public byte* Index;

        public readonly void Plane(int plane)
        {
            var s = Shape;
            var x = X + (nint)plane * s.Height * s.Width;
            var y = Y + (nint)plane * s.OutHeight * s.OutWidth;
            var index = Index + (nint)plane * s.OutHeight * s.OutWidth;
            if (!s.Is2x2) Windows(s, x, y, index);
            else if (typeof(T) == typeof(float) && Avx2.IsSupported) MaxPool2x2.Plane(s, (float*)x, (float*)y, index);
            else Windows2x2(s, x, y, index);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Windows2x2(in PoolShape s, T* x, T* y, byte* index)
        {
            for (var i = 0; i < s.OutHeight; i++)
                for (var j = 0; j < s.OutWidth; j++, y++, index++)
                {
                    var top = x + (nint)2 * i * s.Width + 2 * j;
                    var bottom = top + s.Width;
                    var (best, at) = (top[0], 0);
                    if (!(top[1] <= best) && !T.IsNaN(best)) (best, at) = (top[1], 1);
                    if (!(bottom[0] <= best) && !T.IsNaN(best)) (best, at) = (bottom[0], 2);
                    if (!(bottom[1] <= best) && !T.IsNaN(best)) (best, at) = (bottom[1], 3);
                    (*y, *index) = (best, (byte)at);
                }
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Windows(in PoolShape s, T* x, T* y, byte* index)
        {
            for (var i = 0; i < s.OutHeight; i++)
                for (var j = 0; j < s.OutWidth; j++, y++, index++)
                {
                    var (best, at, isFirst) = (T.NegativeInfinity, 0, true);
                    for (var r = 0; r < s.KernelHeight; r++)
                    {
                        var row = i * s.StrideHeight + r - s.PadHeight;
                        if ((uint)row >= (uint)s.Height) continue;
                        for (var c = 0; c < s.KernelWidth; c++)
                        {
                            var column = j * s.StrideWidth + c - s.PadWidth;
                            if ((uint)column >= (uint)s.Width) continue;
                            var value = x[(nint)row * s.Width + column];
                            if (!isFirst && (value <= best || T.IsNaN(best))) continue;
                            (best, at, isFirst) = (value, r * s.KernelWidth + c, false);
                        }
                    }
                    (*y, *index) = (best, (byte)at);
                }
        }
    }

    private struct MaxGradientKernel<T> : IPlaneKernel where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public PoolShape Shape;
        public T* G;
        public byte* Index;
        public T* DX;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public readonly void Plane(int plane)
        {
            var s = Shape;
            var dx = DX + (nint)plane * s.Height * s.Width;
            new Span<T>(dx, s.Height * s.Width).Clear();
            var g = G + (nint)plane * s.OutHeight * s.OutWidth;
            var index = Index + (nint)plane * s.OutHeight * s.OutWidth;
            if (s.Is2x2 && typeof(T) == typeof(float) && Avx2.IsSupported)
            {
                MaxPool2x2.GradientPlane(s, (float*)g, index, (float*)dx);
                return;
            }
            for (var i = 0; i < s.OutHeight; i++)
                for (var j = 0; j < s.OutWidth; j++, g++, index++)
                    if (Element(s, i, j, *index) is var at and >= 0) dx[at] += *g;
        }
    }

    private struct SelectKernel<T> : IPlaneKernel where T : unmanaged
    {
        public PoolShape Shape;
        public T* X;
        public byte* Index;
        public T* Y;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public readonly void Plane(int plane)
        {
            var s = Shape;
            var x = X + (nint)plane * s.Height * s.Width;
            var y = Y + (nint)plane * s.OutHeight * s.OutWidth;
            var index = Index + (nint)plane * s.OutHeight * s.OutWidth;
            for (var i = 0; i < s.OutHeight; i++)
                for (var j = 0; j < s.OutWidth; j++, y++, index++)
                    *y = Element(s, i, j, *index) is var at and >= 0 ? x[at] : default;
        }
    }

    // Where an element of the window of output (i, j) lies in the plane; −1 for a number that names none of it.
    private static nint Element(in PoolShape s, int i, int j, byte number)
    {
        var row = i * s.StrideHeight + number / s.KernelWidth - s.PadHeight;
        var column = j * s.StrideWidth + number % s.KernelWidth - s.PadWidth;
        return (uint)row < (uint)s.Height && (uint)column < (uint)s.Width ? (nint)row * s.Width + column : -1;
    }
}
