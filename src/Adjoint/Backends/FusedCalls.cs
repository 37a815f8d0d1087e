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
    // 4 or 8 KB an operand, so that half a dozen fit the first-level cache; a chunk is what one thread takes at a time.
    private const int Block = 1024;
    private const int Chunk = 16 * Block;

    private readonly PrimitiveCall[] calls;

    // For each call and operand: a tensor, or the number of a scratch block.
    private readonly Place[][] places;
    private readonly int scratchBlocks;
    private readonly int operandCount;
    private readonly DType type;
    private readonly int length;

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
            Cause = (string.Join(" + ", causes.Select(cause => cause.Op).Distinct()), causes.All(cause => cause.IsBackward));
        var output = calls[0].Operands[^1]!;
        (length, type) = (output.Length, output.DType);
        var scratch = new Dictionary<Memory.Storage, int>();
        var blocks = 0;
        places = Array.ConvertAll(calls, call => Array.ConvertAll(call.Operands, operand =>
        {
            if (IsRepeated(operand!)) return new Place { Tensor = operand, Scratch = blocks++, IsRepeated = true };
            if (!isPrivate(operand!)) return new Place { Tensor = operand, Scratch = -1 };
            if (!scratch.TryGetValue(operand!.Storage, out var block)) scratch[operand.Storage] = block = blocks++;
            return new Place { Scratch = block };
        }));
        (scratchBlocks, operandCount) = (blocks, places.Sum(row => row.Length));
    }

    /// <summary>Long enough to be worth it, contiguous, and every input as long as the output or one number.</summary>
    internal static bool CanFuse(PrimitiveCall call) => call.IsElementwise
        && call.Operands[^1] is { IsContiguous: true, Length: >= Block } output && output.DType.IsFloating()
        && output.Device == Device.Cpu
        && call.Operands.All(operand => operand!.DType == output.DType
            && (operand.IsContiguous && operand.Length == output.Length || IsRepeated(operand)));

    /// <summary>
    /// Whether a call can join those before it: as long as they are, no single number that it reads is still being
    /// written by them, and what one of them writes lies in the same order for the others.
    /// </summary>
    internal static bool CanJoin(ReadOnlySpan<PrimitiveCall> group, PrimitiveCall next)
    {
        var output = group[0].Operands[^1]!;
        if (!CanFuse(next) || next.Operands[^1]!.Length != output.Length
            || next.Operands[^1]!.DType != output.DType) return false;
        foreach (var operand in next.Operands)
            foreach (var call in group)
                if (IsRepeated(operand!) && call.Operands[^1]!.Storage == operand!.Storage) return false;
        foreach (var call in group)
            if (IsShifted(call.Operands[^1]!, next) || IsShifted(next.Operands[^1]!, call)) return false;
        return true;
    }

    private static bool IsShifted(Tensor written, PrimitiveCall other)
    {
        foreach (var operand in other.Operands)
            if (operand!.Storage == written.Storage && operand.Offset != written.Offset) return true;
        return false;
    }

    /// <summary>Takes over the tensors that the replay works on.</summary>
    internal void Rebind(Func<Tensor, Tensor> alias)
    {
        foreach (var row in places)
            for (var i = 0; i < row.Length; i++)
                if (row[i].Tensor is { } tensor) row[i].Tensor = alias(tensor);
    }

    internal override void Run()
    {
        var job = new Job { Owner = this };
        Workers.For((length + Chunk - 1) / Chunk, ref job);
    }

    private static bool IsRepeated(Tensor tensor) => Primitives.Operands.IsOneNumber(tensor);

    private void RunChunk(int chunk)
    {
        var size = type.Size();
        var scratch = Scratch.Rent(scratchBlocks * Block * size);
        foreach (var row in places)
            foreach (var place in row)
                if (place.IsRepeated) Repeat(place.Tensor!, scratch + (nint)place.Scratch * Block * size);
        // Where each operand of each call begins, and how far from there its next block is: a scratch block is its own
        // next. Looked up once a chunk: a block takes hardly longer than asking storages for their bytes.
        var at = stackalloc byte*[operandCount];
        var step = stackalloc nint[operandCount];
        var k = 0;
        foreach (var row in places)
            foreach (var place in row)
            {
                var isScratch = place.Scratch >= 0;
                at[k] = isScratch
                    ? scratch + (nint)place.Scratch * Block * size
                    : Address(place.Tensor!) + (nint)chunk * Chunk * size;
                step[k++] = isScratch ? 0 : Block * size;
            }
        var end = Math.Min(length, (chunk + 1) * Chunk);
        for (var first = chunk * Chunk; first < end; first += Block)
        {
            k = 0;
            for (var c = 0; c < calls.Length; c++)
            {
                calls[c].RunBlock((void**)(at + k), Math.Min(Block, end - first), type);
                k += places[c].Length;
            }
            for (k = 0; k < operandCount; k++) at[k] += step[k];
        }
    }

    private void Repeat(Tensor tensor, byte* to)
    {
        switch (type.Size())
        {
            case 2: new Span<ushort>(to, Block).Fill(tensor.Origin<ushort>()); break;
            case 4: new Span<float>(to, Block).Fill(tensor.Origin<float>()); break;
            case 8: new Span<double>(to, Block).Fill(tensor.Origin<double>()); break;
            default: throw Primitives.Operands.NoBody(Name, type);
        }
    }

    // Tensors of a block or more lie in pinned memory.
    private byte* Address(Tensor tensor) =>
        (byte*)Unsafe.AsPointer(ref tensor.Origin<byte>()) + (nint)tensor.Offset * (type.Size() - 1);

    private struct Place
    {
        public Tensor? Tensor;
        public int Scratch;
        public bool IsRepeated;
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

        internal static byte* Rent(int bytes)
        {
            if (buffer is null || buffer.Length < bytes + 64)
                buffer = GC.AllocateUninitializedArray<byte>(bytes + 64, pinned: true);
            return (byte*)(((nint)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(buffer)) + 63) & ~63);
        }
    }
}
