using System.Numerics;
using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>A micro-kernel over packed A, as the loops around it call it.</summary>
internal unsafe interface ITile<T> where T : unmanaged
{
    /// <summary>Rows of C that it computes.</summary>
    static abstract int MR { get; }

    /// <summary>Columns of C that it computes.</summary>
    static abstract int NR { get; }

    /// <summary>
    /// C = α·A·B + β·C; A packed as [kc][<see cref="MR"/>], row k of B at b + k·strideB. β = 0 never reads C.
    /// </summary>
    static abstract void Run(nint kc, T* a, T* b, nint strideB, T* c, nint ldc, T alpha, T beta);

    /// <summary>C = f(C + bias) over the whole tile; bias along the columns, or null.</summary>
    static abstract void Epilogue<TOperator>(T* c, nint ldc, T* bias, TOperator activation)
        where TOperator : struct, IUnaryOperator;
}

/// <summary>The tile of a micro-kernel over vectors V.</summary>
internal readonly unsafe struct Tile<TKernel, V, T> : ITile<T>
    where TKernel : struct, IMicroKernel where V : struct, ILanes<V, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <inheritdoc/>
    public static int MR => TKernel.MR;

    /// <inheritdoc/>
    public static int NR
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => TKernel.Vectors * V.Count;
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Run(nint kc, T* a, T* b, nint strideB, T* c, nint ldc, T alpha, T beta)
    {
        if (beta == T.Zero) Replace(kc, a, b, strideB, c, ldc, alpha);
        else Update(kc, a, b, strideB, c, ldc, alpha, beta);
    }

    // Methods of their own: the accumulators of one body take every register.
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void Replace(nint kc, T* a, T* b, nint strideB, T* c, nint ldc, T alpha) =>
        TKernel.Run<V, T, PackedA<T>, RowsOfB<V, T>, ScaledC<V, T>>(
            kc, new(a, TKernel.MR), new(b, strideB), new(c, ldc, alpha));

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void Update(nint kc, T* a, T* b, nint strideB, T* c, nint ldc, T alpha, T beta) =>
        TKernel.Run<V, T, PackedA<T>, RowsOfB<V, T>, UpdatedC<V, T>>(
            kc, new(a, TKernel.MR), new(b, strideB), new(c, ldc, alpha, beta));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Epilogue<TOperator>(T* c, nint ldc, T* bias, TOperator activation)
        where TOperator : struct, IUnaryOperator
    {
        for (var row = 0; row < MR; row++, c += ldc)
            for (var i = 0; i < NR; i += V.Count)
                V.Store(activation.Invoke(bias == null ? V.Load(c + i) : V.Load(c + i) + V.Load(bias + i)), c + i);
    }
}
