namespace Adjoint.Tests.Ops;

/// <summary>Recurrent networks number by number, as their formulas stand in the papers.</summary>
internal static class NaiveRecurrence
{
    /// <summary>Outputs (n, t, p), last hidden state (n, p), last cell state (n, w) of an LSTM.</summary>
    internal sealed record Result(double[] Outputs, double[] Hidden, double[] Cell)
    {
        internal double[] All => [.. Outputs, .. Hidden, .. Cell];
    }

    /// <param name="kind">"tanh", "relu", "gru" or "lstm".</param>
    /// <param name="x">x, h, c of an LSTM, W_ih, W_hh, b_ih, b_hh, and W_hr where there is a projection.</param>
    /// <param name="sizes">n, t, k, w.</param>
    /// <param name="lengths">The steps of each sequence; null: t.</param>
    /// <param name="isReverse">Whether each is read from its end.</param>
    /// <param name="projection">The width p; 0: none.</param>
    internal static Result Of(
        string kind, double[][] x, int[] sizes, int[]? lengths = null, bool isReverse = false, int projection = 0)
    {
        var (n, t, k, w) = (sizes[0], sizes[1], sizes[2], sizes[3]);
        var (isLstm, p) = (kind == "lstm", projection == 0 ? w : projection);
        var at = isLstm ? 3 : 2;
        var (input, hidden, inputBias, hiddenBias) = (x[at], x[at + 1], x[at + 2], x[at + 3]);
        var outputs = new double[n * t * p];
        var (lastHidden, lastCell) = ((double[])x[1].Clone(), isLstm ? (double[])x[2].Clone() : []);
        for (var row = 0; row < n; row++)
        {
            var length = lengths?[row] ?? t;
            for (var step = 0; step < length; step++)
            {
                var position = isReverse ? length - 1 - step : step;
                double OfInput(int gate, int unit) => inputBias[gate * w + unit] + Enumerable.Range(0, k)
                    .Sum(i => input[(gate * w + unit) * k + i] * x[0][(row * t + position) * k + i]);
                double OfHidden(int gate, int unit) => hiddenBias[gate * w + unit] + Enumerable.Range(0, p)
                    .Sum(i => hidden[(gate * w + unit) * p + i] * lastHidden[row * p + i]);
                double Both(int gate, int unit) => OfInput(gate, unit) + OfHidden(gate, unit);
                var next = new double[w];
                var nextCell = new double[w];
                for (var unit = 0; unit < w; unit++)
                    switch (kind)
                    {
                        case "lstm":
                            nextCell[unit] = Sigmoid(Both(1, unit)) * lastCell[row * w + unit]
                                + Sigmoid(Both(0, unit)) * Math.Tanh(Both(2, unit));
                            next[unit] = Sigmoid(Both(3, unit)) * Math.Tanh(nextCell[unit]);
                            break;
                        case "gru":
                            var (r, z) = (Sigmoid(Both(0, unit)), Sigmoid(Both(1, unit)));
                            var fresh = Math.Tanh(OfInput(2, unit) + r * OfHidden(2, unit));
                            next[unit] = (1 - z) * fresh + z * lastHidden[row * w + unit];
                            break;
                        case "relu": next[unit] = Math.Max(0, Both(0, unit)); break;
                        default: next[unit] = Math.Tanh(Both(0, unit)); break;
                    }
                for (var i = 0; i < p; i++)
                    outputs[(row * t + position) * p + i] = lastHidden[row * p + i] = projection == 0
                        ? next[i]
                        : Enumerable.Range(0, w).Sum(unit => x[^1][i * w + unit] * next[unit]);
                if (isLstm) nextCell.CopyTo(lastCell, row * w);
            }
        }
        return new(outputs, lastHidden, lastCell);
    }

    private static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));
}
