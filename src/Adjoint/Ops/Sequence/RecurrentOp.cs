using Adjoint.Kernels;
using Adjoint.Primitives;

namespace Adjoint;

/// <summary>
/// One layer and direction of a recurrent network over whole sequences. Inputs: x, hidden state, cell state of an LSTM,
/// input weights, hidden weights, two biases or none, projection or none, lengths or none. Outputs: those of all steps,
/// the last hidden state, the last cell state of an LSTM.
/// </summary>
internal abstract class RecurrentOp(RecurrentCell cell, RecurrentInputs layout, bool isReverse) : MultiOp
{
    public override Saves Saves => Saves.Inputs | Saves.Output;

    public override IReadOnlyList<OpAttribute> Attributes =>
    [
        new("reverse", isReverse), new("bias", layout.HasBias), new("projection", layout.HasProjection),
        new("lengths", layout.HasLengths),
    ];

    internal RecurrentCell Cell => cell;

    internal RecurrentInputs Layout => layout;

    internal bool IsReverse => isReverse;

    private bool IsLstm => cell == RecurrentCell.Lstm;

    private int Gates => cell.Gates();

    public override TensorSpec[] InferAll(ReadOnlySpan<Tensor> inputs)
    {
        var (x, weight) = (inputs[0], inputs[layout.InputWeight]);
        if (x.Rank != 3 || !x.DType.IsFloating())
            throw new AdjointException(
                $"{Name}: the input must be (n, t, features) of a floating type: found {x.Shape} {x.DType.Label()}; "
                + "one sequence alone takes .Unsqueeze(0)");
        var rows = weight.Shape.Elements == 0 ? 0 : weight.Shape[0];
        if (weight.Rank != 2 || rows == 0 || rows % Gates != 0)
            throw new AdjointException(
                $"{Name}: the input weights must be ({(Gates == 1 ? "width" : $"{Gates}·width")}, features): found "
                + $"{weight.Shape}");
        var (n, k, w) = (x.Shape[0], weight.Shape[1], rows / Gates);
        if (x.Shape[2] != k)
            throw new AdjointException(
                $"{Name}: the input must have {k} features at each step, as the weights {weight.Shape} say: found "
                + $"{x.Shape}");
        var p = w;
        if (layout.Projection is { } projection)
        {
            var shape = inputs[projection].Shape;
            p = shape.Rank == 2 ? shape[0] : 0;
            Require("the projection", inputs[projection], x.DType, p, w);
        }
        Require("the hidden weights", inputs[layout.HiddenWeight], x.DType, rows, p);
        Require("the input weights", weight, x.DType, rows, k);
        if (layout.InputBias is { } bias)
        {
            Require("the input bias", inputs[bias], x.DType, rows);
            Require("the hidden bias", inputs[bias + 1], x.DType, rows);
        }
        Require("the hidden state", inputs[1], x.DType, n, p);
        if (IsLstm) Require("the cell state", inputs[2], x.DType, n, w);
        if (layout.Lengths is { } lengths) Require("lengths", inputs[lengths], DType.Int64, n);
        TensorSpec outputs = new((int[])[n, x.Shape[1], p], x.DType), hidden = new((int[])[n, p], x.DType);
        return IsLstm ? [outputs, hidden, new((int[])[n, w], x.DType)] : [outputs, hidden];
    }

    public override void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, ReadOnlySpan<Tensor> outputs)
    {
        var x = inputs[0];
        var saved = context.IsRecording
            ? context.Allocate(
                Primitives.Recurrence.SavedShape(cell, x, inputs[layout.InputWeight].Shape[0] / Gates),
                    x.DType.Computing())
            : null;
        Backend.Run(new Primitives.Recurrence(cell, isReverse), x, inputs[1], IsLstm ? inputs[2] : null,
            inputs[layout.InputWeight], inputs[layout.HiddenWeight], At(inputs, layout.InputBias),
            At(inputs, layout.InputBias + 1), At(inputs, layout.Projection), At(inputs, layout.Lengths), outputs[0],
            outputs[1], IsLstm ? outputs[2] : null, saved);
        if (saved is not null) context.Save(saved);
    }

    public override Tensor?[] FusedBackward(OpNode node, ReadOnlySpan<Tensor?> gradients)
    {
        var (inputs, outputs) = (node.Inputs, node.Outputs[0]);
        var (x, weight, hidden) = (inputs[0], inputs[layout.InputWeight], inputs[layout.HiddenWeight]);
        var projection = layout.Projection is { } at ? inputs[at] : null;
        var lengths = layout.Lengths is { } where ? inputs[where] : null;
        var (n, t, type) = (x.Shape[0], x.Shape[1], x.DType);
        Tensor Rows(int width) => Tensor.Empty((int[])[n, t, width], type);
        var rows = weight.Shape[0];
        var inputSums = Rows(rows);
        var hiddenSums = cell == RecurrentCell.Gru ? Rows(rows) : null;
        var k = x.Shape[2];
        var operands = Rows(k + outputs.Shape[2]);
        var first = Tensor.Empty(inputs[1].Shape, type);
        var firstCell = IsLstm ? Tensor.Empty(inputs[2].Shape, type) : null;
        var projected = projection is null ? null : Rows(projection.Shape[0]);
        var unprojected = projection is null ? null : Rows(projection.Shape[1]);
        Backend.Run(new RecurrenceGradient(cell, isReverse), hidden, projection, inputs[1], lengths, outputs,
            node.Saved[0], gradients[0], gradients[1], IsLstm ? gradients[2] : null, x, inputSums, hiddenSums, operands,
            first, firstCell, projected, unprojected);
        var results = new Tensor?[inputs.Count];
        var flat = Flat(inputSums);
        var flatHidden = hiddenSums is null ? flat : Flat(hiddenSums);
        if (node.Needs(0)) results[0] = flat.MatMul(weight).Reshape(x.Shape.Sizes);
        results[1] = first;
        if (IsLstm) results[2] = firstCell;
        // Where both weights meet the same gradients, one product packs these once.
        var areLearned = node.Needs(layout.InputWeight) || node.Needs(layout.HiddenWeight);
        var both = areLearned && hiddenSums is null ? flat.Transpose().MatMul(Flat(operands)) : null;
        if (node.Needs(layout.InputWeight))
            results[layout.InputWeight] =
                both?.Slice(1, 0, k) ?? flat.Transpose().MatMul(Flat(operands).Slice(1, 0, k));
        if (node.Needs(layout.HiddenWeight))
            results[layout.HiddenWeight] = both?.Slice(1, k, outputs.Shape[2])
                ?? flatHidden.Transpose().MatMul(Flat(operands).Slice(1, k, outputs.Shape[2]));
        if (layout.InputBias is { } bias)
        {
            if (node.Needs(bias)) results[bias] = flat.Sum(0);
            if (node.Needs(bias + 1)) results[bias + 1] = flatHidden.Sum(0);
        }
        if (layout.Projection is { } place && node.Needs(place))
            results[place] = Flat(projected!).Transpose().MatMul(Flat(unprojected!));
        return results;
    }

    public override Tensor?[] Backward(OpNode node, ReadOnlySpan<Tensor?> gradients) =>
        new RecurrentSteps(this, node).Backward(gradients);

    private static Tensor? At(ReadOnlySpan<Tensor> inputs, int? index) => index is { } at ? inputs[at] : null;

    // (n, t, width) → (n·t, width)
    private static Tensor Flat(Tensor x) => x.Reshape(x.Shape[0] * x.Shape[1], x.Shape[2]);

    private void Require(string what, Tensor x, DType type, params ReadOnlySpan<int> sizes)
    {
        if (x.DType == type && x.Shape.Sizes.SequenceEqual(sizes)) return;
        throw new AdjointException(
            $"{Name}: {what} must be {Shape.Create(sizes)} {type.Label()}: found {x.Shape} {x.DType.Label()}");
    }
}

/// <summary>Where the inputs of a <see cref="RecurrentOp"/> are that some calls leave out.</summary>
internal readonly record struct RecurrentInputs(bool HasCell, bool HasBias, bool HasProjection, bool HasLengths)
{
    internal int InputWeight => HasCell ? 3 : 2;
    internal int HiddenWeight => InputWeight + 1;

    /// <summary>The input bias; the hidden one comes after it.</summary>
    internal int? InputBias => HasBias ? InputWeight + 2 : null;

    internal int? Projection => HasProjection ? InputWeight + (HasBias ? 4 : 2) : null;

    internal int? Lengths => HasLengths ? InputWeight + (HasBias ? 4 : 2) + (HasProjection ? 1 : 0) : null;

    /// <summary>The inputs in order, from a call: states that are missing are zeros.</summary>
    /// <exception cref="AdjointException">There is one bias without the other.</exception>
    internal static (RecurrentInputs Layout, Tensor[] Inputs) Of(
        string op, Tensor x, RecurrentWeights weights, Tensor? hidden, Tensor? cell, Tensor? lengths, bool hasCell)
    {
        ArgumentNullException.ThrowIfNull(weights);
        if (weights.InputBias is null != weights.HiddenBias is null)
            throw new AdjointException(
                $"{op}: there must be a bias of the input and one of the hidden state, or none: found one; give "
                + "zeros for the other");
        var layout = new RecurrentInputs(
            hasCell, weights.InputBias is not null, weights.Projection is not null, lengths is not null);
        var n = x.Rank > 0 ? x.Shape[0] : 0;
        Tensor State(Tensor? state, int width) => state ?? Tensor.Zeros((int[])[n, width], x.DType);
        var p = weights.Hidden.Rank > 0 ? weights.Hidden.Shape[-1] : 0;
        List<Tensor> inputs = [x, State(hidden, p)];
        if (hasCell) inputs.Add(State(cell, weights.Projection is { Rank: 2 } projection ? projection.Shape[1] : p));
        inputs.AddRange([weights.Input, weights.Hidden]);
        if (layout.HasBias) inputs.AddRange([weights.InputBias!, weights.HiddenBias!]);
        if (layout.HasProjection) inputs.Add(weights.Projection!);
        if (layout.HasLengths) inputs.Add(lengths!);
        return (layout, [.. inputs]);
    }

    /// <exception cref="AdjointException">There is a projection, which only an LSTM takes.</exception>
    internal static void RefuseProjection(string op, RecurrentWeights weights)
    {
        if (weights?.Projection is { } projection)
            throw new AdjointException(
                $"{op}: takes no projection, which only an LSTM has: found {projection.Shape}; apply a Linear to the "
                + "outputs");
    }
}
