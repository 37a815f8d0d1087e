using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>
/// A at any strides, up to 16 rows: element (i, k) at a[i·strideRow + k·strideStep]. Pointers to every third row reach
/// the two after it by an index register; those that a tile does not use cost nothing.
/// </summary>
[method: MethodImpl(MethodImplOptions.AggressiveInlining)]
internal unsafe struct StridedA<T>(T* a, nint strideRow, nint strideStep) : IOperandA<T> where T : unmanaged
{
    private readonly nint strideRow = strideRow, twoRows = 2 * strideRow, strideStep = strideStep;
    private T* row0 = a, row3 = a + 3 * strideRow, row6 = a + 6 * strideRow, row9 = a + 9 * strideRow;
    private T* row12 = a + 12 * strideRow, row15 = a + 15 * strideRow;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly T* At(int row) => row switch
    {
        0 => row0,
        1 => row0 + strideRow,
        2 => row0 + twoRows,
        3 => row3,
        4 => row3 + strideRow,
        5 => row3 + twoRows,
        6 => row6,
        7 => row6 + strideRow,
        8 => row6 + twoRows,
        9 => row9,
        10 => row9 + strideRow,
        11 => row9 + twoRows,
        12 => row12,
        13 => row12 + strideRow,
        14 => row12 + twoRows,
        _ => row15,
    };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Next()
    {
        row0 += strideStep;
        row3 += strideStep;
        row6 += strideStep;
        row9 += strideStep;
        row12 += strideStep;
        row15 += strideStep;
    }
}

/// <summary>
/// B in a padded image, for up to four vectors of positions: vector i of step t lies at inputs[i] + offsets[t].
/// </summary>
[method: MethodImpl(MethodImplOptions.AggressiveInlining)]
internal unsafe struct ImageB<V, T, TLoad>(T** inputs, int vectors, nint* offsets, nint nextRow) : IOperandB<V, T>
    where V : struct, ILanes<V, T> where T : unmanaged where TLoad : struct, IRowLoad<V, T>
{
    private readonly T* input0 = inputs[0], input1 = vectors > 1 ? inputs[1] : null;
    private readonly T* input2 = vectors > 2 ? inputs[2] : null, input3 = vectors > 3 ? inputs[3] : null;
    private readonly nint nextRow = nextRow;
    private nint* offsets = offsets;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly V Load(int vector)
    {
        var input = vector switch { 0 => input0, 1 => input1, 2 => input2, _ => input3 };
        return TLoad.Load(input + *offsets, nextRow);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Next() => offsets++;
}
