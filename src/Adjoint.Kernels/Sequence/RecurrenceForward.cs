using System.Numerics;
using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>
/// The steps of <see cref="Recurrence.Forward"/>. A chunk takes some blocks of MR units, for all sequences: for each of
/// their sums it runs the micro-kernel over the inputs of this step and the hidden state before it, then the cell. What
/// lies along sequences in memory, inputs and outputs, is moved beside, in long runs: at a usual stride, short ones of
/// all sequences would fall into one set of the cache.
/// </summary>
internal unsafe struct RecurrenceForward<T, V, TTile, TCell> : IChunkJob
    where T : unmanaged, IBinaryFloatingPointIeee754<T> where V : struct, ILanes<V, T> where TTile : struct, ITile<T>
    where TCell : struct, IRecurrentCell
{
    private RecurrentSequence<T> sequence;
    private RecurrenceWork work;
    private int step, steps, strips, blocks, blocksPerChunk, chunks, packing, giving;
    private nint blockLength;
    private T* weights, projection, bias, zeros, inputs, hidden, unprojected, cells, isActive;
    private nint* positions;

    private readonly bool HasProjection => sequence.Projection != null;

    private readonly int HiddenBlocks => Blocks(sequence.HiddenWidth);

    internal static void Run(in RecurrentSequence<T> sequence)
    {
        var job = new RecurrenceForward<T, V, TTile, TCell> { sequence = sequence };
        job.Run();
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Run()
    {
        var (n, k, w, p) = (sequence.Count, sequence.Inputs, sequence.Width, sequence.HiddenWidth);
        steps = RecurrentPanels<T>.LongestOf(sequence);
        (strips, blocks) = ((n + TTile.NR - 1) / TTile.NR, Blocks(w));
        for (var sum = 0; sum < TCell.Sums; sum++)
            blockLength += (nint)TTile.MR * ((TCell.InputGate(sum) < 0 ? 0 : k) + (TCell.HiddenGate(sum) < 0 ? 0 : p));
        blocksPerChunk = (int)Math.Clamp(
            Recurrence.ChunkWork / Math.Max(1, blockLength * strips * TTile.NR), 1, blocks);
        chunks = (blocks + blocksPerChunk - 1) / blocksPerChunk;
        var (columns, paddedHidden) = ((nint)strips * TTile.NR, (nint)HiddenBlocks * TTile.MR);
        using var lease = Scratch.Rent<T>(ScratchSlot.Recurrence, blocks * blockLength
            + (HasProjection ? paddedHidden * w : 0) + 2 * columns * k + 2 * columns * p + columns * w
            + (HasProjection ? columns * w : 0) + Recurrence.Located * columns + (nint)w * TCell.Sums
                + Math.Max(k, Math.Max(p, w)));
        weights = lease.Pointer;
        projection = weights + blocks * blockLength;
        inputs = projection + (HasProjection ? paddedHidden * w : 0);
        hidden = inputs + 2 * columns * k;
        cells = hidden + 2 * columns * p;
        unprojected = cells + columns * w;
        isActive = unprojected + (HasProjection ? columns * w : 0);
        bias = isActive + Recurrence.Located * columns;
        zeros = bias + (nint)w * TCell.Sums;
        using var located = Scratch.Rent<nint>(ScratchSlot.RecurrencePositions, Recurrence.Located * columns);
        positions = located.Pointer;
        new Span<T>(zeros, Math.Max(k, Math.Max(p, w))).Clear();
        Begin();
        for (step = 0; step < steps; step++)
        {
            work = RecurrenceWork.Units;
            // Beside, the inputs of the next step are packed, and the outputs of the one before go to their place.
            packing = step + 1 < steps ? strips : 0;
            giving = step > 0 ? strips * RecurrentPanels<T>.Runs(sequence.HiddenWidth) : 0;
            Share(chunks + packing + giving);
            if (!HasProjection) continue;
            work = RecurrenceWork.Projection;
            Share(HiddenBlocks);
        }
        End();
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Begin()
    {
        AddBiases();
        work = RecurrenceWork.Weights;
        Share(blocks + (HasProjection ? HiddenBlocks : 0));
        for (var strip = 0; strip < strips; strip++)
        {
            var first = strip * TTile.NR;
            var at = positions + first;
            RecurrentPanels<T>.LocateStates(sequence, first, TTile.NR, at);
            RecurrentPanels<T>.Pack(sequence.Hidden, sequence.HiddenWidth, 0, first, at, TTile.NR,
                sequence.HiddenWidth, zeros, HiddenAt(0, strip));
            if (TCell.HasCell)
                RecurrentPanels<T>.Pack(sequence.CellState, sequence.Width, 0, first, at, TTile.NR, sequence.Width,
                    zeros, CellsAt(strip));
        }
        if (sequence.Lengths != null)
            RecurrentPanels<T>.ClearPadding(sequence, sequence.Outputs, sequence.HiddenWidth);
        if (steps == 0) return;
        for (var strip = 0; strip < strips; strip++) PackInputs(0, strip);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void End()
    {
        work = RecurrenceWork.Rows;
        if (steps > 0) Share(strips * RecurrentPanels<T>.Runs(sequence.HiddenWidth));
        for (var strip = 0; strip < strips; strip++)
        {
            var first = strip * TTile.NR;
            var at = positions + first;
            RecurrentPanels<T>.LocateStates(sequence, first, TTile.NR, at);
            RecurrentPanels<T>.Unpack(HiddenAt(steps, strip), TTile.NR, sequence.HiddenWidth,
                sequence.LastHidden, sequence.HiddenWidth, 0, first, at);
            if (TCell.HasCell)
                RecurrentPanels<T>.Unpack(CellsAt(strip), TTile.NR, sequence.Width, sequence.LastCell,
                    sequence.Width, 0, first, at);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void AddBiases()
    {
        for (var unit = 0; unit < sequence.Width; unit++)
            for (var sum = 0; sum < TCell.Sums; sum++)
            {
                var total = T.Zero;
                if (sequence.InputBias != null && TCell.InputGate(sum) is >= 0 and var input)
                    total += sequence.InputBias[(nint)input * sequence.Width + unit];
                if (sequence.HiddenBias != null && TCell.HiddenGate(sum) is >= 0 and var hidden)
                    total += sequence.HiddenBias[(nint)hidden * sequence.Width + unit];
                bias[(nint)unit * TCell.Sums + sum] = total;
            }
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
                if (chunk < blocks) PackWeights(chunk);
                else PackProjection(chunk - blocks);
                break;
            case RecurrenceWork.Units:
                if (chunk >= chunks + packing) Give(chunk - chunks - packing);
                else if (chunk >= chunks) PackInputs(step + 1, chunk - chunks);
                else
                    for (var block = chunk * blocksPerChunk;
                        block < Math.Min(blocks, (chunk + 1) * blocksPerChunk); block++) Units(block);
                break;
            case RecurrenceWork.Projection: Project(chunk); break;
            case RecurrenceWork.Rows: Give(chunk); break;
        }
    }

    // Sum by sum, the rows of the input weights, then those of the hidden weights.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void PackWeights(int block)
    {
        var first = (nint)block * TTile.MR;
        var to = weights + block * blockLength;
        var rows = (int)Math.Min(TTile.MR, sequence.Width - first);
        for (var sum = 0; sum < TCell.Sums; sum++)
        {
            if (TCell.InputGate(sum) is >= 0 and var input)
            {
                Packing.Panel(sequence.InputWeight + (input * (nint)sequence.Width + first) * sequence.Inputs,
                    sequence.Inputs, true, rows, TTile.MR, sequence.Inputs, to);
                to += (nint)TTile.MR * sequence.Inputs;
            }
            if (TCell.HiddenGate(sum) is not (>= 0 and var hidden)) continue;
            Packing.Panel(sequence.HiddenWeight + (hidden * (nint)sequence.Width + first) * sequence.HiddenWidth,
                sequence.HiddenWidth, true, rows, TTile.MR, sequence.HiddenWidth, to);
            to += (nint)TTile.MR * sequence.HiddenWidth;
        }
    }

    private readonly void PackProjection(int block) =>
        Packing.Panel(sequence.Projection + (nint)block * TTile.MR * sequence.Width, sequence.Width, true,
            Math.Min(TTile.MR, sequence.HiddenWidth - block * TTile.MR), TTile.MR, sequence.Width,
            projection + (nint)block * TTile.MR * sequence.Width);

    private readonly void PackInputs(int step, int strip)
    {
        var first = strip * TTile.NR;
        var at = PositionsAt(step, strip);
        RecurrentPanels<T>.Locate(sequence, step, first, TTile.NR, at, ActiveAt(step, strip), T.One);
        RecurrentPanels<T>.Pack(sequence.Input, sequence.InputSample, sequence.InputStep, first, at, TTile.NR,
            sequence.Inputs, zeros, InputsAt(step, strip));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void Units(int block)
    {
        var length = (nint)TTile.MR * TTile.NR;
        using var lease = Scratch.Rent<T>(ScratchSlot.TileSums, TCell.Sums * length);
        var sums = lease.Pointer;
        var first = block * TTile.MR;
        var rows = Math.Min(TTile.MR, sequence.Width - first);
        for (var strip = 0; strip < strips; strip++)
        {
            T* a = weights + block * blockLength, x = InputsAt(step, strip), h = HiddenAt(step, strip);
            for (var sum = 0; sum < TCell.Sums; sum++)
            {
                var to = sums + sum * length;
                var beta = T.Zero;
                if (TCell.InputGate(sum) >= 0)
                {
                    TTile.Run(sequence.Inputs, a, x, TTile.NR, to, TTile.NR, T.One, beta);
                    a += (nint)TTile.MR * sequence.Inputs;
                    beta = T.One;
                }
                if (TCell.HiddenGate(sum) < 0) continue;
                TTile.Run(sequence.HiddenWidth, a, h, TTile.NR, to, TTile.NR, T.One, beta);
                a += (nint)TTile.MR * sequence.HiddenWidth;
            }
            var next = (HasProjection ? unprojected + (nint)strip * TTile.NR * sequence.Width
                : HiddenAt(step + 1, strip)) + (nint)first * TTile.NR;
            Activate(rows, TTile.NR, sums, length, bias + (nint)first * TCell.Sums,
                HasProjection ? next : h + (nint)first * TTile.NR, next, CellsAt(strip) + (nint)first * TTile.NR,
                sequence.Saved == null ? null : SavedAt(strip, first), ActiveAt(step, strip));
        }
    }

    // Fields behind this would be read again in every round.
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void Activate(
        int rows, int columns, T* sums, nint length, T* bias, T* before, T* after, T* cell, T* saved, T* isActive)
    {
        for (var row = 0; row < rows; row++, bias += TCell.Sums)
        {
            for (var column = 0; column < columns; column += V.Count)
            {
                var at = (nint)row * columns + column;
                var active = V.Less(V.Splat(0), V.Load(isActive + column));
                var hidden = V.Load(before + at);
                var next = TCell.Forward(
                    sums + at, length, bias, hidden, cell + at, saved == null ? null : saved + column, columns, active);
                V.Store(V.Select(active, next, hidden), after + at);
            }
            if (saved != null) saved += TCell.Saved * columns;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void Project(int block)
    {
        var first = block * TTile.MR;
        var rows = Math.Min(TTile.MR, sequence.HiddenWidth - first);
        var length = (nint)TTile.MR * TTile.NR;
        using var lease = Scratch.Rent<T>(ScratchSlot.TileSums, length);
        for (var strip = 0; strip < strips; strip++)
        {
            TTile.Run(sequence.Width, projection + (nint)first * sequence.Width,
                unprojected + (nint)strip * TTile.NR * sequence.Width, TTile.NR, lease.Pointer, TTile.NR, T.One,
                T.Zero);
            var before = HiddenAt(step, strip) + (nint)first * TTile.NR;
            var after = HiddenAt(step + 1, strip) + (nint)first * TTile.NR;
            var active = ActiveAt(step, strip);
            for (var at = 0; at < rows * TTile.NR; at += V.Count)
                V.Store(V.Select(V.Less(V.Splat(0), V.Load(active + at % TTile.NR)), V.Load(lease.Pointer + at),
                    V.Load(before + at)), after + at);
        }
    }

    // A run of the hidden state after the step before to its place among the outputs.
    private readonly void Give(int chunk)
    {
        var runs = RecurrentPanels<T>.Runs(sequence.HiddenWidth);
        var (strip, first) = (chunk / runs, chunk % runs * RecurrentPanels<T>.Run);
        RecurrentPanels<T>.Unpack(HiddenAt(step, strip) + (nint)first * TTile.NR, TTile.NR,
            Math.Min(RecurrentPanels<T>.Run, sequence.HiddenWidth - first), sequence.Outputs + first,
            (nint)sequence.Steps * sequence.HiddenWidth, sequence.HiddenWidth, strip * TTile.NR,
            PositionsAt(step - 1, strip));
    }

    private static int Blocks(int size) => (size + TTile.MR - 1) / TTile.MR;

    // Two steps take turns.
    private readonly nint Turn(int step, int strip) => (nint)(step & 1) * strips + strip;

    private readonly T* InputsAt(int step, int strip) => inputs + Turn(step, strip) * TTile.NR * sequence.Inputs;

    private readonly T* HiddenAt(int step, int strip) => hidden + Turn(step, strip) * TTile.NR * sequence.HiddenWidth;

    private readonly T* CellsAt(int strip) => cells + (nint)strip * TTile.NR * sequence.Width;

    private readonly T* ActiveAt(int step, int strip) =>
        isActive + ((nint)(step % Recurrence.Located) * strips + strip) * TTile.NR;

    private readonly nint* PositionsAt(int step, int strip) =>
        positions + ((nint)(step % Recurrence.Located) * strips + strip) * TTile.NR;

    private readonly T* SavedAt(int strip, int unit) => sequence.Saved
        + (((nint)step * strips + strip) * sequence.Width + unit) * TCell.Saved * TTile.NR;
}

/// <summary>What the chunks of a recurrence do at the moment.</summary>
internal enum RecurrenceWork
{
    /// <summary>Weights are packed.</summary>
    Weights,

    /// <summary>Sums, and the cells that they belong to.</summary>
    Units,

    /// <summary>The projection of what the cells gave.</summary>
    Projection,

    /// <summary>What the last step gave goes to its place.</summary>
    Rows,

    /// <summary>The last product on the way back, to the state before the first step.</summary>
    First,

    /// <summary>Input and state before each step, side by side.</summary>
    Operands,
}
