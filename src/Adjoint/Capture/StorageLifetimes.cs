using Adjoint.Memory;

namespace Adjoint;

/// <summary>From which call of a plan to which the storages that it makes hold what a later call reads.</summary>
/// <param name="calls">How many calls the plan has at most.</param>
internal sealed class StorageLifetimes(int calls)
{
    private readonly List<Storage> storages = [];
    private readonly List<BufferUse> uses = [];
    private readonly Dictionary<Storage, int> numbers = [];

    /// <summary>The storages, as they were first touched.</summary>
    internal IReadOnlyList<Storage> Storages => storages;

    /// <summary>The time of each.</summary>
    internal IReadOnlyList<BufferUse> Uses => uses;

    /// <summary>Notes what a recorded call touches of those storages.</summary>
    /// <param name="call">The call.</param>
    /// <param name="at">Its number in the plan; those that became one have one number.</param>
    /// <param name="isNoted">Which storages are asked for.</param>
    internal void Note(PrimitiveCall call, int at, Func<Storage, bool> isNoted)
    {
        var firstOutput = call.Operands.Length - call.Outputs;
        for (var i = 0; i < call.Operands.Length; i++)
        {
            if (call.Operands[i]?.Storage is not { } storage || !isNoted(storage)) continue;
            if (numbers.TryGetValue(storage, out var number))
            {
                uses[number] = uses[number] with { Last = Math.Max(at, uses[number].Last) };
                continue;
            }
            numbers[storage] = uses.Count;
            storages.Add(storage);
            // What is read before it is written holds what the replay before left there. A write may be of a part: the
            // rest was uninitialized in the eager step, too.
            var isRead = i < firstOutput || call.IsInPlace;
            uses.Add(isRead ? new(0, calls, storage.ByteLength) : new(at, at, storage.ByteLength));
        }
    }
}
