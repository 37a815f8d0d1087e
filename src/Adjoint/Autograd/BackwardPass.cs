using Adjoint.Memory;
using Adjoint.Primitives;

namespace Adjoint;

/// <summary>
/// Reverse-mode differentiation: walks the nodes under a tensor, users before what they use, without recursion, and
/// adds up gradients in that order. It follows from the graph alone: the same graph gives the same bits, whichever
/// threads built it and whichever goes back.
/// </summary>
internal sealed class BackwardPass
{
    // Guards OpNode.Pass: graphs may share nodes, and two passes over one node take turns.
    private static readonly object Claims = new();

    // A pass that went through more nodes is not kept for the next.
    private const int MaxKept = 4096;

    private readonly Execution execution;
    private readonly List<OpNode> nodes = [];
    private readonly List<Storage> made = [];
    private readonly Dictionary<Tensor, Tensor> hookedLeaves = [];
    private (OpNode Node, int Next)[] open = new (OpNode, int)[64];
    private int depth;
    private CheckpointUses? checkpoints;
    private ReadyLeaves? ready;
    private bool createGraph;
    private Dictionary<Tensor, Tensor?>? wanted;
    private IReadOnlySet<Tensor>? leaves;

    internal BackwardPass(Execution execution) => this.execution = execution;

    /// <summary>
    /// Runs one pass. With <paramref name="wanted"/>, gradients go there and <c>.Grad</c> stays untouched; with
    /// <paramref name="leaves"/>, only theirs is touched.
    /// </summary>
    internal static void Run(
        Tensor root, Tensor gradient, bool retainGraph, bool createGraph, Dictionary<Tensor, Tensor?>? wanted = null,
        IReadOnlySet<Tensor>? leaves = null)
    {
        var execution = Execution.Current;
        // A hook may begin another.
        var pass = execution.SparePass ?? new(execution);
        execution.SparePass = null;
        (pass.createGraph, pass.wanted, pass.leaves) = (createGraph, wanted, leaves);
        var (mode, device) = (execution.NoGrad.Override(!createGraph), execution.Device);
        try
        {
            pass.Run(root, gradient, isLast: !retainGraph && !createGraph);
        }
        finally
        {
            execution.NoGrad.Restore(mode);
            execution.Device = device;
            pass.End();
        }
    }

    private void Run(Tensor root, Tensor gradient, bool isLast)
    {
        Claim(root);
        if (leaves is not null) Prune(leaves);
        if (execution.Arena is { } recording) RefuseForeign(recording);
        if (wanted is null) ready = ReadyLeaves.Begin(execution, nodes, leaves);
        Deliver(root, gradient, siblings: []);
        if (root.IsLeaf) ready?.Pass(root, hookedLeaves);
        foreach (var node in nodes)
        {
            node.IsLastUse = isLast;
            if (node.Checkpoint is null) Step(node);
            else StepWithin(node);
            ready?.Pass(node, hookedLeaves);
        }
        foreach (var (leaf, total) in hookedLeaves)
        {
            StoreLeaf(leaf, CallHooks(leaf, total), canKeep: false);
            if (ready is not null) ReadyLeaves.Tell(leaf);
        }
        if (isLast) Consume();
    }

    // What the node reads was given back to the pool.
    private void StepWithin(OpNode node)
    {
        checkpoints ??= new(nodes);
        foreach (var sum in node.Pending)
            if (sum is not null) checkpoints.Open(node);
        Step(node);
        checkpoints.Pass(node, createGraph);
    }

    private void Claim(Tensor root)
    {
        lock (Claims)
            while (!TryClaim(root)) Monitor.Wait(Claims);
    }

    // Lets go of everything, so that the pass can be used again.
    private void End()
    {
        checkpoints?.Close();
        checkpoints = null;
        lock (Claims)
        {
            foreach (var node in nodes)
            {
                (node.Pass, node.Skipped) = (null, 0);
                node.Pending.Clear();
            }
            Monitor.PulseAll(Claims);
        }
        var isSmall = Math.Max(nodes.Capacity, open.Length) <= MaxKept;
        nodes.Clear();
        made.Clear();
        hookedLeaves.Clear();
        (wanted, leaves, ready) = (null, null, null);
        if (isSmall) execution.SparePass = this;
    }

    // Depth first, inputs in order, a node after all that it uses; the reverse of that is the way back. With a stack of
    // its own: a chain of 100,000 ops must not overflow the thread's. False where another pass is on its way through a
    // part of the graph.
    private bool TryClaim(Tensor root)
    {
        var isFree = false;
        try
        {
            isFree = root.Source is not { } source || TryVisit(source);
            while (isFree && depth > 0)
            {
                ref var top = ref open[depth - 1];
                var inputs = top.Node.InputSpan;
                while (top.Next < inputs.Length && !MustVisit(inputs[top.Next])) top.Next++;
                if (top.Next < inputs.Length)
                {
                    isFree = TryVisit(inputs[top.Next++].Source!);
                    continue;
                }
                nodes.Add(top.Node);
                top = default;
                depth--;
            }
            nodes.Reverse();
            return isFree;
        }
        finally
        {
            if (!isFree)
            {
                foreach (var (node, _) in open.AsSpan(0, depth)) node.Pass = null;
                foreach (var node in nodes) node.Pass = null;
                Array.Clear(open, 0, depth);
                depth = 0;
                nodes.Clear();
            }
        }
    }

    private bool MustVisit(Tensor input) => input is { RequiresGrad: true, Source: { } source } && source.Pass != this;

    private bool TryVisit(OpNode node)
    {
        if (node.Pass is { } other)
            return other.execution != execution ? false : throw new AdjointException(
                $"Backward: the graph through {node.Op.Name} is already in a backward pass, and a hook or a rule of an "
                + "op in it called Backward() on it again; compute that part anew, from tensors that were "
                + ".Detach()ed");
        if (node.IsConsumed)
            throw new AdjointException(
                $"Backward: the graph through {node.Op.Name} was already used by an earlier Backward(); compute the "
                + "loss again, or pass retainGraph: true the first time");
        node.Pass = this;
        if (depth == open.Length) Array.Resize(ref open, 2 * depth);
        open[depth++] = (node, 0);
        return true;
    }

    // From the leaves up: what leads to none of those asked for needs no gradient.
    private void Prune(IReadOnlySet<Tensor> leaves)
    {
        var leading = new HashSet<OpNode>();
        for (var i = nodes.Count - 1; i >= 0; i--)
            for (var k = 0; k < nodes[i].InputSpan.Length; k++)
            {
                var input = nodes[i].InputSpan[k];
                var leads = input.Source is { } source ? leading.Contains(source) : leaves.Contains(input);
                if (leads) leading.Add(nodes[i]);
                else if (k < 64) nodes[i].Skipped |= 1ul << k;
            }
    }

    // A replay does what this thread did while recording, and nothing else that gradients go through.
    private void RefuseForeign(Arena recording)
    {
        foreach (var node in nodes)
            foreach (var output in node.OutputSpan)
                if (node.Op is not ViewOp && output.Storage.Arena != recording)
                    Arena.Refuse(
                        $"{node.Op.Name} was applied before the function was called or on another thread, where it "
                        + "is not recorded");
    }

    private void Step(OpNode node)
    {
        var pending = node.Pending;
        var outputs = node.OutputSpan;
        if (Device.AreSeveral) execution.Enter(node.Output.Device);
        Tensor? one = null;
        var gradients = pending.Length == 1 ? new Span<Tensor?>(ref one) : new Tensor?[pending.Length];
        var hasArrived = false;
        for (var i = 0; i < pending.Length; i++)
        {
            if (pending[i] is not { } sum) continue;
            gradients[i] = Arrive(outputs[i], sum);
            hasArrived = true;
        }
        if (!hasArrived) return;
        node.CheckVersions();

        made.Clear();
        var listed = execution.Allocated;
        execution.Allocated = createGraph ? null : made;
        Tensor?[] results;
        var isCause = execution.Observer is not null && execution.BeginCause(node.Op.Name, isBackward: true);
        try
        {
            results = Rule(node, gradients);
            Check(node, results);
            foreach (var storage in made) storage.Lifetime = Lifetime.Backward;
            if (isCause) execution.Trace?.NoteGradients(node, gradients, results);
            var inputs = node.InputSpan;
            for (var i = 0; i < results.Length; i++)
                if (results[i] is { } result && node.Needs(i))
                    Deliver(inputs[i], result, results);
            if (isCause) execution.Trace?.NoteBackward(node);
        }
        finally
        {
            execution.Allocated = listed;
            execution.EndCause(isCause);
        }
        if (node.IsLastUse) ReleaseSaved(node);
        foreach (ref var done in pending)
        {
            var sum = done;
            done = null;
            if (sum is not null && !createGraph) Unuse(sum.Storage);
        }
        if (!createGraph)
            foreach (var storage in made) ReleaseIfUnused(storage);
    }

    private Tensor Arrive(Tensor output, Tensor sum)
    {
        var gradient = CallHooks(output, sum);
        if (output.RetainsGrad && wanted is null) AddToGrad(output, gradient, canKeep: false);
        if (wanted is not null && wanted.ContainsKey(output)) wanted[output] = Own(gradient, canKeep: false);
        return gradient;
    }

    private Tensor?[] Rule(OpNode node, ReadOnlySpan<Tensor?> gradients) =>
        gradients.Length > 1
        ? (createGraph ? null : ((MultiOp)node.Op).FusedBackward(node, gradients)) ?? node.ApplyRule(gradients)
        : (createGraph ? null : node.Op.FusedBackward(node, gradients[0]!)) ?? node.Op.Backward(node, gradients[0]!);

    private void Check(OpNode node, Tensor?[]? results)
    {
        var inputs = node.InputSpan;
        if (results is null)
            throw new AdjointException($"{node.Op.Name}: Backward returned null for its {inputs.Length} inputs; "
                + "return an array with one gradient per input, null where there is none");
        if (results.Length != inputs.Length)
            throw new AdjointException(
                $"{node.Op.Name}: Backward returned {results.Length} gradients for {inputs.Length} inputs; return one "
                + "per input, null where there is none");
        for (var i = 0; i < results.Length; i++)
        {
            if (results[i] is not { } result || !node.Needs(i)) continue;
            var input = inputs[i];
            if (input.IsConverted && (result.DType != input.DType || result.Device != input.Device))
                throw new AdjointException(
                    $"{node.Op.Name}: its input {i} {input.Shape} was converted or moved after the forward pass, and "
                    + $"is {input.DType.Label()} on {input.Device.Name} now; compute the loss anew");
            if (result.Shape != input.Shape || result.DType != input.DType)
                throw new AdjointException(
                    $"{node.Op.Name}: the gradient of input {i} must be {input.Shape} {input.DType.Label()}: found "
                    + $"{result.Shape} {result.DType.Label()}");
            if (execution.AnomalyMode.IsOn) AnomalyMode.CheckGradient(node, i, result);
        }
    }

    private void Deliver(Tensor to, Tensor gradient, Tensor?[] siblings)
    {
        if (to.Source is { } source)
        {
            Pend(source, source.IndexOf(to), gradient);
            return;
        }
        if (leaves?.Contains(to) == false) return;
        ready?.NoteArrived(to);
        if (to.Hooks is { Count: > 0 })
        {
            hookedLeaves[to] = hookedLeaves.TryGetValue(to, out var before) ? Add(before, gradient) : gradient;
            hookedLeaves[to].Storage.IsKept = true;
            return;
        }
        StoreLeaf(to, gradient, canKeep: gradient.Storage.PendingUses == 0 && IsAlone(gradient, siblings));
    }

    private static bool IsAlone(Tensor gradient, Tensor?[] siblings)
    {
        var uses = 0;
        foreach (var sibling in siblings)
            if (sibling?.Storage == gradient.Storage) uses++;
        return uses == 1;
    }

    private void Pend(OpNode node, int output, Tensor gradient)
    {
        ref var pending = ref node.Pending[output];
        ref var isOwned = ref node.IsPendingOwned[output];
        if (pending is not { } before)
        {
            (pending, isOwned) = (gradient, false);
            gradient.Storage.PendingUses++;
            return;
        }
        if (isOwned && !createGraph)
        {
            AddInPlace(before, gradient);
            return;
        }
        var sum = Add(before, gradient);
        sum.Storage.Lifetime = createGraph ? sum.Storage.Lifetime : Lifetime.Backward;
        sum.Storage.PendingUses++;
        (pending, isOwned) = (sum, true);
        if (!createGraph) Unuse(before.Storage);
    }

    private void StoreLeaf(Tensor leaf, Tensor gradient, bool canKeep)
    {
        if (wanted is not null)
        {
            if (wanted.TryGetValue(leaf, out var soFar))
            {
                wanted[leaf] = soFar is null ? Own(gradient, canKeep) : Add(soFar, gradient);
                wanted[leaf]!.Storage.IsKept = true;
            }
            return;
        }
        if (leaf.RequiresGrad) AddToGrad(leaf, gradient, canKeep);
    }

    private void AddToGrad(Tensor to, Tensor gradient, bool canKeep)
    {
        // Passes on other threads may arrive at the same leaf: none of their gradients is lost.
        lock (to)
        {
            if (!createGraph && to is { OwnsGrad: true, Grad: { } total })
            {
                AddInPlace(total, gradient);
                return;
            }
            var sum = to.Grad is { } before ? Add(before, gradient) : Own(gradient, canKeep);
            to.SetGrad(sum, isOwn: !sum.RequiresGrad);
        }
    }

    // What is handed out is nobody else's, so that changing it in place changes nothing else. With a graph it cannot be
    // changed.
    private Tensor Own(Tensor gradient, bool canKeep)
    {
        var isGraph = createGraph && gradient.RequiresGrad;
        var own = isGraph || canKeep && OwnsItsMemory(gradient) ? gradient : Copy(gradient);
        own.Storage.IsKept = true;
        return own;
    }

    // A gradient that was made just now, fills its storage and is nobody else's needs no copy.
    private static bool OwnsItsMemory(Tensor gradient) =>
        gradient.Storage is { Lifetime: Lifetime.Backward, IsKept: false } && gradient.IsContiguous
            && gradient.Length * gradient.DType.Size() == gradient.Storage.ByteLength;

    private Tensor Copy(Tensor gradient)
    {
        if (Device.AreSeveral) execution.Enter(gradient.Device);
        var copy = Tensor.Empty(gradient.Shape, gradient.DType);
        Backend.Run(new Copy(), gradient, copy);
        return copy;
    }

    private static Tensor Add(Tensor a, Tensor b) => Op.Apply(Accumulate.Instance, a, b);

    private static void AddInPlace(Tensor total, Tensor gradient)
    {
        Backend.Run(new Zip<Accumulate.Operator>(), total, gradient, total);
        total.BumpVersion();
    }

    private Tensor CallHooks(Tensor tensor, Tensor gradient)
    {
        if (tensor.Hooks is not { Count: > 0 } hooks) return gradient;
        gradient.Storage.IsKept = true;
        // What the user makes there lies where it would outside.
        var device = execution.Enter(Device.Cpu);
        foreach (var hook in hooks.ToArray())
            if (hook(gradient) is { } replacement)
            {
                if (replacement.Shape != tensor.Shape || replacement.DType != tensor.DType)
                    throw new AdjointException(
                        $"Hook: the replaced gradient must be {tensor.Shape} {tensor.DType.Label()}: found "
                        + $"{replacement.Shape} {replacement.DType.Label()}");
                replacement.Storage.IsKept = true;
                gradient = replacement;
            }
        execution.Device = device;
        return gradient;
    }

    // Nobody but the node holds what its op allocated and saved; a gradient may be a view of it.
    private static void ReleaseSaved(OpNode node)
    {
        foreach (var tensor in node.SavedSpan)
        {
            if (tensor.Storage is not { Lifetime: Lifetime.Node } storage) continue;
            // Where a later rule fails, the graph cannot be gone through again.
            node.IsConsumed = true;
            if (storage.PendingUses > 0) storage.Lifetime = Lifetime.Backward;
            else if (!storage.IsKept) storage.Release("its op saved it for Backward(), which has read it");
        }
    }

    private static void Unuse(Storage storage)
    {
        storage.PendingUses--;
        ReleaseIfUnused(storage);
    }

    private static void ReleaseIfUnused(Storage storage)
    {
        if (storage is { Lifetime: Lifetime.Backward, IsKept: false, PendingUses: 0 })
            storage.Release("it was an intermediate gradient of a finished Backward()");
    }

    private void Consume()
    {
        List<Storage>? generation = null;
        foreach (var node in nodes)
        {
            node.IsConsumed = true;
            foreach (var output in node.OutputSpan) Note(output.Storage, ref generation);
            foreach (var tensor in node.SavedSpan) Note(tensor.Storage, ref generation);
        }
        execution.LastGeneration.Replace(generation);
    }

    private static void Note(Storage storage, ref List<Storage>? generation)
    {
        if (storage is not { IsPooled: true, IsKept: false, Lifetime: Lifetime.Forward or Lifetime.Node }) return;
        if (generation is null) generation = [storage];
        else if (generation[^1] != storage) generation.Add(storage);
    }
}
