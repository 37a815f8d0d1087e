namespace Adjoint.Explorer;

/// <summary>One element of an input: what the rule says, and what finite differences say.</summary>
/// <param name="Input">Which input.</param>
/// <param name="At">Which element.</param>
/// <param name="Held">The number shown: the engine's, in the graph's precision.</param>
/// <param name="Analytic">The rule, in float64.</param>
/// <param name="Numeric">(φ(x + h) − φ(x − h)) / 2h, φ(x) = Σ g · f(x) over all outputs, in float64.</param>
/// <param name="Error">|analytic − numeric| / max(1, |analytic|, |numeric|); at a kink the distance to the range
/// between the one-sided slopes.</param>
/// <param name="IsKink">Whether the slopes to the left and to the right differ: there any number between them is
/// right.</param>
internal sealed record CheckedElement(int Input, int[] At, double Held, double Analytic, double Numeric, double Error,
    bool IsKink);

/// <summary>
/// Compares an op's derivative with central differences, at the very values and the very incoming gradient of a graph.
/// </summary>
internal static class DerivativeCheck
{
    /// <summary>The largest error that passes.</summary>
    internal const double Tolerance = 1e-6;

    private const double Step = 1e-5;
    private const int MostWork = 40_000_000;
    private const int LargestOp = 4_000_000;

    /// <summary>
    /// Checks elements of each input that got a gradient: those with the largest gradients, and others spread evenly.
    /// </summary>
    /// <exception cref="AdjointException">
    /// No gradient went through the op, it is too large for this, or it rounds to another type.
    /// </exception>
    internal static IReadOnlyList<CheckedElement> Run(OpItem item)
    {
        var node = item.Node;
        if (item.WayBack is not { } trace)
            throw new AdjointException($"{node.Op.Name}: no gradient went through it, so there is nothing to check");
        var size = node.Inputs.Concat(node.Outputs).Sum(tensor => (long)tensor.Length);
        if (size > LargestOp)
            throw new AdjointException(
                $"{node.Op.Name}: {size:N0} elements are too many to check here, at most {LargestOp:N0} are; use a " +
                $"smaller batch");
        var (again, leaves) = LocalRule.Again(node, DType.Float64);
        if (again.Output.DType is { } type && type.IsFloating() && type != DType.Float64)
            throw new AdjointException($"{node.Op.Name}: rounds to {type.Label()} whatever it gets, so finite "
                + "differences of it are steps; check the ops before and after");
        double[]?[] g = [.. trace.Gradients.Select(arrived => arrived is null ? null : TensorView.ToDoubles(arrived))];
        var rule = again.ApplyRule(
            [.. g.Select((values, i) => values is null ? null
                : Tensor.From(values).Reshape(node.Outputs[i].Shape.Sizes))]);
        var each = (int)Math.Clamp(MostWork / size / node.Inputs.Count, 4, 24);
        var result = new List<CheckedElement>();
        using var _ = new NoGrad();
        for (var i = 0; i < leaves.Length; i++)
        {
            if (trace.Contributions[i] is not { } held) continue;
            var (heldValues, analytic) = (TensorView.ToDoubles(held), rule[i] is { } slope
                ? TensorView.ToDoubles(slope)
                : new double[held.Length]);
            var values = TensorView.ToDoubles(leaves[i]);
            var middle = Phi(i, values, 0, 0);
            foreach (var element in Choose(analytic, each))
            {
                var (up, down) = (Phi(i, values, element, Step), Phi(i, values, element, -Step));
                var (right, left, numeric) = ((up - middle) / Step, (middle - down) / Step, (up - down) / (2 * Step));
                var scale = Math.Max(1, Math.Max(Math.Abs(analytic[element]), Math.Abs(numeric)));
                // A smooth function's one-sided slopes differ by about h·f″.
                var isKink = Math.Abs(right - left) > Math.Max(1e-3 * Math.Max(Math.Abs(right), Math.Abs(left)),
                    1e-9 * Math.Max(1, Math.Abs(middle)));
                var error = isKink
                    ? Math.Max(
                        0, Math.Max(Math.Min(left, right) - analytic[element], analytic[element]
                            - Math.Max(left, right))) / scale
                    : Math.Abs(analytic[element] - numeric) / scale;
                result.Add(new(i, LocalRule.Position(held.Shape, element), heldValues[element], analytic[element],
                    numeric, error, isKink));
            }
        }
        return result;

        double Phi(int input, double[] values, int element, double by)
        {
            var before = values.Length == 0 ? 0 : values[element];
            if (values.Length > 0) values[element] += by;
            var at = (Tensor[])leaves.Clone();
            at[input] = Tensor.From(values).Reshape(leaves[input].Shape.Sizes);
            if (values.Length > 0) values[element] = before;
            var (sum, results) = (0.0, Op.ApplyAll(node.Op, at));
            for (var i = 0; i < g.Length; i++)
            {
                if (g[i] is not { } weights) continue;
                var y = TensorView.ToDoubles(results[i]);
                for (var j = 0; j < y.Length; j++) sum += weights[j] * y[j];
            }
            return sum;
        }
    }

    private static IEnumerable<int> Choose(double[] gradient, int count)
    {
        if (gradient.Length <= count) return Enumerable.Range(0, gradient.Length);
        var largest = Enumerable.Range(0, gradient.Length).OrderByDescending(i => Math.Abs(gradient[i]))
            .Take(count / 2);
        var even = Enumerable.Range(0, count - count / 2)
            .Select(i => (int)((long)i * gradient.Length / (count - count / 2)));
        return largest.Concat(even).Distinct().Order();
    }
}
