using System.Numerics;
using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>
/// The steps of <see cref="Recurrence.Backward"/>, from the last to the first. A chunk takes some blocks of MR units,
/// for all sequences: it runs the micro-kernel over the transposed hidden weights and the sums' gradients of the step
/// after, which gives ∂L/∂h of this one, then the cell back. With a projection the cell waits for all of ∂L/∂h.
/// </summary>
internal unsafe struct RecurrenceBackward<T, V, TTile, TCell> : IChunkJob
    where T : unmanaged, IBinaryFloatingPointIeee754<T> where V : struct, ILanes<V, T> where TTile : struct, ITile<T>
    where TCell : struct, IRecurrentCell
{
    private RecurrentSequence<T> sequence;
    private RecurrentGradients<T> gradients;
    private RecurrenceWork work;
    private int step, steps, strips, blocks, hiddenBlocks, hiddenSums, blocksPerChunk, chunks, packing, giving;
    private T* weights, projection, zeros, sumGradients, outputs, hidden, total, cells, isActive;
    private nint* positions;

    private readonly bool HasProjection => sequence.Projection != null;

    // Rows of a panel of sums' gradients that the hidden weights take part in; they come first.
    private readonly nint Depth => (nint)hiddenSums * sequence.Width;

    private readonly nint PanelLength => (nint)TCell.Sums * sequence.Width * TTile.NR;

    // A run of a sum, of all sums, of a strip.
    private readonly int SumRuns => strips * TCell.Sums * RecurrentPanels<T>.Runs(sequence.Width);

    internal static void Run(in RecurrentSequence<T> sequence, in RecurrentGradients<T> gradients)
    {
        var job = new RecurrenceBackward<T, V, TTile, TCell> { sequence = sequence, gradients = gradients };
        job.Run();
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Run()
    {
        var (w, p) = (sequence.Width, sequence.HiddenWidth);
        steps = RecurrentPanels<T>.LongestOf(sequence);
        (strips, blocks, hiddenBlocks) = ((sequence.Count + TTile.NR - 1) / TTile.NR, Blocks(w), Blocks(p));
        for (var sum = 0; sum < TCell.Sums; sum++)
            if (TCell.HiddenGate(sum) >= 0) hiddenSums++;
        blocksPerChunk = (int)Math.Clamp(
            Recurrence.ChunkWork / Math.Max(1, TTile.MR * Depth * strips * TTile.NR), 1,
            Math.Max(blocks, hiddenBlocks));
        chunks = (hiddenBlocks + blocksPerChunk - 1) / blocksPerChunk;
        var columns = (nint)strips * TTile.NR;
        var paddedHidden = (nint)hiddenBlocks * TTile.MR;
        var packed = paddedHidden * Depth;
        var packedProjection = HasProjection ? (nint)blocks * TTile.MR * p : 0;
        using var lease = Scratch.Rent<T>(ScratchSlot.Recurrence, packed + packedProjection
            + 2 * strips * PanelLength + 2 * columns * p + columns * paddedHidden + (HasProjection ? columns * p : 0)
            + columns * w + Recurrence.Located * columns + Math.Max(w, p));
        weights = lease.Pointer;
        projection = weights + packed;
        sumGradients = projection + packedProjection;
        outputs = sumGradients + 2 * strips * PanelLength;
        hidden = outputs + 2 * columns * p;
        total = hidden + columns * paddedHidden;
        cells = total + (HasProjection ? columns * p : 0);
        isActive = cells + columns * w;
        zeros = isActive + Recurrence.Located * columns;
        using var located = Scratch.Rent<nint>(ScratchSlot.RecurrencePositions, Recurrence.Located * columns);
        positions = located.Pointer;
        new Span<T>(zeros, Math.Max(w, p)).Clear();
        Begin();
        for (step = steps - 1; step >= 0; step--)
        {
            work = RecurrenceWork.Units;
            // Beside, what arrives at the step before is packed, and the gradients of the one after go to their place.
            packing = step > 0 ? strips : 0;
            giving = step + 1 < steps ? SumRuns : 0;
            Share(chunks + packing + giving);
            if (!HasProjection) continue;
            work = RecurrenceWork.Projection;
            Share(blocks);
        }
        End();
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Begin()
    {
        work = RecurrenceWork.Weights;
        Share(hiddenBlocks + (HasProjection ? blocks : 0));
        for (var strip = 0; strip < strips; strip++)
        {
            var first = strip * TTile.NR;
            var at = PositionsAt(0, strip);
            RecurrentPanels<T>.LocateStates(sequence, first, TTile.NR, at);
            new Span<T>(HiddenAt(strip), hiddenBlocks * TTile.MR * TTile.NR).Clear();
            if (gradients.LastHidden != null)
                RecurrentPanels<T>.Pack(gradients.LastHidden, sequence.HiddenWidth, 0, first, at, TTile.NR,
                    sequence.HiddenWidth, zeros, HiddenAt(strip));
            if (!TCell.HasCell) continue;
            new Span<T>(CellsAt(strip), sequence.Width * TTile.NR).Clear();
            if (gradients.LastCell != null)
                RecurrentPanels<T>.Pack(gradients.LastCell, sequence.Width, 0, first, at, TTile.NR, sequence.Width,
                    zeros, CellsAt(strip));
        }
        if (steps > 0)
            for (var strip = 0; strip < strips; strip++) PackOutputs(steps - 1, strip);
        if (sequence.Lengths == null) return;
        var sums = TCell.Gates * sequence.Width;
        RecurrentPanels<T>.ClearPadding(sequence, gradients.InputSums, sums);
        RecurrentPanels<T>.ClearPadding(sequence, gradients.Operands, sequence.Inputs + sequence.HiddenWidth);
        if (gradients.HiddenSums != null) RecurrentPanels<T>.ClearPadding(sequence, gradients.HiddenSums, sums);
        if (!HasProjection) return;
        RecurrentPanels<T>.ClearPadding(sequence, gradients.Projected, sequence.HiddenWidth);
        RecurrentPanels<T>.ClearPadding(sequence, gradients.Unprojected, sequence.Width);
    }

    // What the first step leaves goes to the state before it.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void End()
    {
        work = RecurrenceWork.First;
        if (steps > 0) Share(hiddenBlocks + SumRuns);
        for (var strip = 0; strip < strips; strip++)
        {
            var first = strip * TTile.NR;
            var at = PositionsAt(0, strip);
            RecurrentPanels<T>.LocateStates(sequence, first, TTile.NR, at);
            RecurrentPanels<T>.Unpack(HiddenAt(strip), TTile.NR, sequence.HiddenWidth, gradients.Hidden,
                sequence.HiddenWidth, 0, first, at);
            if (TCell.HasCell)
                RecurrentPanels<T>.Unpack(CellsAt(strip), TTile.NR, sequence.Width, gradients.CellState,
                    sequence.Width, 0, first, at);
        }
        work = RecurrenceWork.Operands;
        Share(sequence.Count);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Share(int count)
    {
        if (chunks > 1) Workers.For(count, ref this);
        else
            for (var chunk = 0; chunk < count; chunk++) Run(chunk);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public readonly void Run(int chunk)
    {
        switch (work)
        {
            case RecurrenceWork.Weights:
                if (chunk < hiddenBlocks) PackWeights(chunk);
                else PackProjection(chunk - hiddenBlocks);
                break;
            case RecurrenceWork.Units:
                if (chunk >= chunks + packing) GiveSums(chunk - chunks - packing);
                else if (chunk >= chunks) PackOutputs(step - 1, chunk - chunks);
                else
                    for (var block = chunk * blocksPerChunk;
                        block < Math.Min(hiddenBlocks, (chunk + 1) * blocksPerChunk); block++) Units(block);
                break;
            case RecurrenceWork.Projection: Unproject(chunk); break;
            case RecurrenceWork.First:
                if (chunk >= hiddenBlocks) GiveSums(chunk - hiddenBlocks);
                else
                    for (var strip = 0; strip < strips; strip++) Propagate(chunk, strip);
                break;
            case RecurrenceWork.Operands: CopyOperands(chunk); break;
        }
    }

    // Columns of the hidden weights, gate after gate.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void PackWeights(int block)
    {
        var first = block * TTile.MR;
        var to = weights + first * Depth;
        for (var sum = 0; sum < TCell.Sums; sum++)
        {
            if (TCell.HiddenGate(sum) is not (>= 0 and var gate)) continue;
            Packing.Panel(sequence.HiddenWeight + (nint)gate * sequence.Width * sequence.HiddenWidth + first,
                sequence.HiddenWidth, false, Math.Min(TTile.MR, sequence.HiddenWidth - first), TTile.MR,
                sequence.Width, to);
            to += (nint)TTile.MR * sequence.Width;
        }
    }

    private readonly void PackProjection(int block) =>
        Packing.Panel(sequence.Projection + block * TTile.MR, sequence.Width, false,
            Math.Min(TTile.MR, sequence.Width - block * TTile.MR), TTile.MR, sequence.HiddenWidth,
            projection + (nint)block * TTile.MR * sequence.HiddenWidth);

    // ∂L/∂h += Wᵀ·∂L/∂sums of the step after.
    private readonly void Propagate(int block, int strip) =>
        TTile.Run(Depth, weights + block * TTile.MR * Depth, SumGradientsAt(step + 1, strip), TTile.NR,
            HiddenAt(strip) + (nint)block * TTile.MR * TTile.NR, TTile.NR, T.One, T.One);

    private readonly void PackOutputs(int step, int strip)
    {
        var (first, width) = (strip * TTile.NR, sequence.HiddenWidth);
        var at = PositionsAt(step, strip);
        RecurrentPanels<T>.Locate(sequence, step, first, TTile.NR, at, ActiveAt(step, strip), T.One);
        if (gradients.Outputs == null) new Span<T>(OutputsAt(step, strip), width * TTile.NR).Clear();
        else
            RecurrentPanels<T>.Pack(gradients.Outputs, (nint)sequence.Steps * width, width, first, at, TTile.NR, width,
                zeros, OutputsAt(step, strip));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void Units(int block)
    {
        var length = (nint)TTile.MR * TTile.NR;
        using var lease = Scratch.Rent<T>(ScratchSlot.TileSums, (TCell.Sums + 1) * length);
        var sums = lease.Pointer;
        var first = block * TTile.MR;
        var rows = Math.Min(TTile.MR, sequence.HiddenWidth - first);
        for (var strip = 0; strip < strips; strip++)
        {
            if (step + 1 < steps) Propagate(block, strip);
            var state = HiddenAt(strip) + (nint)first * TTile.NR;
            var arriving = OutputsAt(step, strip) + (nint)first * TTile.NR;
            Arrive(rows, TTile.NR, state, arriving, ActiveAt(step, strip));
            if (!HasProjection)
            {
                Cells(strip, first, rows, arriving, state, sums);
                continue;
            }
            new Span<T>(arriving, rows * TTile.NR).CopyTo(
                new(TotalAt(strip) + (nint)first * TTile.NR, rows * TTile.NR));
            Give(strip, first, rows, arriving, gradients.Projected, sequence.HiddenWidth);
        }
    }

    // Where a sequence goes on, all of ∂L/∂h goes to the cell and nothing is left; elsewhere it stays as it is.
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void Arrive(int rows, int columns, T* state, T* arriving, T* isActive)
    {
        for (var row = 0; row < rows; row++, state += columns, arriving += columns)
            for (var column = 0; column < columns; column += V.Count)
            {
                var (zero, carried) = (V.Splat(0), V.Load(state + column));
                var active = V.Less(zero, V.Load(isActive + column));
                V.Store(V.Select(active, carried + V.Load(arriving + column), zero), arriving + column);
                V.Store(V.Select(active, zero, carried), state + column);
            }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void Unproject(int block)
    {
        var length = (nint)TTile.MR * TTile.NR;
        using var lease = Scratch.Rent<T>(ScratchSlot.TileSums, (TCell.Sums + 1) * length);
        var sums = lease.Pointer;
        var arriving = sums + TCell.Sums * length;
        var first = block * TTile.MR;
        var rows = Math.Min(TTile.MR, sequence.Width - first);
        for (var strip = 0; strip < strips; strip++)
        {
            TTile.Run(sequence.HiddenWidth, projection + (nint)first * sequence.HiddenWidth, TotalAt(strip), TTile.NR,
                arriving, TTile.NR, T.One, T.Zero);
            Cells(strip, first, rows, arriving, null, sums);
            var saved = SavedAt(strip, first);
            for (var row = 0; row < rows; row++, saved += TCell.Saved * TTile.NR)
                for (var column = 0; column < TTile.NR; column += V.Count)
                    V.Store(LstmCell.Output<V, T>(saved + column, TTile.NR), arriving + row * TTile.NR + column);
            Give(strip, first, rows, arriving, gradients.Unprojected, sequence.Width);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void Cells(int strip, int first, int rows, T* arriving, T* state, T* sums)
    {
        var length = (nint)TTile.MR * TTile.NR;
        Differentiate(rows, TTile.NR, arriving, SavedAt(strip, first), sums, length,
            CellsAt(strip) + (nint)first * TTile.NR, state, ActiveAt(step, strip));
        for (var sum = 0; sum < TCell.Sums; sum++)
            new Span<T>(sums + sum * length, rows * TTile.NR).CopyTo(
                new(SumAt(step, strip, sum) + (nint)first * TTile.NR, rows * TTile.NR));
    }

    // A run of a sum's gradients at the step after to its place among the rows [n, t, g·w].
    private readonly void GiveSums(int chunk)
    {
        var runs = RecurrentPanels<T>.Runs(sequence.Width);
        var (strip, sum, first) = (chunk / runs / TCell.Sums, chunk / runs % TCell.Sums,
            chunk % runs * RecurrentPanels<T>.Run);
        var count = Math.Min(RecurrentPanels<T>.Run, sequence.Width - first);
        var (from, width) = (step + 1, TCell.Gates * sequence.Width);
        var panel = SumAt(from, strip, sum) + (nint)first * TTile.NR;
        if (TCell.InputGate(sum) is >= 0 and var input)
            RecurrentPanels<T>.Unpack(panel, TTile.NR, count, gradients.InputSums + input * sequence.Width + first,
                (nint)sequence.Steps * width, width, strip * TTile.NR, PositionsAt(from, strip));
        if (gradients.HiddenSums != null && TCell.HiddenGate(sum) is >= 0 and var hidden)
            RecurrentPanels<T>.Unpack(panel, TTile.NR, count, gradients.HiddenSums + hidden * sequence.Width + first,
                (nint)sequence.Steps * width, width, strip * TTile.NR, PositionsAt(from, strip));
    }

    // Fields behind this would be read again in every round.
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void Differentiate(
        int rows, int columns, T* arriving, T* saved, T* sums, nint length, T* cell, T* state, T* isActive)
    {
        for (var row = 0; row < rows; row++, saved += TCell.Saved * columns)
            for (var column = 0; column < columns; column += V.Count)
            {
                var at = (nint)row * columns + column;
                var active = V.Less(V.Splat(0), V.Load(isActive + column));
                var direct = TCell.Backward(
                    V.Load(arriving + at), saved + column, columns, sums + at, length, cell + at, active);
                if (state != null) V.Store(V.Select(active, direct, V.Load(state + at)), state + at);
            }
    }

    // A block to its place among the rows [n, t, width].
    private readonly void Give(int strip, int first, int rows, T* from, T* to, int width) =>
        RecurrentPanels<T>.Unpack(from, TTile.NR, rows, to + first, (nint)sequence.Steps * width, width,
            strip * TTile.NR, PositionsAt(step, strip));

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void CopyOperands(int row)
    {
        var (length, width) = (RecurrentPanels<T>.LengthOf(sequence, row), sequence.HiddenWidth);
        var from = sequence.Outputs + (nint)row * sequence.Steps * width;
        var to = gradients.Operands + (nint)row * sequence.Steps * (sequence.Inputs + width);
        var input = sequence.Input + row * sequence.InputSample;
        var state = sequence.Hidden + (nint)row * width;
        for (var position = 0; position < length; position++, input += sequence.InputStep)
        {
            var before = sequence.IsReverse
                ? position == length - 1 ? state : from + (nint)(position + 1) * width
                : position == 0 ? state : from + (nint)(position - 1) * width;
            Packing.CopyRow(input, to, sequence.Inputs);
            Packing.CopyRow(before, to + sequence.Inputs, width);
            to += sequence.Inputs + width;
        }
    }

    private static int Blocks(int size) => (size + TTile.MR - 1) / TTile.MR;

    // Two steps take turns.
    private readonly nint Turn(int step, int strip) => (nint)(step & 1) * strips + strip;

    private readonly T* SumGradientsAt(int step, int strip) =>
        sumGradients + Turn(step, strip) * PanelLength;

    // Those that the hidden weights take part in come first.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly T* SumAt(int step, int strip, int sum)
    {
        var place = TCell.HiddenGate(sum) < 0 ? hiddenSums : 0;
        for (var other = 0; other < sum; other++)
            if (TCell.HiddenGate(other) < 0 == TCell.HiddenGate(sum) < 0) place++;
        return SumGradientsAt(step, strip) + (nint)place * sequence.Width * TTile.NR;
    }

    private readonly T* OutputsAt(int step, int strip) =>
        outputs + Turn(step, strip) * TTile.NR * sequence.HiddenWidth;

    private readonly T* HiddenAt(int strip) => hidden + (nint)strip * TTile.NR * hiddenBlocks * TTile.MR;

    private readonly T* TotalAt(int strip) => total + (nint)strip * TTile.NR * sequence.HiddenWidth;

    private readonly T* CellsAt(int strip) => cells + (nint)strip * TTile.NR * sequence.Width;

    private readonly T* ActiveAt(int step, int strip) =>
        isActive + ((nint)(step % Recurrence.Located) * strips + strip) * TTile.NR;

    private readonly nint* PositionsAt(int step, int strip) =>
        positions + ((nint)(step % Recurrence.Located) * strips + strip) * TTile.NR;

    private readonly T* SavedAt(int strip, int unit) => sequence.Saved
        + (((nint)step * strips + strip) * sequence.Width + unit) * TCell.Saved * TTile.NR;
}
