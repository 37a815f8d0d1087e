using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Adjoint.Kernels;

/// <summary>Lays a panel of a matrix out in the order in which the micro-kernel reads it: step by step, the panel's width side by side.</summary>
internal static unsafe class Packing
{
    private const int Block = 16;

    /// <summary>
    /// to[k·width + i] = element i of step k. Elements lie side by side (<paramref name="stepsAreDense"/> false) or steps do
    /// (true). Beyond <paramref name="count"/> the panel is filled with zeros.
    /// </summary>
    internal static void Panel<T>(T* from, nint leading, bool stepsAreDense, int count, int width, int steps, T* to) where T : unmanaged
    {
        if (count < width) new Span<T>(to, width * steps).Clear();
        if (!stepsAreDense)
        {
            for (nint k = 0; k < steps; k++)
                Unsafe.CopyBlockUnaligned(to + k * width, from + k * leading, (uint)(count * sizeof(T)));
            return;
        }
        for (nint block = 0; block < steps; block += Block)
        {
            var last = Math.Min(steps, block + Block);
            for (nint i = 0; i < count; i++)
            {
                var source = from + i * leading;
                for (var k = block; k < last; k++) to[k * width + i] = source[k];
            }
        }
    }
}

/// <summary>Two growing, pinned scratch buffers per thread for packed panels.</summary>
internal static unsafe class PackBuffer
{
    [ThreadStatic] private static byte[]?[]? buffers;

    internal static T* Rent<T>(int which, nint count) where T : unmanaged
    {
        var bytes = count * sizeof(T) + 64;
        var slots = buffers ??= new byte[]?[2];
        if (slots[which] is not { } buffer || buffer.Length < bytes)
            slots[which] = buffer = GC.AllocateUninitializedArray<byte>((int)bytes, pinned: true);
        var address = (nint)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(buffer));
        return (T*)((address + 63) & ~63);
    }
}
