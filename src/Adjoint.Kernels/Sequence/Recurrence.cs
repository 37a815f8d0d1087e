using System.Numerics;
using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>
/// One layer and direction of a recurrent network over whole sequences, in one pass. The weights are packed once for
/// all steps. At each step, the sums of some units and all sequences are computed by the micro-kernel of matrix
/// products, and become their state while they are in the first-level cache; nothing but states, and what backward
/// needs, goes to memory. The units are shared by the threads, in blocks that follow from the sizes alone.
/// </summary>
public static unsafe class Recurrence
{
    /// <summary>Multiplications in a chunk: they outweigh a hand-off.</summary>
    internal const long ChunkWork = 1 << 18;

    /// <summary>Positions of the steps before, at and after the current one are in use at the same time.</summary>
    internal const int Located = 3;

    /// <summary>The number of weights' rows of one unit: 1, 3 of a GRU, 4 of an LSTM.</summary>
    /// <param name="cell">The kind of cell.</param>
    /// <returns>The number g of gates.</returns>
    public static int Gates(this RecurrentCell cell) => cell switch
    {
        RecurrentCell.Tanh or RecurrentCell.Relu => TanhCell.Gates,
        RecurrentCell.Gru => GruCell.Gates,
        RecurrentCell.Lstm => LstmCell.Gates,
        _ => throw new ArgumentOutOfRangeException(nameof(cell), cell, "not a kind of cell"),
    };

    /// <summary>How many numbers forward saves for backward, on this machine.</summary>
    /// <param name="cell">The kind of cell.</param>
    /// <param name="count">The number of sequences.</param>
    /// <param name="steps">The number of steps.</param>
    /// <param name="width">The number of units.</param>
    /// <returns>The number of elements.</returns>
    public static long SavedLength<T>(RecurrentCell cell, int count, int steps, int width)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var saved = cell switch
        {
            RecurrentCell.Tanh or RecurrentCell.Relu => TanhCell.Saved,
            RecurrentCell.Gru => GruCell.Saved,
            RecurrentCell.Lstm => LstmCell.Saved,
            _ => throw new ArgumentOutOfRangeException(nameof(cell), cell, "not a kind of cell"),
        };
        var columns = Simd.Widest<T, int, ColumnsKernel<T>>(default);
        return (long)steps * ((count + columns - 1) / columns * columns) * width * saved;
    }

    /// <summary>All steps: outputs, last state, and what backward needs.</summary>
    /// <param name="sequence">Sizes, operands and results.</param>
    public static void Forward<T>(in RecurrentSequence<T> sequence) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var copy = sequence;
        Simd.Widest<T, ForwardKernel<T>>(new(&copy));
    }

    /// <summary>All steps back: the gradients of sums and of the first state, from what forward wrote.</summary>
    /// <param name="sequence">As forward had it.</param>
    /// <param name="gradients">The gradients that arrive, and those that are written.</param>
    public static void Backward<T>(in RecurrentSequence<T> sequence, in RecurrentGradients<T> gradients)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var (copy, arriving) = (sequence, gradients);
        Simd.Widest<T, BackwardKernel<T>>(new(&copy, &arriving));
    }

    // The widest tile of two vectors: a strip of sequences is as wide.
    private readonly struct ColumnsKernel<T> : IVectorKernel<T, int>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public int Invoke<V>() where V : struct, ILanes<V, T> => Tile<MicroKernel12x2, V, T>.NR;
    }

    private readonly struct ForwardKernel<T>(RecurrentSequence<T>* sequence) : IVectorKernel<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Invoke<V>() where V : struct, ILanes<V, T>
        {
            // Only AVX-512 has the 32 registers that a tile of 24 accumulators needs.
            if (Simd.Width < 512) Run<V, Tile<MicroKernel6x2, V, T>>();
            else Run<V, Tile<MicroKernel12x2, V, T>>();
        }

        private void Run<V, TTile>() where V : struct, ILanes<V, T> where TTile : struct, ITile<T>
        {
            switch (sequence->Cell)
            {
                case RecurrentCell.Tanh: RecurrenceForward<T, V, TTile, TanhCell>.Run(*sequence); break;
                case RecurrentCell.Relu: RecurrenceForward<T, V, TTile, ReluCell>.Run(*sequence); break;
                case RecurrentCell.Gru: RecurrenceForward<T, V, TTile, GruCell>.Run(*sequence); break;
                case RecurrentCell.Lstm: RecurrenceForward<T, V, TTile, LstmCell>.Run(*sequence); break;
                default: throw new ArgumentOutOfRangeException(nameof(sequence), sequence->Cell, "not a kind of cell");
            }
        }
    }

    private readonly struct BackwardKernel<T>(RecurrentSequence<T>* sequence, RecurrentGradients<T>* gradients)
        : IVectorKernel<T> where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Invoke<V>() where V : struct, ILanes<V, T>
        {
            if (Simd.Width < 512) Run<V, Tile<MicroKernel6x2, V, T>>();
            else Run<V, Tile<MicroKernel12x2, V, T>>();
        }

        private void Run<V, TTile>() where V : struct, ILanes<V, T> where TTile : struct, ITile<T>
        {
            switch (sequence->Cell)
            {
                case RecurrentCell.Tanh: RecurrenceBackward<T, V, TTile, TanhCell>.Run(*sequence, *gradients); break;
                case RecurrentCell.Relu: RecurrenceBackward<T, V, TTile, ReluCell>.Run(*sequence, *gradients); break;
                case RecurrentCell.Gru: RecurrenceBackward<T, V, TTile, GruCell>.Run(*sequence, *gradients); break;
                case RecurrentCell.Lstm: RecurrenceBackward<T, V, TTile, LstmCell>.Run(*sequence, *gradients); break;
                default: throw new ArgumentOutOfRangeException(nameof(sequence), sequence->Cell, "not a kind of cell");
            }
        }
    }
}
