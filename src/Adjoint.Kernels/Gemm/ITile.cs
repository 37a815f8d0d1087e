namespace Adjoint.Kernels;

/// <summary>A register-blocked micro-kernel over packed panels.</summary>
internal unsafe interface ITile<T> where T : unmanaged
{
    /// <summary>Rows of C it computes.</summary>
    static abstract int Rows { get; }

    /// <summary>Columns of C it computes.</summary>
    static abstract int Columns { get; }

    /// <summary>C = α·A·B + β·C; A packed as depth × <see cref="Rows"/>, B as depth × <see cref="Columns"/>. β = 0 never reads C.</summary>
    static abstract void Run(nint depth, T* a, T* b, T* c, nint ldc, T alpha, T beta);
}
