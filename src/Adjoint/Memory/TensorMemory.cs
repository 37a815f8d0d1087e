using Adjoint.Memory;

namespace Adjoint;

/// <summary>
/// The pool from which tensors take their memory: how much it holds, how much it may keep, and how to empty it. It
/// counts buffers of 4 KB and more, of all threads together; smaller tensors are ordinary objects, and the memory of
/// captured functions is <see cref="CapturedFunction{TResult}.PlannedBytes"/>.
/// </summary>
public static class TensorMemory
{
    /// <summary>
    /// Bytes of the buffers that tensors hold, including those of unreachable tensors until the collector finds them.
    /// </summary>
    public static long RentedBytes => BufferPool.RentedBytes;

    /// <summary>Bytes of the buffers in the pool, ready for the next tensor.</summary>
    public static long PooledBytes => BufferPool.PooledBytes;

    /// <summary>
    /// The most bytes that the pool may keep; a buffer beyond goes to the garbage collector. Setting it trims the pool.
    /// By default there is no limit: the pool grows to what the program needed at once, is emptied when the machine
    /// runs short of memory, and shrinks when it and the tensors together come near the process's limit. With 0 it
    /// keeps nothing, and every tensor costs fresh memory.
    /// </summary>
    /// <exception cref="AdjointException">The value is negative.</exception>
    public static long PoolLimit
    {
        get => BufferPool.Limit;
        set => BufferPool.Limit = RequireBytes(value, nameof(PoolLimit));
    }

    /// <summary>
    /// Gives buffers of the pool to the garbage collector, the largest first, until at most <paramref name="keep"/>
    /// bytes are left. No tensor loses its memory.
    /// </summary>
    /// <param name="keep">The most bytes that may stay in the pool; 0 empties it.</param>
    /// <exception cref="AdjointException">The number is negative.</exception>
    public static void Trim(long keep = 0) => BufferPool.Trim(RequireBytes(keep, nameof(Trim)));

    private static long RequireBytes(long bytes, string member) => bytes >= 0
        ? bytes
        : throw new AdjointException(
            $"TensorMemory.{member}: a number of bytes is needed: found {bytes}; 0 keeps nothing in the pool");
}
