using System.Numerics;
using Adjoint.Kernels;

namespace Adjoint.Primitives;

/// <summary>
/// One layer and direction of a recurrent network over whole sequences; formulas are those of the ops <c>Rnn</c>,
/// <c>Gru</c> and <c>Lstm</c>. With g gates (1, 3, 4), w units, and a hidden state of width p (w without a projection),
/// the operands are: x (n, t, k), hidden state (n, p), cell state (n, w) of an LSTM, input weights (g·w, k), hidden
/// weights (g·w, p), their biases (g·w) or null, projection (p, w) of an LSTM or null, lengths (n) int64 or null, of
/// any layout; outputs (n, t, p), last hidden state (n, p), last cell state (n, w) of an LSTM, and what backward needs,
/// of the computing type and as long as <see cref="SavedShape"/> says, or null; contiguous; else of one floating type.
/// A sequence is read up to its length, in reverse from there; its outputs beyond are 0.
/// </summary>
/// <param name="Cell">The kind of cell.</param>
/// <param name="IsReverse">Whether each sequence is read from its last step to its first.</param>
public readonly record struct Recurrence(RecurrentCell Cell, bool IsReverse) : IFloatingPrimitive<Recurrence>
{
    /// <inheritdoc/>
    public static string Name => "Recurrence";

    /// <inheritdoc/>
    public static int Outputs => 4;

    /// <summary>The shape of what forward saves: the order of the elements is the kernel's own.</summary>
    /// <param name="cell">The kind of cell.</param>
    /// <param name="x">The input (n, t, k).</param>
    /// <param name="width">The number w of units.</param>
    /// <returns>The one size.</returns>
    /// <exception cref="AdjointException">There would be more elements than a tensor holds.</exception>
    internal static Shape SavedShape(RecurrentCell cell, Tensor x, int width)
    {
        var length = x.DType.Computing() == DType.Float64
            ? Kernels.Recurrence.SavedLength<double>(cell, x.Shape[0], x.Shape[1], width)
            : Kernels.Recurrence.SavedLength<float>(cell, x.Shape[0], x.Shape[1], width);
        return length <= int.MaxValue
            ? [(int)length]
            : throw new AdjointException(
                $"{RecurrenceOperands.OpOf(cell)}: backward needs {length} numbers of {x.Shape} at {width} units, "
                + $"and a tensor holds {int.MaxValue}; take fewer sequences or steps at a time");
    }

    /// <inheritdoc/>
    public static double Flops(in Recurrence primitive, ReadOnlySpan<Tensor?> operands)
    {
        var (x, input, hidden) = (operands[0]!, operands[3]!, operands[4]!);
        return 2.0 * x.Shape[0] * x.Shape[1] * (input.Length + hidden.Length + (operands[7]?.Length ?? 0));
    }

    /// <inheritdoc/>
    public static void Check(in Recurrence primitive, ReadOnlySpan<Tensor?> operands)
    {
        RecurrenceOperands.Count(Name, operands, 13);
        foreach (var index in (ReadOnlySpan<int>)[0, 1, 3, 4, 9, 10])
            RecurrenceOperands.IsThere(Name, $"operand {index}", operands[index], true);
        var (x, y) = (operands[0]!, operands[9]!);
        var (gates, isLstm) = (primitive.Cell.Gates(), primitive.Cell == RecurrentCell.Lstm);
        var type = Operands.Result(Name, y);
        Operands.HasRank(Name, "x", x, type, 3, "(n, t, k)");
        Operands.HasRank(Name, "the hidden state", operands[1]!, type, 2, "(n, p)");
        Operands.HasRank(Name, "the hidden weights", operands[4]!, type, 2, "(g·w, p)");
        var (n, t, k) = (x.Shape[0], x.Shape[1], x.Shape[2]);
        var (w, p) = (operands[4]!.Shape[0] / gates, operands[4]!.Shape[1]);
        RecurrenceOperands.IsThere(Name, "the cell state", operands[2], isLstm);
        RecurrenceOperands.IsThere(Name, "the last cell state", operands[11], isLstm);
        RecurrenceOperands.IsThere(Name, "the projection", operands[7], isLstm && operands[7] is not null);
        if (operands[7] is null) p = w;
        Operands.Has(Name, "the hidden state", operands[1]!, type, n, p);
        RecurrenceOperands.HasOptional(Name, "the cell state", operands[2], type, n, w);
        Operands.Has(Name, "the input weights", operands[3]!, type, gates * w, k);
        Operands.Has(Name, "the hidden weights", operands[4]!, type, gates * w, p);
        RecurrenceOperands.HasOptional(Name, "the input bias", operands[5], type, gates * w);
        RecurrenceOperands.HasOptional(Name, "the hidden bias", operands[6], type, gates * w);
        RecurrenceOperands.HasOptional(Name, "the projection", operands[7], type, p, w);
        RecurrenceOperands.HasOptional(Name, "the lengths", operands[8], DType.Int64, n);
        Operands.HasContiguous(Name, "the outputs", y, type, n, t, p);
        Operands.HasContiguous(Name, "the last hidden state", operands[10]!, type, n, p);
        RecurrenceOperands.HasOptionalResult(Name, "the last cell state", operands[11], type, n, w);
        if (operands[12] is { } saved)
            Operands.HasContiguous(Name, "what is saved", saved, type.Computing(),
                SavedShape(primitive.Cell, x, w).Sizes);
    }

    /// <inheritdoc/>
    public static unsafe void Run<T>(in Recurrence primitive, ReadOnlySpan<Tensor?> operands)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        // The input is read row by row where it lies.
        var x = operands[0]!.Shape[2] > 1 && operands[0]!.StrideAt(2) != 1
            ? Copy.Contiguous(operands[0]!)
            : operands[0]!;
        var packed = new Tensor?[9];
        for (var i = 1; i < 8; i++) packed[i] = RecurrenceOperands.Contiguous(operands[i]);
        packed[8] = RecurrenceOperands.Lengths(primitive.Cell, operands[8], x.Shape[1]);
        var (gates, hidden) = (primitive.Cell.Gates(), operands[4]!);
        fixed (T* input = &x.Origin<T>(), h = packed[1]!.Data<T>(), c = RecurrenceOperands.ElementsOf<T>(packed[2]),
            inputWeight = packed[3]!.Data<T>(), hiddenWeight = packed[4]!.Data<T>(),
            inputBias = RecurrenceOperands.ElementsOf<T>(packed[5]),
            hiddenBias = RecurrenceOperands.ElementsOf<T>(packed[6]),
            projection = RecurrenceOperands.ElementsOf<T>(packed[7]), outputs = operands[9]!.Data<T>(),
            lastHidden = operands[10]!.Data<T>(), lastCell = RecurrenceOperands.ElementsOf<T>(operands[11]),
            saved = RecurrenceOperands.ElementsOf<T>(operands[12]))
        fixed (long* lengths = RecurrenceOperands.ElementsOf<long>(packed[8]))
            Kernels.Recurrence.Forward(new RecurrentSequence<T>
            {
                Cell = primitive.Cell,
                Count = x.Shape[0],
                Steps = x.Shape[1],
                Inputs = x.Shape[2],
                Width = hidden.Shape[0] / gates,
                HiddenWidth = hidden.Shape[1],
                IsReverse = primitive.IsReverse,
                Lengths = lengths,
                Input = input,
                InputSample = x.StrideAt(0),
                InputStep = x.StrideAt(1),
                InputWeight = inputWeight,
                HiddenWeight = hiddenWeight,
                InputBias = inputBias,
                HiddenBias = hiddenBias,
                Projection = projection,
                Hidden = h,
                CellState = c,
                Outputs = outputs,
                LastHidden = lastHidden,
                LastCell = lastCell,
                Saved = saved,
            });
        Copy.ReleaseCopy(x, operands[0]!);
        for (var i = 1; i < 9; i++) RecurrenceOperands.ReleaseCopy(packed[i], operands[i]);
    }
}
