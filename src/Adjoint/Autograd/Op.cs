namespace Adjoint;

/// <summary>The shape and element type of a result.</summary>
/// <param name="Shape">Its sizes.</param>
/// <param name="DType">Its element type.</param>
public readonly record struct TensorSpec(Shape Shape, DType DType);

/// <summary>
/// What backward reads of a node. In a captured step the memory of what it does not read goes to others as soon as
/// forward is done with it; elsewhere somebody may hold the tensor, and it stays readable until the next
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
/// A differentiable function of tensors, attributes as fields. To write one: derive, give the formula and the derivation
/// of its backward as text, the shape rule, <see cref="Forward"/> and <see cref="Backward"/>; then call
/// <see cref="Apply(Op, ReadOnlySpan{Tensor})"/>. See <c>samples/own-op.cs</c>. With several results:
/// <see cref="MultiOp"/>.
/// </summary>
public abstract class Op
{
    /// <summary>The name in the graph and in messages.</summary>
    public abstract string Name { get; }

    /// <summary>What it computes: <c>y = a / b</c>.</summary>
    public abstract string Formula { get; }

    /// <summary>How the gradients follow: <c>∂L/∂a = g / b; …</c> with g = ∂L/∂y.</summary>
    public abstract string Derivation { get; }

    /// <summary>What <see cref="Backward"/> reads.</summary>
    public abstract Saves Saves { get; }

    /// <summary>
    /// What it computes with besides its inputs, for those who write graphs to files or show them. To be given by ops
    /// that have such.
    /// </summary>
    public virtual IReadOnlyList<OpAttribute> Attributes => [];

    /// <summary>
    /// Casts inputs that differ in type, or are no floating ones, to those that the op computes on; null where they are
    /// taken as they are. The casts are ops of the graph, so that each input gets a gradient of its own type. Asked
    /// before <see cref="Infer"/>, and only where the inputs are not floating tensors of one type.
    /// </summary>
    protected virtual Tensor[]? Promote(ReadOnlySpan<Tensor> inputs) => null;

    /// <summary>The shape rule: checks the inputs and says what the result will be. Computes nothing.</summary>
    /// <exception cref="AdjointException">The inputs break a rule.</exception>
    public abstract TensorSpec Infer(ReadOnlySpan<Tensor> inputs);

    /// <summary>Computes into <paramref name="output"/>, which is contiguous and uninitialised.</summary>
    public abstract void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, Tensor output);

    /// <summary>
    /// The gradients of the inputs, given that of the output: one per input, null where none is needed
    /// (<see cref="OpNode.Needs"/>) or none exists. Written in ops, so that it can be differentiated again.
    /// </summary>
    public abstract Tensor?[] Backward(OpNode node, Tensor gradient);

    /// <summary>The same gradients in fewer passes over memory, not differentiable; null means that <see cref="Backward"/> is to be used.</summary>
    public virtual Tensor?[]? FusedBackward(OpNode node, Tensor gradient) => null;

    /// <summary>
    /// Applies an op: computes the value, of several the first, and notes the node, where an input requires a gradient
    /// or everything is recorded.
    /// </summary>
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
    /// Applies an op with however many results: computes them and notes the node, where an input requires a gradient or
    /// everything is recorded.
    /// </summary>
    public static Tensor[] ApplyAll(Op op, params ReadOnlySpan<Tensor> inputs)
    {
        if (op is not MultiOp many) return [Apply(op, inputs)];
        var execution = Execution.Current;
        var specs = many.InferAll(inputs);
        if (specs.Length == 0)
            throw new AdjointException(
                $"{op.Name}: InferAll must say what at least one result will be: found none; return a TensorSpec for "
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
