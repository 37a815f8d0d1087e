using System.Numerics;
using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>Code written once for every GEMM micro-kernel.</summary>
internal interface IConvGemmKernel<T> where T : unmanaged
{
    /// <summary>Runs with the micro-kernel.</summary>
    void Invoke<TTile>() where TTile : struct, ITile<T>;
}

/// <summary>Which GEMM micro-kernel a convolution takes: the one that wastes the fewest rows on its filters.</summary>
internal static class ConvGemmTiles
{
    /// <summary>Rows and vectors of the micro-kernel for so many filters.</summary>
    internal static (int Rows, int Vectors) Fit(int filters) =>
        // Only AVX-512 has the 32 registers that a tile of 24 accumulators needs.
        Simd.Width < 512 ? (6, 2)
        : filters <= 6 ? (6, 4)
        : filters % 12 is > 0 and <= 8 ? (8, 3)
        : (12, 2);

    /// <summary>Runs a kernel with the micro-kernel that fits.</summary>
    internal readonly struct Kernel<T, TKernel>(int filters, TKernel kernel) : IVectorKernel<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T> where TKernel : struct, IConvGemmKernel<T>
    {
        /// <inheritdoc/>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Invoke<V>() where V : struct, ILanes<V, T>
        {
            if (Simd.Width < 512)
            {
                kernel.Invoke<Tile<MicroKernel6x2, V, T>>();
                return;
            }
            switch (Fit(filters))
            {
                case (6, 4): kernel.Invoke<Tile<MicroKernel6x4, V, T>>(); break;
                case (8, 3): kernel.Invoke<Tile<MicroKernel8x3, V, T>>(); break;
                default: kernel.Invoke<Tile<MicroKernel12x2, V, T>>(); break;
            }
        }
    }
}
