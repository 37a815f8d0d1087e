using Adjoint.Nn;

namespace Adjoint.Explorer;

/// <summary>What a tensor is in a computation.</summary>
internal enum TensorKind
{
    /// <summary>Given from outside, by name.</summary>
    Input,

    /// <summary>A leaf whose gradient is wanted.</summary>
    Parameter,

    /// <summary>A leaf that has neither name nor gradient.</summary>
    Constant,

    /// <summary>Made by an op.</summary>
    Value,

    /// <summary>What the graph leads to.</summary>
    Root,
}

/// <summary>A share of a gradient: what one op's rule gave for one of its inputs.</summary>
internal sealed record Contribution(OpItem From, int Input, Tensor Value);

/// <summary>A tensor of a graph, with everything that arrives at it on the way back, in order of arrival.</summary>
internal sealed class TensorItem(int id, Tensor tensor, TensorKind kind, string name)
{
    internal int Id => id;
    internal Tensor Tensor => tensor;
    internal TensorKind Kind => kind;
    internal string Name => name;
    internal List<Contribution> Contributions { get; } = [];

    /// <summary>The whole gradient, as the engine has it; null where none is known.</summary>
    internal Tensor? Gradient { get; set; }
}

/// <summary>An op of a graph; ids go up in the order of the forward pass.</summary>
internal sealed class OpItem(
    int id, OpNode node, IReadOnlyList<TensorItem> inputs, IReadOnlyList<TensorItem> outputs, ModuleItem? module)
{
    internal int Id => id;
    internal OpNode Node => node;
    internal IReadOnlyList<TensorItem> Inputs => inputs;
    internal IReadOnlyList<TensorItem> Outputs => outputs;
    internal ModuleItem? Module => module;

    /// <summary>
    /// What arrived for each output on the way back, and what the rule gave; null where nothing arrived.
    /// </summary>
    internal OpTrace? WayBack => node.Trace is { Gradients.Count: > 0 } trace ? trace : null;
}

/// <summary>One call of a module.</summary>
internal sealed class ModuleItem(int id, string name, string label, ModuleItem? parent)
{
    internal int Id => id;
    internal string Name => name;
    internal string Label => label;
    internal ModuleItem? Parent => parent;
    internal string Path => parent is { Parent: not null } ? $"{parent.Path}.{name}" : name;
}

/// <summary>
/// Everything that led to a tensor: tensors, ops, calls of modules, and, where it went backward, gradients.
/// </summary>
internal sealed class ComputationGraph
{
    private const int MostOps = 20_000;

    private ComputationGraph(IReadOnlyList<TensorItem> tensors, IReadOnlyList<OpItem> ops,
        IReadOnlyList<ModuleItem> modules, string? missing) =>
        (Tensors, Ops, Modules, MissingGradients) = (tensors, ops, modules, missing);

    internal IReadOnlyList<TensorItem> Tensors { get; }
    internal IReadOnlyList<OpItem> Ops { get; }
    internal IReadOnlyList<ModuleItem> Modules { get; }

    /// <summary>Why there are no inner gradients, with the remedy; null where there are.</summary>
    internal string? MissingGradients { get; }

    /// <summary>Ops in the order of the backward pass: those that a gradient reached.</summary>
    internal IEnumerable<OpItem> BackwardOps => Ops.Reverse().Where(op => op.WayBack is not null);

    /// <summary>
    /// Walks down from a tensor and, where the graph was not used up and the tensor is a single number, goes backward,
    /// leaving every <c>.Grad</c> alone.
    /// </summary>
    /// <exception cref="AdjointException">A tensor's memory was recycled, or the graph is too large to
    /// show.</exception>
    internal static ComputationGraph Of(Tensor root, IReadOnlyDictionary<Tensor, string>? inputs = null)
    {
        var nodes = Collect(root);
        foreach (var tensor in nodes.SelectMany(node => node.Inputs.Concat(node.Outputs)).Append(root))
            if (tensor.IsReleased)
                throw new AdjointException(
                    $"Explorer: the graph was already released: the memory of " +
                    $"{tensor.Name ?? tensor.Source?.Op.Name ?? "a tensor"} {tensor.Shape} was recycled after " +
                    $"Backward(); explore before Backward(), or call Backward(retainGraph: true)");
        var missing = root.Source is null ? null

                : !root.RequiresGrad
                ? "Nothing that led to this tensor requires a gradient: call .RequireGrad() on what should have one, "
                    + "and compute it again."

                : nodes.Any(node => node.IsConsumed)
                ? "Backward() has used this graph up, and inner gradients were not kept: explore before Backward(), "
                    + "or call Backward(retainGraph: true)."

                : root.Length != 1
                ? $"A gradient exists only of a single number, and this tensor is {root.Shape}: explore .Sum() or "
                    + ".Mean() of it."
            : null;
        var leaves = nodes.SelectMany(node => node.Inputs).Where(input => input is { IsLeaf: true, RequiresGrad: true })
            .Distinct().ToArray();
        Tensor?[] gradients = [.. leaves.Select(leaf => leaf.Grad)];
        if (root.Source is not null && missing is null)
            using (new Tracing())
                gradients = Differentiation.Gradients(root, leaves, retainGraph: true);
        return Build(root, nodes, leaves.Zip(gradients).ToDictionary(pair => pair.First, pair => pair.Second), inputs,
            missing);
    }

    // As the engine: depth first, inputs in order, an op after all that it uses. Backward goes the other way.
    private static List<OpNode> Collect(Tensor root)
    {
        var (found, listed) = (new HashSet<OpNode>(), new List<OpNode>());
        var open = new Stack<(OpNode Node, int Next)>();
        void Visit(OpNode? node)
        {
            if (node is not null && found.Add(node)) open.Push((node, 0));
            if (found.Count > MostOps)
                throw new AdjointException(
                    $"Explorer: more than {MostOps:N0} ops lead to this tensor, too many to show; "
                    + "explore a shorter computation, such as one step");
        }
        Visit(root.Source);
        while (open.TryPop(out var top))
        {
            var (node, next) = top;
            if (next == node.Inputs.Count)
            {
                listed.Add(node);
                continue;
            }
            open.Push((node, next + 1));
            Visit(node.Inputs[next].Source);
        }
        return listed;
    }

    private static ComputationGraph Build(
        Tensor root, List<OpNode> nodes, Dictionary<Tensor, Tensor?> gradients,
        IReadOnlyDictionary<Tensor, string>? inputs, string? missing)
    {
        var (tensors, ops) = (new Dictionary<Tensor, TensorItem>(), new List<OpItem>());
        var modules = new Dictionary<TraceScope, ModuleItem>();
        // Indices, which an op made, too, need not know of it.
        var made = nodes.SelectMany(node => node.Outputs).ToHashSet();
        TensorItem Add(Tensor tensor)
        {
            if (tensors.TryGetValue(tensor, out var known)) return known;
            string? given = null;
            var kind = tensor == root && tensor.Source is not null ? TensorKind.Root
                : made.Contains(tensor) ? TensorKind.Value
                : inputs?.TryGetValue(tensor, out given) == true ? TensorKind.Input
                : tensor.RequiresGrad ? TensorKind.Parameter
                : tensor.Name is not null ? TensorKind.Input
                : TensorKind.Constant;
            var name = given ?? tensor.Name ?? (kind == TensorKind.Root && inputs is not null ? "loss" : "");
            return tensors[tensor] = new(tensors.Count, tensor, kind, name);
        }
        foreach (var node in nodes)
        {
            TensorItem[] from = [.. node.Inputs.Select(Add)];
            TensorItem[] to = [.. node.Outputs.Select(Add)];
            ops.Add(new(ops.Count, node, from, to, ModuleOf(node.Trace?.Scope, modules)));
        }
        Add(root);
        foreach (var (leaf, gradient) in gradients) tensors[leaf].Gradient = gradient;
        foreach (var op in Enumerable.Reverse(ops))
        {
            if (op.WayBack is not { } trace) continue;
            for (var i = 0; i < trace.Gradients.Count; i++) op.Outputs[i].Gradient = trace.Gradients[i];
            for (var i = 0; i < trace.Contributions.Count; i++)
                if (trace.Contributions[i] is { } value) op.Inputs[i].Contributions.Add(new(op, i, value));
        }
        return new([.. tensors.Values], ops, [.. modules.Values], missing);
    }

    private static ModuleItem? ModuleOf(TraceScope? scope, Dictionary<TraceScope, ModuleItem> known)
    {
        if (scope is null) return null;
        if (known.TryGetValue(scope, out var module)) return module;
        var parent = ModuleOf(scope.Outer, known);
        var name = (scope.Outer?.Part as Module)?.PathOf((Module)scope.Part) ?? scope.Part.GetType().Name;
        return known[scope] = new(known.Count, name, scope.Part.ToString() ?? name, parent);
    }
}
