namespace Adjoint.Kernels;

/// <summary>A register-blocked micro-kernel over packed panels.</summary>
internal unsafe interface ITile<T> where T : unmanaged
{
    /// <summary>Rows of C it computes.</summary>
    static abstract int Rows { get; }

    /// <summary>Columns of C it computes.</summary>
    static abstract int Columns { get; }

    /// <summary>C = α·A·B + β·C; A packed as depth × <see cref="Rows"/>, step k of B at b + k·strideB. β = 0 never reads C.</summary>
    static abstract void Run(nint depth, T* a, T* b, nint strideB, T* c, nint ldc, T alpha, T beta);

    /// <summary>C = f(C + bias), bias along the columns or null, over whole columns of the tile.</summary>
    static abstract void Finish<TOperator>(int rows, T* c, nint ldc, T* bias, TOperator activation) where TOperator : struct, IUnaryOperator;
}
