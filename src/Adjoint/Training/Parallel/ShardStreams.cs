namespace Adjoint.Training;

/// <summary>
/// The random streams of a run in shards. Which numbers a shard draws depends on where it stands in the run alone: so
/// they are the same on any number of ranks, and no position of a stream has to be kept.
/// </summary>
internal sealed class ShardStreams(Trainer trainer, int shards)
{
    // Random numbers that one shard may draw before it meets those of the next.
    private const int PositionBits = 36;
    // Validation draws from the other half.
    private const ulong OfValidation = 1ul << 63;
    // Of the run: looked for once, since each shard needs them.
    private Generator[]? streams;

    /// <summary>Looks for the streams of the model.</summary>
    internal void Find() => streams = [.. trainer.Streams().Select(entry => entry.Value).Distinct()];

    /// <summary>Where a stream is before a shard.</summary>
    /// <param name="batches">The number of batches of the run before this one.</param>
    /// <param name="shard">The shard.</param>
    internal ulong PositionOf(int batches, int shard) =>
        unchecked((1 + (ulong)batches * (ulong)shards + (ulong)shard) << PositionBits);

    /// <summary>Moves all streams to where they are before a shard.</summary>
    /// <inheritdoc cref="PositionOf"/>
    internal void MoveTo(int batches, int shard) => Move(PositionOf(batches, shard));

    /// <summary>Moves all streams to where they are before a batch of validation.</summary>
    internal void MoveToValidation(int batch) => Move(OfValidation + ((ulong)batch << PositionBits));

    private void Move(ulong position)
    {
        if (streams is null) Find();
        foreach (var stream in streams!) stream.Position = position;
    }
}
