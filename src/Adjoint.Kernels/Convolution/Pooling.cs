using System.Numerics;

namespace Adjoint.Kernels;

/// <summary>The windows of a pooling over planes of Height × Width.</summary>
public readonly record struct PoolShape(int Planes, int Height, int Width, int KernelHeight, int KernelWidth, int StrideHeight, int StrideWidth, int PadHeight, int PadWidth, int OutHeight, int OutWidth);

/// <summary>Pooling, plane by plane.</summary>
public static unsafe class Pooling
{
    /// <summary>The largest of each window, and which of its elements it was, numbered row-major; padding never wins, the first of equals does, NaN does.</summary>
    public static void Max<T>(in PoolShape shape, T* x, T* y, byte* index) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var job = new MaxJob<T> { Shape = shape, X = x, Y = y, Index = index };
        Workers.For(shape.Planes, ref job);
    }

    /// <summary>Sends each g to the element that was largest; where windows overlap, shares add up.</summary>
    public static void MaxGradient<T>(in PoolShape shape, T* g, byte* index, T* dx) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var job = new MaxGradientJob<T> { Shape = shape, G = g, Index = index, X = dx };
        Workers.For(shape.Planes, ref job);
    }

    private struct MaxJob<T> : IChunkJob where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public PoolShape Shape;
        public T* X;
        public T* Y;
        public byte* Index;

        public readonly void Run(int plane)
        {
            var s = Shape;
            var x = X + (nint)plane * s.Height * s.Width;
            var y = Y + (nint)plane * s.OutHeight * s.OutWidth;
            var index = Index + (nint)plane * s.OutHeight * s.OutWidth;
            if (s is { KernelHeight: 2, KernelWidth: 2, StrideHeight: 2, StrideWidth: 2, PadHeight: 0, PadWidth: 0 } && 2 * s.OutHeight <= s.Height && 2 * s.OutWidth <= s.Width)
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
                return;
            }
            for (var i = 0; i < s.OutHeight; i++)
                for (var j = 0; j < s.OutWidth; j++, y++, index++)
                {
                    var (best, at, isFirst) = (T.NegativeInfinity, 0, true);
                    for (var ky = 0; ky < s.KernelHeight; ky++)
                    {
                        var row = i * s.StrideHeight + ky - s.PadHeight;
                        if ((uint)row >= (uint)s.Height) continue;
                        for (var kx = 0; kx < s.KernelWidth; kx++)
                        {
                            var column = j * s.StrideWidth + kx - s.PadWidth;
                            if ((uint)column >= (uint)s.Width) continue;
                            var value = x[(nint)row * s.Width + column];
                            if (!isFirst && (value <= best || T.IsNaN(best))) continue;
                            (best, at, isFirst) = (value, ky * s.KernelWidth + kx, false);
                        }
                    }
                    (*y, *index) = (best, (byte)at);
                }
        }
    }

    private struct MaxGradientJob<T> : IChunkJob where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public PoolShape Shape;
        public T* G;
        public byte* Index;
        public T* X;

        public readonly void Run(int plane)
        {
            var s = Shape;
            var x = X + (nint)plane * s.Height * s.Width;
            new Span<T>(x, s.Height * s.Width).Clear();
            var g = G + (nint)plane * s.OutHeight * s.OutWidth;
            var index = Index + (nint)plane * s.OutHeight * s.OutWidth;
            for (var i = 0; i < s.OutHeight; i++)
                for (var j = 0; j < s.OutWidth; j++, g++, index++)
                {
                    var (row, column) = (i * s.StrideHeight + *index / s.KernelWidth - s.PadHeight, j * s.StrideWidth + *index % s.KernelWidth - s.PadWidth);
                    x[(nint)row * s.Width + column] += *g;
                }
        }
    }
}
