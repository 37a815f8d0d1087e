using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Adjoint.Kernels;

namespace Adjoint;

/// <summary>
/// A run of element-wise calls over equally long operands as one pass over memory: block by block, so that what one
/// call writes is read by the next from the first-level cache. Results that nobody else reads exist only there. Each
/// element takes the same value as call by call.
/// </summary>
internal sealed unsafe class FusedCalls : PrimitiveCall
{
    // 4 or 8 kB an operand, so that half a dozen fit the first-level cache; a chunk is what one thread takes at a time.
    private const int Block = 1024;
    private const int Chunk = 16 * Block;

    private readonly PrimitiveCall[] calls;

    // Where each operand of each call begins: an address, or a distance into scratch memory.
    private readonly Place[] places;
    private readonly nint[] origins;
    private readonly int[] operandCounts;
    // Tensors that are copied into scratch memory first, and where to.
    private readonly List<(Tensor Tensor, int Scratch)> fetched = [];
    private readonly int scratchBlocks;
    private readonly DType type;
    private readonly int length;
    private readonly int block;
    // Of what is no longer than a block: scratch memory of its own, so that all addresses stay.
    private readonly byte[]? ownScratch;

    /// <param name="calls">In order; see <see cref="CanFuse"/>.</param>
    /// <param name="isPrivate">Whether nobody outside reads a storage.</param>
    internal FusedCalls(PrimitiveCall[] calls, Func<Tensor, bool> isPrivate)
        : base(
            $"fused {calls.Length} element-wise",
            [.. calls.SelectMany(call => call.Operands).Where(operand => !isPrivate(operand!))
                .DistinctBy(operand => operand!.Storage)],
            outputs: 1)
    {
        this.calls = calls;
        var causes = calls.Select(call => call.Cause).OfType<(string Op, bool IsBackward)>().Distinct().ToArray();
        if (causes.Length > 0)
            Cause = (string.Join(" + ", causes.Select(cause => cause.Op).Distinct()),
                causes.All(cause => cause.IsBackward));
        var output = calls[0].Operands[^1]!;
        (length, type) = (output.Length, output.DType);
        block = Math.Min(Block, length);
        var made = new Dictionary<Memory.Storage, int>();
        var given = new Dictionary<(Memory.Storage, int), int>();
        places = [.. calls.SelectMany(call => call.Operands, (_, operand) => PlaceOf(operand!))];
        scratchBlocks = made.Count + given.Count;
        origins = GC.AllocateArray<nint>(places.Length, pinned: true);
        operandCounts = Array.ConvertAll(calls, call => call.Operands.Length);
        if (length <= Block)
            ownScratch = GC.AllocateArray<byte>(scratchBlocks * block * type.Size() + Scratch.Line, pinned: true);

        Place PlaceOf(Tensor operand)
        {
            if (IsNumber(operand, length) || operand.Storage.IsMovable)
            {
                if (given.TryGetValue((operand.Storage, operand.Offset), out var copy)) return new() { Scratch = copy };
                given[(operand.Storage, operand.Offset)] = copy = made.Count + given.Count;
                fetched.Add((operand, copy));
                return new() { Scratch = copy };
            }
            if (!isPrivate(operand)) return new() { Tensor = operand, Scratch = -1 };
            if (!made.TryGetValue(operand.Storage, out var at)) made[operand.Storage] = at = made.Count + given.Count;
            return new() { Scratch = at };
        }
    }

    /// <summary>Contiguous, and every input as long as the output or one number.</summary>
    internal static bool CanFuse(PrimitiveCall call) => call.IsElementwise
        && call.Operands[^1] is { IsContiguous: true, Length: > 0 } output && output.DType.IsFloating()
        && output.Device == Device.Cpu && !output.Storage.IsMovable
        && call.Operands.All(operand => operand!.DType == output.DType
            && (IsNumber(operand, output.Length)
                || operand.IsContiguous && operand.Length == output.Length
                    && (!operand.Storage.IsMovable || operand.Length <= Block)));

    /// <summary>
    /// Whether a call can join those before it: as long as they are, and what one of them writes lies in the same order
    /// for the others, none of which reads a single number of it.
    /// </summary>
    internal static bool CanJoin(ReadOnlySpan<PrimitiveCall> group, PrimitiveCall next)
    {
        var output = group[0].Operands[^1]!;
        if (!CanFuse(next) || next.Operands[^1]!.Length != output.Length
            || next.Operands[^1]!.DType != output.DType) return false;
        foreach (var call in group)
            if (IsShifted(call.Operands[^1]!, next) || IsShifted(next.Operands[^1]!, call)) return false;
        return true;
    }

    // A number is fetched anew for each chunk: it must not change meanwhile.
    private static bool IsShifted(Tensor written, PrimitiveCall other)
    {
        foreach (var operand in other.Operands)
            if (operand!.Storage == written.Storage
                && (operand.Offset != written.Offset || IsNumber(operand, written.Length))) return true;
        return false;
    }

    /// <summary>Bytes of memory of its own.</summary>
    internal long OwnBytes => ownScratch?.Length ?? 0;

    /// <summary>Takes over the tensors that the replay works on.</summary>
    internal void Rebind(Func<Tensor, Tensor> alias)
    {
        var scratch = ownScratch is null ? 0 : (nint)Scratch.Aligned(ownScratch);
        for (var k = 0; k < places.Length; k++)
        {
            ref var place = ref places[k];
            if (place.Tensor is not null) place.Tensor = alias(place.Tensor);
            origins[k] = place.Scratch >= 0
                ? scratch + place.Scratch * (nint)block * type.Size()
                : Address(place.Tensor!);
        }
        for (var i = 0; i < fetched.Count; i++) fetched[i] = (alias(fetched[i].Tensor), fetched[i].Scratch);
    }

    internal override void Run()
    {
        if (ownScratch is not null)
        {
            RunOnce();
        }
        else
        {
            var job = new Job { Owner = this };
            Workers.For((length + Chunk - 1) / Chunk, ref job);
        }
        GC.KeepAlive(this);
    }

    private void RunOnce()
    {
        Fetch(Scratch.Aligned(ownScratch!));
        var at = (void**)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(origins));
        for (var c = 0; c < calls.Length; c++)
        {
            calls[c].RunBlock(at, length, type);
            at += operandCounts[c];
        }
    }

    // One that all elements of an operation read.
    private static bool IsNumber(Tensor tensor, int length) => length > 1 && Primitives.Operands.IsOneNumber(tensor);

    private void RunChunk(int chunk)
    {
        var size = type.Size();
        var scratch = Scratch.Rent(scratchBlocks * block * size);
        Fetch(scratch);
        // Where each operand of each call begins, and how far from there its next block is: a scratch block is its own
        // next.
        var at = stackalloc byte*[places.Length];
        var step = stackalloc nint[places.Length];
        for (var k = 0; k < places.Length; k++)
        {
            var isScratch = places[k].Scratch >= 0;
            at[k] = isScratch ? scratch + origins[k] : (byte*)origins[k] + (nint)chunk * Chunk * size;
            step[k] = isScratch ? 0 : Block * size;
        }
        var end = Math.Min(length, (chunk + 1) * Chunk);
        for (var first = chunk * Chunk; first < end; first += Block)
        {
            var k = 0;
            for (var c = 0; c < calls.Length; c++)
            {
                calls[c].RunBlock((void**)(at + k), Math.Min(Block, end - first), type);
                k += operandCounts[c];
            }
            for (k = 0; k < places.Length; k++) at[k] += step[k];
        }
    }

    // What the collector may move is read where it is now; a number, as often as there are elements.
    private void Fetch(byte* scratch)
    {
        foreach (var (tensor, place) in fetched)
        {
            var to = scratch + place * (nint)block * type.Size();
            if (!IsNumber(tensor, length)) tensor.Bytes.CopyTo(new Span<byte>(to, block * type.Size()));
            else
                switch (type.Size())
                {
                    case 2: new Span<ushort>(to, block).Fill(tensor.Origin<ushort>()); break;
                    case 4: new Span<float>(to, block).Fill(tensor.Origin<float>()); break;
                    case 8: new Span<double>(to, block).Fill(tensor.Origin<double>()); break;
                    default: throw Primitives.Operands.NoBody(Name, type);
                }
        }
    }

    private nint Address(Tensor tensor) =>
        (nint)Unsafe.AsPointer(ref tensor.Origin<byte>()) + tensor.Offset * ((nint)type.Size() - 1);

    // A tensor, or a block of scratch memory: of a result that exists only there, or of what is fetched.
    private struct Place
    {
        public Tensor? Tensor;
        public int Scratch;
    }

    private struct Job : IChunkJob
    {
        public FusedCalls Owner;
        public readonly void Run(int chunk) => Owner.RunChunk(chunk);
    }

    /// <summary>Growing, pinned, one per thread.</summary>
    private static class Scratch
    {
        [ThreadStatic] private static byte[]? buffer;

        internal const int Line = 64;

        internal static byte* Rent(int bytes)
        {
            if (buffer is null || buffer.Length < bytes + Line)
                buffer = GC.AllocateUninitializedArray<byte>(bytes + Line, pinned: true);
            return Aligned(buffer);
        }

        /// <summary>Where the first cache line of a pinned array begins.</summary>
        internal static byte* Aligned(byte[] pinned) =>
            (byte*)(((nint)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(pinned)) + Line - 1) & -Line);
    }
}
