using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>
/// Sequences side by side: a panel [width][columns] holds a number of each unit for a strip of sequences, so that it is
/// the right operand of a micro-kernel as it lies, and a vector holds one unit of several sequences.
/// </summary>
internal static unsafe class RecurrentPanels<T> where T : unmanaged
{
    private const int Sources = 8;

    /// <summary>Numbers of a row that are moved at once: a few lines of the cache.</summary>
    internal const int Run = 64;

    /// <summary>In how many runs a row is moved.</summary>
    internal static int Runs(int width) => (width + Run - 1) / Run;

    /// <summary>
    /// Where the sequences of a strip are at a step: positions in their time axis, −1 where a sequence has ended or
    /// there is none; and 1 or 0 for each, as a mask to compare.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Locate(
        in RecurrentSequence<T> sequence, int step, int first, int columns, nint* positions, T* isActive, T one)
    {
        for (var column = 0; column < columns; column++)
        {
            var row = first + column;
            var length = row >= sequence.Count ? 0 : LengthOf(sequence, row);
            positions[column] = step >= length ? -1 : sequence.IsReverse ? length - 1 - step : step;
            isActive[column] = step >= length ? default : one;
        }
    }

    /// <summary>Position 0 for each sequence that there is: a state has one row for each.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void LocateStates(in RecurrentSequence<T> sequence, int first, int columns, nint* positions)
    {
        for (var column = 0; column < columns; column++) positions[column] = first + column < sequence.Count ? 0 : -1;
    }

    /// <summary>The steps of a sequence.</summary>
    internal static int LengthOf(in RecurrentSequence<T> sequence, int row) =>
        sequence.Lengths == null ? sequence.Steps : (int)sequence.Lengths[row];

    /// <summary>The most steps of any sequence.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static int LongestOf(in RecurrentSequence<T> sequence)
    {
        var longest = 0;
        for (var row = 0; row < sequence.Count; row++) longest = Math.Max(longest, LengthOf(sequence, row));
        return longest;
    }

    /// <summary>to[i][column] = the i-th number of the column's row at its position; zeros where it has none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Pack(
        T* from, nint sample, nint step, int first, nint* positions, int columns, int width, T* zeros, T* to)
    {
        var sources = stackalloc T*[Sources];
        for (var column = 0; column < columns; column += Sources)
        {
            var count = Math.Min(Sources, columns - column);
            for (var i = 0; i < count; i++)
            {
                var position = positions[column + i];
                sources[i] = position < 0 ? zeros : from + (first + column + i) * sample + position * step;
            }
            Packing.Transpose(sources, count, width, to + column, columns);
        }
    }

    /// <summary>
    /// The reverse of <see cref="Pack"/>, by way of rows of its own; rows that have no position are not written.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Unpack(
        T* from, int columns, int width, T* to, nint sample, nint step, int first, nint* positions)
    {
        using var lease = Scratch.Rent<T>(ScratchSlot.TransposedSums, (nint)columns * width);
        var rows = lease.Pointer;
        Packing.Transpose(from, columns, width, columns, rows, width);
        for (var column = 0; column < columns; column++)
            if (positions[column] is >= 0 and var position)
                Packing.CopyRow(rows + (nint)column * width, to + (first + column) * sample + position * step, width);
    }

    /// <summary>Zeros in rows [n, t, width] beyond each sequence's length.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void ClearPadding(in RecurrentSequence<T> sequence, T* rows, int width)
    {
        for (var row = 0; row < sequence.Count; row++)
        {
            var length = LengthOf(sequence, row);
            var at = rows + ((nint)row * sequence.Steps + length) * width;
            for (nint left = (nint)(sequence.Steps - length) * width; left > 0;)
            {
                var count = (int)Math.Min(left, 1 << 20);
                new Span<T>(at, count).Clear();
                at += count;
                left -= count;
            }
        }
    }
}
