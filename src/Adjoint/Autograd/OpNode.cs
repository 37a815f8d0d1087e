using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Adjoint.Memory;

namespace Adjoint;

/// <summary>
/// One application of an op: a node of the computation graph between its input tensors and its output tensors, usually
/// one. To walk the graph: <c>c.Source.Inputs[0].Source.Op.Name</c>.
/// </summary>
public sealed class OpNode
{
    private const int Inline = 3;
    private readonly byte count;
    private readonly Tensor output;
    private Tensor? pending;
    private bool isPendingOwned;
    private Few<Tensor> inputs;
    private Few<int> versions;
    private More? more;

    private OpNode(Op op, ReadOnlySpan<Tensor> inputs, ReadOnlySpan<Tensor> outputs, Tensor[] saved)
    {
        Op = op;
        output = outputs[0];
        OutputVersion = output.Version;
        if (outputs.Length > 1) Own.Outputs = new(outputs);
        if (saved.Length > 0) (Own.Saved, Own.SavedVersion) = (saved, VersionOf(saved));
        Span<int> found = versions;
        if (inputs.Length > Inline)
        {
            Own.Inputs = inputs.ToArray();
            found = Own.Versions = new int[inputs.Length];
        }
        else
        {
            count = (byte)inputs.Length;
            for (var i = 0; i < inputs.Length; i++) this.inputs[i] = inputs[i];
        }
        if ((op.Saves & Saves.Inputs) != 0)
            for (var i = 0; i < inputs.Length; i++) found[i] = inputs[i].Version;
    }

    /// <summary>The op that was applied.</summary>
    public Op Op { get; }

    /// <summary>The tensors that the op was applied to.</summary>
    public OpInputs Inputs => new(this);

    /// <summary>The result; of several, the first.</summary>
    public Tensor Output => output;

    /// <summary>All results, in the op's order.</summary>
    public IReadOnlyList<Tensor> Outputs => more?.Outputs is { } several ? several.All : [output];

    /// <summary>What the op kept for backward besides inputs and output.</summary>
    public IReadOnlyList<Tensor> Saved => more?.Saved ?? [];

    /// <summary>Whether <c>Backward()</c> has consumed this node.</summary>
    public bool IsConsumed { get; internal set; }

    /// <summary>
    /// The line that called the library: recorded in anomaly mode and while <see cref="Tracing"/>, else null.
    /// </summary>
    public string? CalledAt
    {
        get => more?.CalledAt;
        internal set => Own.CalledAt = value;
    }

    /// <summary>What was recorded while <see cref="Tracing"/>, else null.</summary>
    public OpTrace? Trace
    {
        get => more?.Trace;
        internal set => Own.Trace = value;
    }

    /// <summary>
    /// Whether the running backward pass is the last to use this node: what it saved may then be handed on instead of
    /// copied.
    /// </summary>
    internal bool IsLastUse { get; set; }

    internal int OutputVersion { get; }

    /// <summary>The sum of what has arrived on the way back, for each output.</summary>
    internal Span<Tensor?> Pending => more?.Outputs is { } several ? several.Pending : new Span<Tensor?>(ref pending);

    /// <summary>For each output, whether nobody else holds that sum, so that it may be added to in place.</summary>
    internal Span<bool> IsPendingOwned =>
        more?.Outputs is { } several ? several.IsPendingOwned : new Span<bool>(ref isPendingOwned);

    /// <summary>The pass that is on its way back through this node; guarded by the lock of all passes.</summary>
    internal BackwardPass? Pass { get; set; }

    /// <summary>A bit for each of the first 64 inputs whose gradient the running pass need not compute.</summary>
    internal ulong Skipped
    {
        get => more is { } known ? known.Skipped : 0;
        set
        {
            if (value != 0 || more is not null) Own.Skipped = value;
        }
    }

    /// <summary>The innermost checkpoint that it was made in.</summary>
    internal CheckpointRegion? Checkpoint
    {
        get => more?.Checkpoint;
        set => Own.Checkpoint = value;
    }

    internal ReadOnlySpan<Tensor> InputSpan
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => more?.Inputs is { } many ? many : MemoryMarshal.CreateReadOnlySpan(ref inputs[0], count);
    }

    internal ReadOnlySpan<Tensor> OutputSpan => more?.Outputs is { } several ? several.All
        : new ReadOnlySpan<Tensor>(in output);

    internal ReadOnlySpan<Tensor> SavedSpan => more?.Saved;

    private More Own => more ??= new();

    /// <summary>Whether an input needs a gradient; rules skip the work for those that do not.</summary>
    /// <param name="index">The position of the input, from 0 on.</param>
    /// <returns>True where a gradient must be computed.</returns>
    public bool Needs(int index) =>
        InputSpan[index].RequiresGrad
        && (more is not { Skipped: > 0 and var skipped } || index >= 64 || (skipped >> index & 1) == 0);

    /// <summary>
    /// Applies the op's rule at this node: <see cref="Op.Backward"/>, for ops with one result and with several.
    /// </summary>
    /// <param name="gradients">The gradients of the outputs, null where there is none.</param>
    /// <returns>The gradients of the inputs, null where there is none.</returns>
    public Tensor?[] ApplyRule(params ReadOnlySpan<Tensor?> gradients) =>
        gradients.Length != OutputSpan.Length ? throw new AdjointException(
            $"{Op.Name}: its rule takes one gradient for each of its {OutputSpan.Length} outputs, null where there is "
            + $"none: found {gradients.Length}")
        : Op is MultiOp many ? many.Backward(this, gradients)
        : gradients[0] is { } gradient ? Op.Backward(this, gradient)
        : new Tensor?[InputSpan.Length];

    /// <inheritdoc/>
    public override string ToString()
    {
        var inputs = Inputs.Select(input => input.Name ?? input.Shape.ToString());
        return $"{Op.Name}({string.Join(", ", inputs)}) → {string.Join(", ", Outputs.Select(output => output.Shape))}";
    }

    /// <summary>Which of the outputs a tensor is.</summary>
    internal int IndexOf(Tensor one) => more?.Outputs is { } several ? Array.IndexOf(several.All, one) : 0;

    internal static OpNode Attach(
        Op op, ReadOnlySpan<Tensor> inputs, ReadOnlySpan<Tensor> outputs, Tensor[] saved, bool hasGradient,
            bool isWhole)
    {
        var node = new OpNode(op, inputs, outputs, saved);
        foreach (var output in outputs)
        {
            var requiresGrad = hasGradient && output.DType.IsFloating();
            // Whoever keeps indices does not want to keep the graph with them, unless asked for.
            if (requiresGrad || isWhole) output.Source = node;
            if (!requiresGrad) continue;
            output.RequiresGrad = true;
            // A view owns no memory; what it looks at is recycled by whoever made it.
            if (op is not ViewOp) output.Storage.Lifetime = Lifetime.Forward;
        }
        if (!hasGradient) return node;
        foreach (var tensor in saved)
            if (tensor.Source is null && !tensor.Storage.IsKept && !IsAmong(inputs, tensor))
                tensor.Storage.Lifetime = Lifetime.Forward;
        return node;
    }

    // An op may save what it was given: that is the caller's, and stays.
    private static bool IsAmong(ReadOnlySpan<Tensor> inputs, Tensor saved)
    {
        foreach (var input in inputs)
            if (input.Storage == saved.Storage) return true;
        return false;
    }

    /// <exception cref="AdjointException">A tensor that backward reads was changed in place since.</exception>
    internal void CheckVersions()
    {
        var saves = Op.Saves;
        if ((saves & Saves.Inputs) != 0)
        {
            var all = InputSpan;
            ReadOnlySpan<int> then = more?.Versions is { } many ? many : versions;
            for (var i = 0; i < all.Length; i++)
                if (all[i].Version != then[i]) throw Changed($"input {i} {all[i].Shape}", then[i], all[i].Version);
        }
        if (more is { Saved: { } kept, SavedVersion: var before } && VersionOf(kept) is var now && now != before)
            throw Changed("saved tensor", before, now);
        if ((saves & Saves.Output) == 0) return;
        if (output.Version != OutputVersion) throw Changed($"output {output.Shape}", OutputVersion, output.Version);
        if (more?.Outputs is not { } several) return;
        for (var i = 1; i < several.All.Length; i++)
            if (several.All[i].Version != several.Versions[i])
                throw Changed($"output {i} {several.All[i].Shape}", several.Versions[i], several.All[i].Version);
    }

    // Versions only grow: the sum is another where one is.
    private static int VersionOf(Tensor[] saved)
    {
        var sum = 0;
        foreach (var tensor in saved) sum += tensor.Version;
        return sum;
    }

    private AdjointException Changed(string which, int then, int now) => new(
        $"{Op.Name}: its {which} was changed in place after the forward pass (version {then} then, {now} now), and "
        + "backward needs the old value; change a .Clone(), or change it after Backward()");

    [InlineArray(Inline)]
    private struct Few<T>
    {
        private T first;
    }

    // What only some nodes have: more inputs than fit, saved tensors, notes for those who look.
    private sealed class More
    {
        internal Tensor[]? Inputs { get; set; }
        internal int[]? Versions { get; set; }
        internal OutputsOfMany? Outputs { get; set; }
        internal Tensor[]? Saved { get; set; }
        internal int SavedVersion { get; set; }
        internal string? CalledAt { get; set; }
        internal OpTrace? Trace { get; set; }
        internal ulong Skipped { get; set; }
        internal CheckpointRegion? Checkpoint { get; set; }
    }

    private sealed class OutputsOfMany
    {
        internal OutputsOfMany(ReadOnlySpan<Tensor> outputs)
        {
            All = outputs.ToArray();
            Versions = Array.ConvertAll(All, output => output.Version);
            (Pending, IsPendingOwned) = (new Tensor?[All.Length], new bool[All.Length]);
        }

        internal Tensor[] All { get; }
        internal int[] Versions { get; }
        internal Tensor?[] Pending { get; }
        internal bool[] IsPendingOwned { get; }
    }
}
