using Adjoint.Memory;

namespace Adjoint;

/// <summary>
/// The pool that tensors take their memory from: how much it holds, how much it may keep, and how to empty it. Counted
/// are buffers of tensors of 4 KB and more, on all threads together; smaller tensors are ordinary objects, and what
/// captured functions own is <see cref="CapturedFunction{TResult}.PlannedBytes"/>.
/// </summary>
public static class TensorMemory
{
    /// <summary>Bytes of buffers that tensors hold, dropped ones included until the collector finds them.</summary>
    public static long RentedBytes => BufferPool.RentedBytes;

    /// <summary>Bytes of buffers that lie in the pool, ready for the next tensor.</summary>
    public static long PooledBytes => BufferPool.PooledBytes;

    /// <summary>
    /// The most bytes that may lie in the pool; a buffer beyond goes to the garbage collector. Setting it trims the
    /// pool to it. At first there is no limit: the pool grows to what the program needed at once, is emptied where the
    /// machine runs short of memory, and gives way where it and the tensors together come near to what the process may
    /// have. 0 keeps nothing, and every tensor costs fresh memory.
    /// </summary>
    /// <exception cref="AdjointException">It is negative.</exception>
    public static long PoolLimit
    {
        get => BufferPool.Limit;
        set => BufferPool.Limit = RequireBytes(value, nameof(PoolLimit));
    }

    /// <summary>
    /// Gives buffers that lie in the pool to the garbage collector, the largest first, until at most
    /// <paramref name="keep"/> bytes are left. No tensor loses its memory.
    /// </summary>
    /// <exception cref="AdjointException">The number is negative.</exception>
    public static void Trim(long keep = 0) => BufferPool.Trim(RequireBytes(keep, nameof(Trim)));

    private static long RequireBytes(long bytes, string member) => bytes >= 0
        ? bytes
        : throw new AdjointException(
            $"TensorMemory.{member}: a number of bytes is needed: found {bytes}; 0 keeps nothing in the pool");
}
