using System.Numerics;
using System.Runtime.CompilerServices;
using Adjoint.Kernels;

namespace Adjoint.Primitives;

/// <summary>
/// A primitive of floating types whose body is written once: <see cref="Run{T}"/> is called with the computing type,
/// float for float32, bfloat16 and float16, double for float64. Half precisions are types of memory alone: such
/// operands come widened, which is exact, as contiguous or strided float32 tensors, and results are rounded once, to
/// the nearest, ties to even. Operands of other types, such as indices and masks, come as they are. The body checks
/// nothing: see <see cref="IPrimitive{TSelf}.Check"/>.
/// </summary>
/// <typeparam name="TSelf">The primitive itself.</typeparam>
public interface IFloatingPrimitive<TSelf> : IPrimitive<TSelf> where TSelf : struct, IFloatingPrimitive<TSelf>
{
    /// <summary>Computes the primitive, on operands that were checked and lie in the CPU's memory.</summary>
    /// <typeparam name="T">The computing type: float or double.</typeparam>
    /// <param name="primitive">The primitive, with its attributes.</param>
    /// <param name="operands">What it reads, null where an optional operand is left out; then what it writes.</param>
    static abstract void Run<T>(in TSelf primitive, ReadOnlySpan<Tensor?> operands)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>;

    /// <summary>
    /// Computes a block of an element-wise primitive over contiguous elements; see
    /// <see cref="IPrimitive{TSelf}.RunBlock"/>.
    /// </summary>
    /// <typeparam name="T">The computing type: float or double.</typeparam>
    /// <param name="primitive">The primitive, with its attributes.</param>
    /// <param name="block">Where the block of each operand begins, in the order of the operands.</param>
    /// <param name="count">The number of elements in the block.</param>
    static virtual unsafe void RunBlock<T>(in TSelf primitive, T** block, int count)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        throw new NotSupportedException($"{TSelf.Name}: not element-wise");

    /// <inheritdoc/>
    static void IPrimitive<TSelf>.RunOnCpu(in TSelf primitive, ReadOnlySpan<Tensor?> operands) =>
        FloatingPrimitive.Run(primitive, operands);

    /// <inheritdoc/>
    static unsafe void IPrimitive<TSelf>.RunBlock(
        in TSelf primitive, void** block, int operands, int count, DType type) =>
        FloatingPrimitive.RunBlock(primitive, block, operands, count, type);
}

/// <summary>The one dispatch on the floating types.</summary>
public static class FloatingPrimitive
{
    // So that a handful of widened operands fit the first-level cache. A chunk is a matter of the work alone, never of
    // the thread count; 16 K elements outweigh a hand-off.
    private const int Block = 1024, Chunk = 16 * Block;

    /// <summary>
    /// Computes a primitive in float32 where an operand is of half precision, else in the type of its first floating
    /// operand. For primitives with a body of their own for some types, which delegate the rest to here.
    /// </summary>
    /// <typeparam name="TPrimitive">The type of the primitive.</typeparam>
    /// <param name="primitive">The primitive, with its attributes.</param>
    /// <param name="operands">What it reads, null where an optional operand is left out; then what it writes.</param>
    /// <exception cref="AdjointException">No operand is of a floating type; names the primitive.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Run<TPrimitive>(in TPrimitive primitive, ReadOnlySpan<Tensor?> operands)
        where TPrimitive : struct, IFloatingPrimitive<TPrimitive>
    {
        switch (TypeOf(operands))
        {
            case DType.Float32: TPrimitive.Run<float>(primitive, operands); break;
            case DType.Float64: TPrimitive.Run<double>(primitive, operands); break;
            case DType.BFloat16 or DType.Float16: RunWidened(primitive, operands); break;
            default: throw NoBody(TPrimitive.Name, operands);
        }
    }

    private static AdjointException NoBody(string primitive, ReadOnlySpan<Tensor?> operands)
    {
        foreach (var operand in operands)
            if (operand is not null) return Operands.NoBody(primitive, operand.DType);
        return new($"{primitive}: takes an operand of a floating type: found none");
    }

    /// <summary>Computes a block of an element-wise primitive; half precision is widened for the block alone.</summary>
    internal static unsafe void RunBlock<TPrimitive>(
        in TPrimitive primitive, void** block, int operands, int count, DType type)
        where TPrimitive : struct, IFloatingPrimitive<TPrimitive>
    {
        switch (type)
        {
            case DType.Float32: TPrimitive.RunBlock(primitive, (float**)block, count); break;
            case DType.Float64: TPrimitive.RunBlock(primitive, (double**)block, count); break;
            case DType.BFloat16: RunHalfBlock(primitive, (BFloat16**)block, operands, count); break;
            case DType.Float16: RunHalfBlock(primitive, (Half**)block, operands, count); break;
            default: throw Operands.NoBody(TPrimitive.Name, type);
        }
    }

    private static unsafe void RunHalfBlock<TPrimitive, TStored>(
        in TPrimitive primitive, TStored** block, int operands, int count)
        where TPrimitive : struct, IFloatingPrimitive<TPrimitive> where TStored : unmanaged
    {
        var wide = stackalloc float[operands * count];
        var at = stackalloc float*[operands];
        for (var k = 0; k < operands; k++) at[k] = wide + k * count;
        for (var k = 0; k < operands - TPrimitive.Outputs; k++) HalfPrecision.Widen(block[k], at[k], count);
        TPrimitive.RunBlock(primitive, at, count);
        for (var k = operands - TPrimitive.Outputs; k < operands; k++) HalfPrecision.Narrow(at[k], block[k], count);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static DType? TypeOf(ReadOnlySpan<Tensor?> operands)
    {
        DType? first = null;
        foreach (var operand in operands)
        {
            if (operand is null) continue;
            if (IsHalf(operand)) return operand.DType;
            if (first is null && operand.DType.IsFloating()) first = operand.DType;
        }
        return first;
    }

    private static unsafe void RunWidened<TPrimitive>(in TPrimitive primitive, ReadOnlySpan<Tensor?> operands)
        where TPrimitive : struct, IFloatingPrimitive<TPrimitive>
    {
        if (TPrimitive.IsElementwise && AreBlocks(operands))
        {
            var at = stackalloc void*[operands.Length];
            if (operands[^1]!.DType == DType.BFloat16) RunBlocks(primitive, operands, (BFloat16**)at, 0);
            else RunBlocks(primitive, operands, (Half**)at, 0);
            return;
        }
        var wide = operands.ToArray();
        var results = operands.Length - TPrimitive.Outputs;
        for (var i = 0; i < wide.Length; i++)
            if (wide[i] is { } narrow && IsHalf(narrow))
                wide[i] = i >= results && !TPrimitive.IsInPlace
                    ? Tensor.Empty(narrow.Shape, DType.Float32)
                    : Widen(narrow);
        TPrimitive.Run<float>(primitive, wide);
        for (var i = 0; i < wide.Length; i++)
        {
            if (operands[i] is not { } narrow || !IsHalf(narrow)) continue;
            if (i >= results) Narrow(wide[i]!, narrow);
            wide[i]!.Storage.Release("it held an operand of half precision, widened for one operation");
            GC.KeepAlive(wide[i]);
        }
    }

    // Whether all lie alike, or are one number.
    private static bool AreBlocks(ReadOnlySpan<Tensor?> operands)
    {
        foreach (var operand in operands)
            if (operand is null || operand.DType != operands[^1]!.DType
                || !(operand.IsContiguous && operand.Shape == operands[^1]!.Shape) && !Operands.IsOneNumber(operand))
                return false;
        return true;
    }

    // Block by block, widened within the first-level cache; here for what is left to pin.
    private static unsafe void RunBlocks<TPrimitive, TStored>(
        in TPrimitive primitive, ReadOnlySpan<Tensor?> operands, TStored** at, int pinned)
        where TPrimitive : struct, IFloatingPrimitive<TPrimitive> where TStored : unmanaged
    {
        if (pinned < operands.Length)
        {
            fixed (TStored* origin = &operands[pinned]!.Origin<TStored>())
            {
                at[pinned] = origin;
                RunBlocks(primitive, operands, at, pinned + 1);
            }
            return;
        }
        var numbers = stackalloc bool[operands.Length];
        for (var k = 0; k < operands.Length; k++) numbers[k] = Operands.IsOneNumber(operands[k]!);
        var job = new Job<TPrimitive, TStored>
        {
            Primitive = primitive,
            At = at,
            IsNumber = numbers,
            Operands = operands.Length,
            Length = operands[^1]!.Length,
        };
        Workers.For((int)((job.Length + Chunk - 1) / Chunk), ref job);
        foreach (var operand in operands) GC.KeepAlive(operand);
    }

    private static bool IsHalf(Tensor x) => x.DType is DType.BFloat16 or DType.Float16;

    // Laid out as x, where that has few gaps: then what lies broadcast or transposed goes on to be.
    private static Tensor Widen(Tensor x)
    {
        var span = 1L;
        for (var axis = 0; axis < x.Rank; axis++) span += (x.Shape[axis] - 1L) * x.StrideAt(axis);
        var isSparse = x.Length == 0 || span > 2L * x.Length;
        var source = isSparse ? Copy.Contiguous(x) : x;
        var length = isSparse ? x.Length : (int)span;
        var all = Tensor.Empty([length], DType.Float32);
        if (x.DType == DType.BFloat16) Widen<BFloat16>(source, all);
        else Widen<Half>(source, all);
        if (isSparse) Copy.ReleaseCopy(source, x);
        return isSparse || x.IsContiguous ? all.View(x.Shape, 0) : all.View(x.Shape, x.Strides.ToArray(), 0);
    }

    private static unsafe void Widen<TStored>(Tensor x, Tensor y) where TStored : unmanaged
    {
        fixed (TStored* from = &x.Origin<TStored>())
        fixed (float* to = y.Data<float>()) HalfPrecision.Widen(from, to, y.Length);
    }

    private static void Narrow(Tensor x, Tensor y)
    {
        var dense = y.IsContiguous ? y : Tensor.Empty(y.Shape, y.DType);
        if (y.DType == DType.BFloat16) Narrow<BFloat16>(x, dense);
        else Narrow<Half>(x, dense);
        if (!y.IsContiguous) CopyInto.RunOnCpu(default, [dense, y]);
        Copy.ReleaseCopy(dense, y);
    }

    private static unsafe void Narrow<TStored>(Tensor x, Tensor y) where TStored : unmanaged
    {
        fixed (float* from = &x.Origin<float>())
        fixed (TStored* to = y.Data<TStored>()) HalfPrecision.Narrow(from, to, y.Length);
    }

    private unsafe struct Job<TPrimitive, TStored> : IChunkJob
        where TPrimitive : struct, IFloatingPrimitive<TPrimitive> where TStored : unmanaged
    {
        public TPrimitive Primitive;
        public TStored** At;
        public bool* IsNumber;
        public int Operands;
        public nint Length;

        public readonly void Run(int chunk)
        {
            var (first, end) = (chunk * (nint)Chunk, Math.Min(Length, (chunk + (nint)1) * Chunk));
            var most = (int)Math.Min(Block, end - first);
            var results = Operands - TPrimitive.Outputs;
            var scratch = stackalloc float[Operands * most];
            var wide = stackalloc float*[Operands];
            for (var k = 0; k < Operands; k++)
            {
                wide[k] = scratch + k * most;
                if (!IsNumber[k] || k >= results) continue;
                HalfPrecision.Widen(At[k], wide[k], 1);
                new Span<float>(wide[k], most).Fill(*wide[k]);
            }
            for (; first < end; first += Block)
            {
                var count = (int)Math.Min(Block, end - first);
                for (var k = 0; k < results; k++)
                    if (!IsNumber[k]) HalfPrecision.Widen(At[k] + first, wide[k], count);
                TPrimitive.RunBlock(Primitive, wide, count);
                for (var k = results; k < Operands; k++) HalfPrecision.Narrow(wide[k], At[k] + first, count);
            }
        }
    }
}
