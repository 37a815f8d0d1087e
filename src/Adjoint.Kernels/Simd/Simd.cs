using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Adjoint.Kernels;

/// <summary>
/// The one place that asks how wide the machine's vectors are. <see cref="Width"/> is a constant to the JIT and to the
/// native compiler, so a choice by it leaves a single branch, and <see cref="Widest{T, TKernel}"/> costs no more than
/// calling the kernel at the width that is left. Switching an instruction set off (DOTNET_EnableAVX512=0, …) lowers it.
/// </summary>
internal static class Simd
{
    /// <summary>Bits of the widest accelerated vector: 512, 256 or 128, or 0 where only scalar code is left.</summary>
    internal static int Width
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Vector512.IsHardwareAccelerated ? 512
            : Vector256.IsHardwareAccelerated ? 256
            : Vector128.IsHardwareAccelerated ? 128
            : 0;
    }

    /// <summary>Runs the kernel over the widest accelerated vectors of T.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Widest<T, TKernel>(TKernel kernel)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> where TKernel : struct, IVectorKernel<T>
    {
        if (Width == 512) kernel.Invoke<V512<T>>();
        else if (Width == 256) kernel.Invoke<V256<T>>();
        else if (Width == 128) kernel.Invoke<V128<T>>();
        else kernel.Invoke<Scalar<T>>();
    }

    /// <summary>The kernel's result over the widest accelerated vectors of T.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static TResult Widest<T, TResult, TKernel>(TKernel kernel)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> where TKernel : struct, IVectorKernel<T, TResult>
    {
        if (Width == 512) return kernel.Invoke<V512<T>>();
        if (Width == 256) return kernel.Invoke<V256<T>>();
        if (Width == 128) return kernel.Invoke<V128<T>>();
        return kernel.Invoke<Scalar<T>>();
    }
}

/// <summary>
/// Code written once for vectors of T of any width, scalars among them; its arguments are the struct's fields. Loops
/// belong in a static method that gets them as parameters: fields behind <c>this</c> are read again in every round.
/// </summary>
internal interface IVectorKernel<T> where T : unmanaged
{
    /// <summary>Runs over vectors V. Implementations are inlined.</summary>
    void Invoke<V>() where V : struct, ILanes<V, T>;
}

/// <summary>An <see cref="IVectorKernel{T}"/> that returns something.</summary>
internal interface IVectorKernel<T, TResult> where T : unmanaged
{
    /// <summary>Runs over vectors V. Implementations are inlined.</summary>
    TResult Invoke<V>() where V : struct, ILanes<V, T>;
}
