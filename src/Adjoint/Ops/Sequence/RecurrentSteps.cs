using Adjoint.Kernels;

namespace Adjoint;

/// <summary>
/// The way back through a <see cref="RecurrentOp"/> in ops, step by step, so that it can be differentiated again. It
/// computes the states anew: they must depend on the inputs.
/// </summary>
internal sealed class RecurrentSteps
{
    private readonly RecurrentOp op;
    private readonly OpNode node;
    private readonly Tensor x, inputWeight, hiddenWeight;
    private readonly Tensor? projection, inputBias, hiddenBias, lengths;
    private readonly Tensor[] active;
    private readonly List<Step> steps = [];
    private readonly int width;

    internal RecurrentSteps(RecurrentOp op, OpNode node)
    {
        (this.op, this.node) = (op, node);
        var layout = op.Layout;
        lengths = layout.Lengths is { } at ? node.Inputs[at] : null;
        x = WithoutPadding(Input(0)!, lengths);
        (inputWeight, hiddenWeight) = (Input(layout.InputWeight)!, Input(layout.HiddenWeight)!);
        (inputBias, hiddenBias, projection) =
            (Input(layout.InputBias), Input(layout.InputBias + 1), Input(layout.Projection));
        width = inputWeight.Shape[0] / op.Cell.Gates();
        active = lengths is null ? []
            : [.. Enumerable.Range(0, x.Shape[1]).Select(position => lengths.Greater(position).Unsqueeze(1))];
    }

    // What a step began with, and what it made of that.
    private sealed record Step(Tensor Input, Tensor Hidden, Tensor? Cell, Tensor[] Gates, Tensor Output);

    /// <summary>x (n, t, …), 0 beyond each sequence's length.</summary>
    internal static Tensor WithoutPadding(Tensor x, Tensor? lengths)
    {
        if (lengths is null) return x;
        var isInside = Tensor.Arange(x.Shape[1]).Less(lengths.Unsqueeze(1)).Unsqueeze(2);
        return Tensor.Where(isInside, x, Tensor.Scalar(0, x.DType));
    }

    /// <summary>The gradients of the inputs of the node.</summary>
    internal Tensor?[] Backward(ReadOnlySpan<Tensor?> gradients)
    {
        var layout = op.Layout;
        var order = Enumerable.Range(0, x.Shape[1]);
        if (op.IsReverse) order = order.Reverse();
        var (hidden, cell) = (Input(1)!, layout.HasCell ? Input(2) : null);
        foreach (var position in order) (hidden, cell) = Forward(position, hidden, cell);

        var dHidden = Arriving(gradients[1], hidden);
        var dCell = cell is null ? null : Arriving(gradients[2], cell);
        var dOutputs = gradients[0] is { } arriving ? WithoutPadding(arriving.Widened(), lengths) : null;
        var dInputs = new Tensor[x.Shape[1]];
        Tensor? dInputWeight = null, dHiddenWeight = null, dInputBias = null, dHiddenBias = null, dProjection = null;
        var back = order.Reverse().ToArray();
        for (var i = 0; i < back.Length; i++)
        {
            var (position, step) = (back[i], steps[back.Length - 1 - i]);
            var total = dOutputs is null ? dHidden : dHidden + dOutputs.Select(1, position);
            // Where the sequence has ended, nothing happened.
            var dNew = Active(position, total, Zeros(total));
            var dOutput = dNew;
            if (projection is not null)
            {
                Add(ref dProjection, dNew.Transpose().MatMul(step.Output));
                dOutput = dNew.MatMul(projection);
            }
            var (dInputSums, dHiddenSums, dDirect, dBefore) = Derivatives(position, step, dOutput, dCell);
            dInputs[position] = dInputSums.MatMul(inputWeight);
            Add(ref dInputWeight, dInputSums.Transpose().MatMul(step.Input));
            Add(ref dHiddenWeight, dHiddenSums.Transpose().MatMul(step.Hidden));
            Add(ref dInputBias, dInputSums.Sum(0));
            Add(ref dHiddenBias, dHiddenSums.Sum(0));
            var through = dHiddenSums.MatMul(hiddenWeight);
            if (dDirect is not null) through += dDirect;
            dHidden = Active(position, through, total);
            if (dCell is not null) dCell = Active(position, dBefore!, dCell);
        }

        var results = new Tensor?[node.Inputs.Count];
        Give(0, dInputs.Length == 0 ? null : WithoutPadding(Tensor.Stack(dInputs, 1), lengths));
        Give(1, dHidden);
        if (layout.HasCell) Give(2, dCell);
        Give(layout.InputWeight, dInputWeight);
        Give(layout.HiddenWeight, dHiddenWeight);
        Give(layout.InputBias, dInputBias);
        Give(layout.InputBias + 1, dHiddenBias);
        Give(layout.Projection, dProjection);
        return results;

        void Give(int? index, Tensor? gradient)
        {
            if (index is not { } at) return;
            var input = node.Inputs[at];
            results[at] = gradient?.To(input.DType) ?? Tensor.Zeros(input.Shape, input.DType);
        }
    }

    private (Tensor Hidden, Tensor? Cell) Forward(int position, Tensor hidden, Tensor? cell)
    {
        var input = x.Select(1, position);
        var ofInput = Affine(input, inputWeight, inputBias);
        var ofHidden = Affine(hidden, hiddenWeight, hiddenBias);
        Tensor output;
        Tensor? nextCell = null;
        Tensor[] gates;
        switch (op.Cell)
        {
            case RecurrentCell.Lstm:
                var s = (ofInput + ofHidden).Chunk(4, 1);
                var (i, f, g, o) = (s[0].Sigmoid(), s[1].Sigmoid(), s[2].Tanh(), s[3].Sigmoid());
                var next = f * cell! + i * g;
                var squashed = next.Tanh();
                (gates, output, nextCell) = ([i, f, g, o, squashed], o * squashed, next);
                break;
            case RecurrentCell.Gru:
                var (a, b) = (ofInput.Chunk(3, 1), ofHidden.Chunk(3, 1));
                var (r, z) = ((a[0] + b[0]).Sigmoid(), (a[1] + b[1]).Sigmoid());
                var n = (a[2] + r * b[2]).Tanh();
                (gates, output) = ([r, z, n, b[2]], n + z * (hidden - n));
                break;
            case RecurrentCell.Relu:
                output = (ofInput + ofHidden).Relu();
                gates = [];
                break;
            case RecurrentCell.Tanh:
                output = (ofInput + ofHidden).Tanh();
                gates = [];
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(position), op.Cell, "not a kind of cell");
        }
        steps.Add(new(input, hidden, cell, gates, output));
        var after = projection is null ? output : output.MatMul(projection.Transpose());
        return (Active(position, after, hidden), nextCell is null ? null : Active(position, nextCell, cell!));
    }

    // Of the input's sums, of the hidden state's; of the hidden state past the sums, of the cell state.
    private (Tensor InputSums, Tensor HiddenSums, Tensor? Hidden, Tensor? Cell) Derivatives(
        int position, Step step, Tensor dOutput, Tensor? dCell)
    {
        var gates = step.Gates;
        switch (op.Cell)
        {
            case RecurrentCell.Lstm:
                var (i, f, g, o, squashed) = (gates[0], gates[1], gates[2], gates[3], gates[4]);
                var dc = Active(position, dCell!, Zeros(dCell!)) + dOutput * o * (1 - squashed.Square());
                var all = Tensor.Concat(
                    [
                        dc * g * (i * (1 - i)), dc * step.Cell! * (f * (1 - f)), dc * i * (1 - g.Square()),
                        dOutput * squashed * (o * (1 - o)),
                    ], 1);
                return (all, all, null, dc * f);
            case RecurrentCell.Gru:
                var (r, z, n, q) = (gates[0], gates[1], gates[2], gates[3]);
                var dn = dOutput * (1 - z) * (1 - n.Square());
                var (dr, dz) = (dn * q * (r * (1 - r)), dOutput * (step.Hidden - n) * (z * (1 - z)));
                return (Tensor.Concat([dr, dz, dn], 1), Tensor.Concat([dr, dz, dn * r], 1), dOutput * z, null);
            case RecurrentCell.Relu:
                var passing = Tensor.Where(step.Output.Greater(0), dOutput, Zeros(dOutput));
                return (passing, passing, null, null);
            default:
                var sums = dOutput * (1 - step.Output.Square());
                return (sums, sums, null, null);
        }
    }

    private Tensor Active(int position, Tensor where, Tensor elsewhere) =>
        active.Length == 0 ? where : Tensor.Where(active[position], where, elsewhere);

    private Tensor? Input(int? index) => index is { } at ? node.Inputs[at].Widened() : null;

    private static Tensor Arriving(Tensor? gradient, Tensor to) => gradient?.Widened() ?? Zeros(to);

    private static Tensor Zeros(Tensor x) => Tensor.Zeros(x.Shape, x.DType);

    private static Tensor Affine(Tensor x, Tensor weight, Tensor? bias) =>
        bias is null ? x.MatMul(weight.Transpose()) : x.Linear(weight, bias);

    private static void Add(ref Tensor? sum, Tensor term) => sum = sum is null ? term : sum + term;
}
