using Adjoint.Memory;

namespace Adjoint;

/// <summary>
/// One application of an op: a node of the computation graph between its input tensors and its output tensor. Walk it:
/// <c>c.Source.Inputs[0].Source.Op.Name</c>.
/// </summary>
public sealed class OpNode
{
    private readonly Tensor[] inputs;
    private readonly int[] versions;
    private readonly Tensor[] saved;

    private OpNode(Op op, Tensor[] inputs, Tensor output, Tensor[] saved)
    {
        Op = op;
        this.inputs = inputs;
        this.saved = saved;
        Output = output;
        OutputVersion = output.Version;
        versions = [];
        if (op.Saves.HasFlag(Saves.Inputs))
        {
            versions = new int[inputs.Length];
            for (var i = 0; i < inputs.Length; i++) versions[i] = inputs[i].Version;
        }
    }

    /// <summary>What was applied.</summary>
    public Op Op { get; }

    /// <summary>To what.</summary>
    public IReadOnlyList<Tensor> Inputs => inputs;

    /// <summary>With which result.</summary>
    public Tensor Output { get; }

    /// <summary>What the op kept for backward besides inputs and output.</summary>
    public IReadOnlyList<Tensor> Saved => saved;

    /// <summary>Whether <c>Backward()</c> has used this node up.</summary>
    public bool IsConsumed { get; internal set; }

    /// <summary>The line that called the library: noted in anomaly mode and while <see cref="Tracing"/>, else null.</summary>
    public string? CalledAt { get; internal set; }

    /// <summary>What was noted while <see cref="Tracing"/>, else null.</summary>
    public OpTrace? Trace { get; internal set; }

    /// <summary>Whether the running backward pass is the last to use this node: what it saved may then be handed on instead of copied.</summary>
    internal bool IsLastUse { get; set; }

    internal int OutputVersion { get; }
    internal Tensor? PendingGradient { get; set; }
    internal bool PendingIsOwned { get; set; }

    /// <summary>The pass that is on its way back through this node; guarded by the lock of all passes.</summary>
    internal BackwardPass? Pass { get; set; }

    /// <summary>A bit for each of the first 64 inputs whose gradient the running pass need not compute.</summary>
    internal ulong Skipped { get; set; }

    internal ReadOnlySpan<Tensor> InputSpan => inputs;
    internal ReadOnlySpan<Tensor> SavedSpan => saved;

    /// <summary>Whether input <paramref name="index"/> wants a gradient; rules skip the work for those that do not.</summary>
    public bool Needs(int index) =>
        inputs[index].RequiresGrad && (Skipped == 0 || index >= 64 || (Skipped >> index & 1) == 0);

    /// <inheritdoc/>
    public override string ToString() => $"{Op.Name}({string.Join(", ", inputs.Select(input => input.Name ?? input.Shape.ToString()))}) → {Output.Shape}";

    internal static void Attach(Op op, ReadOnlySpan<Tensor> inputs, Tensor output, Tensor[] saved)
    {
        output.Source = new OpNode(op, inputs.ToArray(), output, saved);
        output.RequiresGrad = true;
        // A view owns no memory; what it looks at is recycled by whoever made it.
        if (op is not ViewOp) output.Storage.Lifetime = Lifetime.Forward;
        foreach (var tensor in saved)
            if (tensor.Source is null && !tensor.Storage.IsKept && !IsAmong(inputs, tensor))
                tensor.Storage.Lifetime = Lifetime.Forward;
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
        for (var i = 0; i < versions.Length; i++)
            if (inputs[i].Version != versions[i])
                throw Changed($"input {i} {inputs[i].Shape}", versions[i], inputs[i].Version);
        if (Op.Saves.HasFlag(Saves.Output) && Output.Version != OutputVersion)
            throw Changed($"output {Output.Shape}", OutputVersion, Output.Version);
    }

    private AdjointException Changed(string which, int then, int now) => new(
        $"{Op.Name}: its {which} was changed in place after the forward pass (version {then} then, {now} now), and backward needs the old value; change a .Clone(), or change it after Backward()");
}
