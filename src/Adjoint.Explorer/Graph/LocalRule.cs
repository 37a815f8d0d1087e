namespace Adjoint.Explorer;

/// <summary>One product of a sum: of a factor that arrives and the slope that it is multiplied by.</summary>
/// <param name="Output">Of which output the factor is the gradient; 0 on the way forward.</param>
/// <param name="At">Where the factor lies in its tensor.</param>
/// <param name="Factor">g[j] on the way back, x[i] on the way forward.</param>
/// <param name="Slope">∂y[j]/∂x[i].</param>
/// <param name="SlopeIs">Which element of which input the slope is, where the op's rule says so.</param>
internal sealed record Term(int Output, int[] At, double Factor, double Slope, (int Input, int[] At)? SlopeIs)
{
    internal double Product => Factor * Slope;
}

/// <summary>A sum taken apart.</summary>
/// <param name="Input">Which input the terms speak of.</param>
/// <param name="At">Of which element.</param>
/// <param name="Terms">Its largest terms that are not 0.</param>
/// <param name="Count">How many terms are not 0.</param>
/// <param name="Sum">The sum of all.</param>
/// <param name="Held">The very number that the engine holds.</param>
internal sealed record TakenApart(int Input, int[] At, IReadOnlyList<Term> Terms, int Count, double Sum, double Held);

/// <summary>
/// An op's rule with real numbers. A backward rule is linear in the incoming gradient: ∂L/∂x[i] = Σⱼ g[j] ·
/// ∂y[j]/∂x[i]. The slopes are found by differentiating the rule itself with respect to g, so this holds for every op,
/// also a user's own, without a word about it here. Where an op has several outputs, j goes over all of them.
/// </summary>
internal static class LocalRule
{
    private const int MostTerms = 24;

    /// <summary>Which products were summed to one element of what the op gave its input.</summary>
    /// <exception cref="AdjointException">No gradient went that way, or there is no such element.</exception>
    internal static TakenApart Backward(OpItem item, int input, int element)
    {
        if (input < 0 || input >= item.Inputs.Count)
            throw new AdjointException($"{item.Node.Op.Name}: has no input {input}; use 0 to {item.Inputs.Count - 1}");
        if (item.WayBack is not { } trace || trace.Contributions[input] is not { } held)
            throw new AdjointException($"{item.Node.Op.Name}: no gradient went to input {input}");
        Require(held, element);
        var (node, _) = Again(item.Node);
        Tensor?[] arriving = [.. trace.Gradients.Select(gradient => gradient?.Detach().Clone().RequireGrad())];
        Tensor[] there = [.. arriving.OfType<Tensor>()];
        var rule = node.ApplyRule(arriving)[input];
        var columns = rule is { RequiresGrad: true }
            ? Differentiation.Gradients(rule, there, Unit(rule, element))
            : new Tensor?[there.Length];
        double[] slopes = [.. there.Zip(columns)
            .SelectMany(pair => pair.Second is { } column ? TensorView.ToDoubles(column)
                : new double[pair.First.Length])];
        double[] factors = [.. there.SelectMany(TensorView.ToDoubles)];
        var at = Position(held.Shape, element);
        return Sum(
            input, at, factors, slopes, Place, ReadAt(held, element), factor => SlopeOf(item, input, at, factor));

        (int, int[]) Place(int index)
        {
            var output = 0;
            while (arriving[output] is not { } part || index >= part.Length) index -= arriving[output++]?.Length ?? 0;
            return (output, Position(arriving[output]!.Shape, index));
        }
    }

    /// <summary>
    /// On what one element of the output, of several the first, depends: for each input, its elements with their
    /// slopes. Where the op is linear in an input, their products add up to the value.
    /// </summary>
    /// <exception cref="AdjointException">There is no such element.</exception>
    internal static IReadOnlyList<TakenApart> Forward(OpItem item, int element)
    {
        Require(item.Node.Output, element);
        if (!item.Node.Output.DType.IsFloating()) return [];
        var (node, leaves) = Again(item.Node);
        var held = ReadAt(item.Node.Output, element);
        var rows = node.Op.Backward(node, Unit(node.Output, element));
        var result = new List<TakenApart>();
        for (var i = 0; i < leaves.Length; i++)
            if (rows[i] is { } row)
                result.Add(Sum(i, Position(item.Node.Output.Shape, element), TensorView.ToDoubles(leaves[i]),
                    TensorView.ToDoubles(row), index => (0, Position(leaves[i].Shape, index)), held, _ => null));
        return result;
    }

    /// <summary>The op applied once more to the same values, cut off from the graph around it.</summary>
    internal static (OpNode Node, Tensor[] Leaves) Again(OpNode node, DType? dtype = null)
    {
        Tensor[] leaves =
            [.. node.Inputs.Select(input => input.DType.IsFloating() ? To(input, dtype).RequireGrad() : input)];
        using var whole = new RecordGraph();
        return (Op.Apply(node.Op, leaves).Source!, leaves);
    }

    /// <summary>Row-major index to position.</summary>
    internal static int[] Position(Shape shape, int element)
    {
        var at = new int[shape.Rank];
        for (var axis = shape.Rank - 1; axis >= 0; axis--)
            (element, at[axis]) = (element / shape[axis], element % shape[axis]);
        return at;
    }

    private static Tensor To(Tensor input, DType? dtype) => dtype == DType.Float64 && input.DType != DType.Float64
        ? Tensor.From(TensorView.ToDoubles(input)).Reshape(input.Shape.Sizes)
        : input.Detach().Clone();

    private static TakenApart Sum(int input, int[] at, double[] factors, double[] slopes,
        Func<int, (int Output, int[] At)> placeOf, double held, Func<int[], (int, int[])?> slopeOf)
    {
        int[] used = [.. Enumerable.Range(0, slopes.Length).Where(i => slopes[i] != 0)];
        var sum = 0.0;
        foreach (var i in used) sum += factors[i] * slopes[i];
        var largest = used.Length <= MostTerms
            ? used
            : [.. used.OrderByDescending(i => Math.Abs(factors[i] * slopes[i])).Take(MostTerms).Order()];
        return new(input, at, [.. largest.Select(TermOf)], used.Length, sum, held);

        Term TermOf(int i)
        {
            var (output, from) = placeOf(i);
            return new(output, from, factors[i], slopes[i], slopeOf(from));
        }
    }

    // In products of matrices the slope is an element of the other operand.
    private static (int Input, int[] At)? SlopeOf(OpItem item, int input, int[] at, int[] from) =>
        (item.Node.Op.Name, input, at.Length) switch
        {
            ("Linear", 0, _) => (1, [from[1], at[1]]),
            ("Linear", 1, _) => (0, [from[0], at[1]]),
            ("MatMul", 0, 2) => (1, [at[1], from[1]]),
            ("MatMul", 1, 2) => (0, [from[0], at[0]]),
            _ => null,
        };

    private static Tensor Unit(Tensor like, int element)
    {
        var values = new double[like.Length];
        values[element] = 1;
        var unit = Tensor.From(values).Reshape(like.Shape.Sizes);
        return like.DType == DType.Float64 ? unit : unit.To(like.DType);
    }

    private static double ReadAt(Tensor tensor, int element) => tensor.ItemAt(Position(tensor.Shape, element));

    private static void Require(Tensor tensor, int element)
    {
        if (element < 0 || element >= tensor.Length)
            throw new AdjointException($"element {element} is outside {tensor.Shape}; use 0 to {tensor.Length - 1}");
    }
}
