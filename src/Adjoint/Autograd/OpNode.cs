using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Adjoint.Memory;

namespace Adjoint;

/// <summary>
/// One application of an op: a node of the computation graph between its input tensors and its output tensor. Walk it:
/// <c>c.Source.Inputs[0].Source.Op.Name</c>.
/// </summary>
public sealed class OpNode
{
    private const int Inline = 3;
    private readonly byte count;
    private Few<Tensor> inputs;
    private Few<int> versions;
    private More? more;

    private OpNode(Op op, ReadOnlySpan<Tensor> inputs, Tensor output, Tensor[] saved)
    {
        Op = op;
        Output = output;
        OutputVersion = output.Version;
        if (saved.Length > 0) Own.Saved = saved;
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

    /// <summary>What was applied.</summary>
    public Op Op { get; }

    /// <summary>To what.</summary>
    public OpInputs Inputs => new(this);

    /// <summary>With which result.</summary>
    public Tensor Output { get; }

    /// <summary>What the op kept for backward besides inputs and output.</summary>
    public IReadOnlyList<Tensor> Saved => more?.Saved ?? [];

    /// <summary>Whether <c>Backward()</c> has used this node up.</summary>
    public bool IsConsumed { get; internal set; }

    /// <summary>The line that called the library: noted in anomaly mode and while <see cref="Tracing"/>, else null.</summary>
    public string? CalledAt
    {
        get => more?.CalledAt;
        internal set => Own.CalledAt = value;
    }

    /// <summary>What was noted while <see cref="Tracing"/>, else null.</summary>
    public OpTrace? Trace
    {
        get => more?.Trace;
        internal set => Own.Trace = value;
    }

    /// <summary>Whether the running backward pass is the last to use this node: what it saved may then be handed on instead of copied.</summary>
    internal bool IsLastUse { get; set; }

    internal int OutputVersion { get; }
    internal Tensor? PendingGradient { get; set; }
    internal bool PendingIsOwned { get; set; }

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

    internal ReadOnlySpan<Tensor> InputSpan
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => more?.Inputs is { } many ? many : MemoryMarshal.CreateReadOnlySpan(ref inputs[0], count);
    }

    internal ReadOnlySpan<Tensor> SavedSpan => more?.Saved;

    private More Own => more ??= new();

    /// <summary>Whether input <paramref name="index"/> wants a gradient; rules skip the work for those that do not.</summary>
    public bool Needs(int index) =>
        InputSpan[index].RequiresGrad
        && (more is not { Skipped: > 0 and var skipped } || index >= 64 || (skipped >> index & 1) == 0);

    /// <inheritdoc/>
    public override string ToString()
    {
        var inputs = Inputs.Select(input => input.Name ?? input.Shape.ToString());
        return $"{Op.Name}({string.Join(", ", inputs)}) → {Output.Shape}";
    }

    internal static void Attach(Op op, ReadOnlySpan<Tensor> inputs, Tensor output, Tensor[] saved)
    {
        output.Source = new OpNode(op, inputs, output, saved);
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
        var saves = Op.Saves;
        if ((saves & Saves.Inputs) != 0)
        {
            var all = InputSpan;
            ReadOnlySpan<int> then = more?.Versions is { } many ? many : versions;
            for (var i = 0; i < all.Length; i++)
                if (all[i].Version != then[i]) throw Changed($"input {i} {all[i].Shape}", then[i], all[i].Version);
        }
        if ((saves & Saves.Output) != 0 && Output.Version != OutputVersion)
            throw Changed($"output {Output.Shape}", OutputVersion, Output.Version);
    }

    private AdjointException Changed(string which, int then, int now) => new(
        $"{Op.Name}: its {which} was changed in place after the forward pass (version {then} then, {now} now), and backward needs the old value; change a .Clone(), or change it after Backward()");

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
        internal Tensor[]? Saved { get; set; }
        internal string? CalledAt { get; set; }
        internal OpTrace? Trace { get; set; }
        internal ulong Skipped { get; set; }
    }
}
