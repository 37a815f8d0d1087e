namespace Adjoint.Tests.Ops;

/// <summary>
/// The table of ops. A row that is missed belongs into the file of the folder of src/Adjoint/Ops where the op is.
/// </summary>
internal static class OpCases
{
    internal const string Where = "add a row to the …Cases.cs file in tests/Adjoint.Tests/Ops that mirrors its folder";

    internal static IReadOnlyList<OpCase> All { get; } =
    [
        .. ArithmeticCases.Rows, .. ActivationCases.Rows, .. LogicCases.Rows, .. ReductionCases.Rows,
        .. ShapeCases.Rows, .. IndexingCases.Rows, .. ProductCases.Rows, .. SoftmaxCases.Rows,
        .. ConvolutionCases.Rows, .. PoolingCases.Rows, .. NormalizationCases.Rows, .. LossCases.Rows,
        .. SequenceCases.Rows, .. AttentionCases.Rows,
        .. RecurrentCases.Rows,
    ];

    internal static OpCase Named(string name) => All.Single(row => row.Name == name);

    internal static TheoryData<string> Names(Func<OpCase, bool>? isAsked = null) =>
        [.. All.Where(row => isAsked is null || isAsked(row)).Select(row => row.Name)];

    /// <summary>Each row with each element type that it takes and that is asked for.</summary>
    internal static TheoryData<string, DType> Typed(Func<OpCase, DType, bool>? isAsked = null) =>
        [.. from row in All from type in row.Types where isAsked is null || isAsked(row, type) select (row.Name, type)];

    /// <summary>The ops of all rows, each time that one is applied.</summary>
    internal static Op[] OpsOfAllRows() => [.. All.SelectMany(OpsOf)];

    internal static IEnumerable<Op> OpsOf(OpCase row)
    {
        using var recording = new RecordGraph();
        var leaves = row.Tensors(row.Types[0]);
        foreach (var leaf in leaves)
            if (leaf.DType.IsFloating()) leaf.RequireGrad();
        return [.. OpsUnder(row.Call(leaves))];
    }

    /// <summary>The ops of a graph, each node once: paths through steps of a recurrence are without number.</summary>
    internal static IEnumerable<Op> OpsUnder(Tensor tensor)
    {
        var (seen, open) = (new HashSet<OpNode>(), new Stack<Tensor>([tensor]));
        while (open.TryPop(out var next))
            if (next.Source is { } node && seen.Add(node))
                foreach (var input in node.Inputs) open.Push(input);
        return seen.Select(node => node.Op);
    }

    internal static IEnumerable<Type> OpTypes() =>
        typeof(Op).Assembly.GetTypes().Where(type => type.IsSubclassOf(typeof(Op)) && !type.IsAbstract);

    internal static Type TypeOf(Op op) =>
        op.GetType() is { IsGenericType: true } type ? type.GetGenericTypeDefinition() : op.GetType();
}
