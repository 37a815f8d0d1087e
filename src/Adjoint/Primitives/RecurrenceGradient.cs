using System.Numerics;
using Adjoint.Kernels;

namespace Adjoint.Primitives;

/// <summary>
/// The way back through <see cref="Recurrence"/>, step by step; what is left to do are products over all steps at once.
/// Operands, with sizes as there: hidden weights (g·w, p), projection (p, w) or null, hidden state (n, p), lengths (n)
/// or null, of any layout; outputs (n, t, p) and what forward saved; ∂L/∂outputs (n, t, p), ∂L/∂(last hidden state) (n,
/// p), ∂L/∂(last cell state) (n, w), each of any layout or null; x (n, t, k), of any layout. Results, contiguous:
/// ∂L/∂(the input's products) (n, t, g·w); ∂L/∂(the hidden state's products) (n, t, g·w) of a GRU, else null, since
/// they are the same; input and hidden state before each step, side by side (n, t, k + p); ∂L/∂(hidden state) (n, p);
/// ∂L/∂(cell state) (n, w) of an LSTM, else null; with a projection ∂L/∂(hidden state after each step) (n, t, p), all
/// paths together, and what was projected (n, t, w), else null. They are 0 beyond a sequence's length.
/// </summary>
/// <param name="Cell">The kind of cell.</param>
/// <param name="IsReverse">Whether each sequence was read from its last step to its first.</param>
public readonly record struct RecurrenceGradient(RecurrentCell Cell, bool IsReverse)
    : IFloatingPrimitive<RecurrenceGradient>
{
    /// <inheritdoc/>
    public static string Name => "RecurrenceGradient";

    /// <inheritdoc/>
    public static int Outputs => 7;

    /// <inheritdoc/>
    public static double Flops(in RecurrenceGradient primitive, ReadOnlySpan<Tensor?> operands)
    {
        var outputs = operands[4]!;
        return 2.0 * outputs.Shape[0] * outputs.Shape[1] * (operands[0]!.Length + (operands[1]?.Length ?? 0));
    }

    /// <inheritdoc/>
    public static void Check(in RecurrenceGradient primitive, ReadOnlySpan<Tensor?> operands)
    {
        RecurrenceOperands.Count(Name, operands, 17);
        foreach (var index in (ReadOnlySpan<int>)[0, 2, 4, 5, 9, 10, 12, 13])
            RecurrenceOperands.IsThere(Name, $"operand {index}", operands[index], true);
        var (weight, projection, outputs) = (operands[0]!, operands[1], operands[4]!);
        var (gates, isLstm) = (primitive.Cell.Gates(), primitive.Cell == RecurrentCell.Lstm);
        var type = Operands.Result(Name, operands[10]!);
        Operands.HasRank(Name, "the outputs", outputs, type, 3, "(n, t, p)");
        Operands.HasRank(Name, "the hidden weights", weight, type, 2, "(g·w, p)");
        var (n, t, p, w) = (outputs.Shape[0], outputs.Shape[1], outputs.Shape[2], weight.Shape[0] / gates);
        RecurrenceOperands.IsThere(Name, "the projection", projection, isLstm && projection is not null);
        Operands.Has(Name, "the hidden weights", weight, type, gates * w, projection is null ? w : p);
        RecurrenceOperands.HasOptional(Name, "the projection", projection, type, p, w);
        Operands.Has(Name, "the outputs", outputs, type, n, t, weight.Shape[1]);
        Operands.Contiguous(Name, "the outputs", outputs);
        Operands.Has(Name, "the hidden state", operands[2]!, type, n, p);
        RecurrenceOperands.HasOptional(Name, "the lengths", operands[3], DType.Int64, n);
        Operands.HasContiguous(Name, "what was saved", operands[5]!, type.Computing(),
            Recurrence.SavedShape(primitive.Cell, outputs, w).Sizes);
        RecurrenceOperands.HasOptional(Name, "the outputs' gradient", operands[6], type, n, t, p);
        RecurrenceOperands.HasOptional(Name, "the last hidden state's gradient", operands[7], type, n, p);
        RecurrenceOperands.HasOptional(Name, "the last cell state's gradient", operands[8], type, n, w);
        Operands.HasContiguous(Name, "the input sums' gradient", operands[10]!, type, n, t, gates * w);
        RecurrenceOperands.IsThere(
            Name, "the hidden sums' gradient", operands[11], primitive.Cell == RecurrentCell.Gru);
        RecurrenceOperands.HasOptionalResult(Name, "the hidden sums' gradient", operands[11], type, n, t, gates * w);
        Operands.HasRank(Name, "x", operands[9]!, type, 3, "(n, t, k)");
        Operands.Has(Name, "x", operands[9]!, type, n, t, operands[9]!.Shape[2]);
        Operands.HasContiguous(
            Name, "inputs and states before", operands[12]!, type, n, t, operands[9]!.Shape[2] + p);
        Operands.HasContiguous(Name, "the hidden state's gradient", operands[13]!, type, n, p);
        RecurrenceOperands.IsThere(Name, "the cell state's gradient", operands[14], isLstm);
        RecurrenceOperands.HasOptionalResult(Name, "the cell state's gradient", operands[14], type, n, w);
        RecurrenceOperands.IsThere(Name, "the projected gradient", operands[15], projection is not null);
        RecurrenceOperands.IsThere(Name, "what was projected", operands[16], projection is not null);
        RecurrenceOperands.HasOptionalResult(Name, "the projected gradient", operands[15], type, n, t, p);
        RecurrenceOperands.HasOptionalResult(Name, "what was projected", operands[16], type, n, t, w);
    }

    /// <inheritdoc/>
    public static unsafe void Run<T>(in RecurrenceGradient primitive, ReadOnlySpan<Tensor?> operands)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var packed = new Tensor?[9];
        var outputs = operands[4]!;
        var x = operands[9]!.Shape[2] > 1 && operands[9]!.StrideAt(2) != 1
            ? Copy.Contiguous(operands[9]!)
            : operands[9]!;
        for (var i = 0; i < 9; i++)
            packed[i] = i == 3
                ? RecurrenceOperands.Lengths(primitive.Cell, operands[3], outputs.Shape[1])
                : RecurrenceOperands.Contiguous(operands[i]);
        var (gates, weight) = (primitive.Cell.Gates(), operands[0]!);
        fixed (T* hiddenWeight = packed[0]!.Data<T>(), projection = RecurrenceOperands.ElementsOf<T>(packed[1]),
            h = packed[2]!.Data<T>(), y = packed[4]!.Data<T>(), saved = packed[5]!.Data<T>(),
            dy = RecurrenceOperands.ElementsOf<T>(packed[6]), dh = RecurrenceOperands.ElementsOf<T>(packed[7]),
            dc = RecurrenceOperands.ElementsOf<T>(packed[8]), inputSums = operands[10]!.Data<T>(),
            hiddenSums = RecurrenceOperands.ElementsOf<T>(operands[11]), side = operands[12]!.Data<T>(),
            hidden = operands[13]!.Data<T>(), cell = RecurrenceOperands.ElementsOf<T>(operands[14]),
            projected = RecurrenceOperands.ElementsOf<T>(operands[15]),
            unprojected = RecurrenceOperands.ElementsOf<T>(operands[16]), input = &x.Origin<T>())
        fixed (long* lengths = RecurrenceOperands.ElementsOf<long>(packed[3]))
            Kernels.Recurrence.Backward(
                new RecurrentSequence<T>
                {
                    Cell = primitive.Cell,
                    Count = outputs.Shape[0],
                    Steps = outputs.Shape[1],
                    Inputs = x.Shape[2],
                    Width = weight.Shape[0] / gates,
                    HiddenWidth = weight.Shape[1],
                    IsReverse = primitive.IsReverse,
                    Lengths = lengths,
                    Input = input,
                    InputSample = x.StrideAt(0),
                    InputStep = x.StrideAt(1),
                    HiddenWeight = hiddenWeight,
                    Projection = projection,
                    Hidden = h,
                    Outputs = y,
                    Saved = saved,
                },
                new RecurrentGradients<T>
                {
                    Outputs = dy,
                    LastHidden = dh,
                    LastCell = dc,
                    InputSums = inputSums,
                    HiddenSums = hiddenSums,
                    Operands = side,
                    Hidden = hidden,
                    CellState = cell,
                    Projected = projected,
                    Unprojected = unprojected,
                });
        Copy.ReleaseCopy(x, operands[9]!);
        for (var i = 0; i < 9; i++) RecurrenceOperands.ReleaseCopy(packed[i], operands[i]);
    }
}
