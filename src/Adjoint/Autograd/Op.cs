namespace Adjoint;

/// <summary>The shape and element type of a result.</summary>
/// <param name="Shape">The sizes of the axes.</param>
/// <param name="DType">The type of the elements.</param>
public readonly record struct TensorSpec(Shape Shape, DType DType);

/// <summary>
/// What backward reads of a node. In a captured function the memory of what it does not read is reused as soon as
/// forward is done with it; in eager execution somebody may hold the tensor, and it stays readable until the next
/// <c>Backward()</c>.
/// </summary>
[Flags]
public enum Saves
{
    /// <summary>Only the incoming gradient, and shapes.</summary>
    Nothing = 0,

    /// <summary>The values of the inputs.</summary>
    Inputs = 1,

    /// <summary>The values of the outputs.</summary>
    Output = 2,
}

/// <summary>
/// A differentiable function of tensors, with its attributes as fields. To write one: derive, give the formula and the
/// derivation of its backward as text, the shape rule, <see cref="Forward"/> and <see cref="Backward"/>; then call
/// <see cref="Apply(Op, ReadOnlySpan{Tensor})"/>. See <c>samples/own-op.cs</c>. For several results:
/// <see cref="MultiOp"/>.
/// </summary>
public abstract class Op
{
    /// <summary>The op's name in the graph and in messages.</summary>
    public abstract string Name { get; }

    /// <summary>What the op computes, as text: <c>y = a / b</c>.</summary>
    public abstract string Formula { get; }

    /// <summary>How the gradients follow, as text: <c>∂L/∂a = g / b; …</c> with g = ∂L/∂y.</summary>
    public abstract string Derivation { get; }

    /// <summary>What <see cref="Backward"/> reads of the node.</summary>
    public abstract Saves Saves { get; }

    /// <summary>
    /// What the op computes with besides its inputs, for exporters and displays. Override it in an op that has
    /// attributes.
    /// </summary>
    public virtual IReadOnlyList<OpAttribute> Attributes => [];

    /// <summary>
    /// Casts inputs of different types, or of types that the op does not compute on. The casts are ops of the graph, so
    /// that each input gets a gradient of its own type. Asked before <see cref="Infer"/>, and only where the inputs are
    /// not all floating tensors of one type.
    /// </summary>
    /// <param name="inputs">The tensors that the op is applied to.</param>
    /// <returns>The inputs to compute on; null where they are taken as they are.</returns>
    protected virtual Tensor[]? Promote(ReadOnlySpan<Tensor> inputs) => null;

    /// <summary>The shape rule: checks the inputs and says what the result will be. Computes nothing.</summary>
    /// <param name="inputs">The tensors that the op is applied to, after promotion.</param>
    /// <returns>The result's shape and element type.</returns>
    /// <exception cref="AdjointException">The inputs break a rule.</exception>
    public abstract TensorSpec Infer(ReadOnlySpan<Tensor> inputs);

    /// <summary>Computes the value into <paramref name="output"/>.</summary>
    /// <param name="context">Memory for intermediate results, and for what backward needs.</param>
    /// <param name="inputs">The tensors that the op is applied to, after promotion.</param>
    /// <param name="output">The result, contiguous and uninitialized.</param>
    public abstract void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, Tensor output);

    /// <summary>
    /// The gradients of the inputs, given that of the output. Written in ops, so that it can be differentiated again.
    /// </summary>
    /// <param name="node">The node: inputs, output, and what forward saved.</param>
    /// <param name="gradient">The gradient g = ∂L/∂y, of the output's shape.</param>
    /// <returns>
    /// One gradient per input, null where none is needed (<see cref="OpNode.Needs"/>) or none exists.
    /// </returns>
    public abstract Tensor?[] Backward(OpNode node, Tensor gradient);

    /// <summary>The same gradients in fewer passes over memory, not differentiable.</summary>
    /// <param name="node">The node: inputs, output, and what forward saved.</param>
    /// <param name="gradient">The gradient g = ∂L/∂y, of the output's shape.</param>
    /// <returns>One gradient per input; null where <see cref="Backward"/> is to be used.</returns>
    public virtual Tensor?[]? FusedBackward(OpNode node, Tensor gradient) => null;

    /// <summary>
    /// Applies an op: computes its value, and records a node where an input requires a gradient or everything is
    /// recorded.
    /// </summary>
    /// <param name="op">The op, with its attributes.</param>
    /// <param name="inputs">The tensors to apply it to, on one device.</param>
    /// <returns>The result; of several, the first.</returns>
    /// <exception cref="AdjointException">
    /// The inputs break the op's rule, lie on different devices, or were recycled.
    /// </exception>
    public static Tensor Apply(Op op, params ReadOnlySpan<Tensor> inputs)
    {
        if (op is MultiOp) return ApplyAll(op, inputs)[0];
        if (!AreFloatingOfOneType(inputs) && op.Promote(inputs) is { } promoted) inputs = promoted;
        var execution = Execution.Current;
        if (!Device.AreSeveral) return Apply(op, inputs, execution);
        var device = execution.Enter(op.Place(inputs));
        try
        {
            return Apply(op, inputs, execution);
        }
        finally
        {
            execution.Device = device;
        }
    }

    /// <summary>Where the result will lie, and what is made on the way to it.</summary>
    internal virtual Device Place(ReadOnlySpan<Tensor> inputs) => inputs.IsEmpty ? Device.Cpu : inputs[0].Device;

    private static Tensor Apply(Op op, ReadOnlySpan<Tensor> inputs, Execution execution)
    {
        var output = op is ViewOp view ? view.View(inputs) : Create(op.Infer(inputs), execution);
        Compute(op, inputs, new(in output), execution);
        return output;
    }

    private static Tensor Create(in TensorSpec spec, Execution execution) =>
        Tensor.Empty(spec.Shape, spec.DType, execution);

    /// <summary>
    /// Applies an op with any number of results: computes them, and records a node where an input requires a gradient
    /// or everything is recorded.
    /// </summary>
    /// <param name="op">The op, with its attributes.</param>
    /// <param name="inputs">The tensors to apply it to, on one device.</param>
    /// <returns>All results, in the op's order.</returns>
    /// <exception cref="AdjointException">
    /// The inputs break the op's rule, lie on different devices, or were recycled.
    /// </exception>
    public static Tensor[] ApplyAll(Op op, params ReadOnlySpan<Tensor> inputs)
    {
        if (op is not MultiOp many) return [Apply(op, inputs)];
        var execution = Execution.Current;
        var specs = many.InferAll(inputs);
        if (specs.Length == 0)
            throw new AdjointException(
                $"{op.Name}: InferAll must describe at least one result: found none; return a TensorSpec for "
                + "each");
        var device = execution.Enter(op.Place(inputs));
        try
        {
            var outputs = MultiOp.Create(specs);
            Compute(op, inputs, outputs, execution);
            return outputs;
        }
        finally
        {
            execution.Device = device;
        }
    }

    private static void Compute(
        Op op, ReadOnlySpan<Tensor> inputs, ReadOnlySpan<Tensor> outputs, Execution execution)
    {
        var isOff = execution.NoGrad.IsOn;
        var recording = !isOff && AnyIsFloating(outputs) && AnyRequiresGrad(inputs);
        var context = execution.RentContext(recording);
        var isCause = false;
        if (execution.Observer is null) RunForward(op, context, inputs, outputs);
        else isCause = ForwardObserved(op, context, inputs, outputs, execution);
        var isWhole = !isOff && execution.RecordGraph.IsOn;
        var node = recording || isWhole
            ? OpNode.Attach(op, inputs, outputs, context.Saved, recording, isWhole)
            : null;
        if (execution.Checkpoint is { } region && node is not null) node.Checkpoint = region;
        if (isCause)
            execution.Trace?.NoteForward(op.Name, node);
        execution.ReturnContext(context);
        if (execution.AnomalyMode.IsOn)
            AnomalyMode.Check(op, node, inputs, outputs);
        // The kernels held bare pointers: nothing may be recycled by a finalizer before they were done.
        foreach (var input in inputs) GC.KeepAlive(input);
        foreach (var output in outputs) GC.KeepAlive(output);
    }

    private static bool AreFloatingOfOneType(ReadOnlySpan<Tensor> inputs)
    {
        if (inputs.IsEmpty) return true;
        var type = inputs[0].DType;
        for (var i = 1; i < inputs.Length; i++)
            if (inputs[i].DType != type) return false;
        return type.IsFloating();
    }

    private static bool AnyIsFloating(ReadOnlySpan<Tensor> outputs)
    {
        foreach (var output in outputs)
            if (output.DType.IsFloating()) return true;
        return false;
    }

    private static void RunForward(
        Op op, OpContext context, ReadOnlySpan<Tensor> inputs, ReadOnlySpan<Tensor> outputs)
    {
        if (outputs.Length == 1) op.Forward(context, inputs, outputs[0]);
        else ((MultiOp)op).Forward(context, inputs, outputs);
    }

    // Says whether it is the outermost op that the observer sees.
    private static bool ForwardObserved(
        Op op, OpContext context, ReadOnlySpan<Tensor> inputs, ReadOnlySpan<Tensor> outputs, Execution execution)
    {
        if (execution.Journal is { } journal)
            foreach (var input in inputs) journal.NoteUse(input);
        var isCause = execution.BeginCause(op.Name);
        try
        {
            RunForward(op, context, inputs, outputs);
        }
        finally
        {
            execution.EndCause(isCause);
        }
        return isCause;
    }

    private static bool AnyRequiresGrad(ReadOnlySpan<Tensor> inputs)
    {
        foreach (var input in inputs)
            if (input.RequiresGrad) return true;
        return false;
    }

    /// <inheritdoc/>
    public override string ToString() => Name;
}
