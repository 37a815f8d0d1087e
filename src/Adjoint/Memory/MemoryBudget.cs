namespace Adjoint.Memory;

/// <summary>
/// The bytes that may still be allocated for what an untrusted file describes, so that a small file cannot ask for a
/// large memory.
/// </summary>
/// <param name="bytes">The bytes in all.</param>
internal sealed class MemoryBudget(long bytes)
{
    private long left = bytes;

    /// <exception cref="AdjointException">More is asked for than is left.</exception>
    internal void Take(long bytes)
    {
        if (bytes > left)
            throw new AdjointException(
                $"it takes more memory than the tensors of its file account for ({bytes:N0} bytes more, {left:N0} are "
                + "left)");
        left -= bytes;
    }
}
