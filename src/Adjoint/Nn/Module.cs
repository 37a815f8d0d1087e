using Adjoint.Memory;
using ForwardHook = System.Func<
    Adjoint.Nn.Module, System.Collections.Generic.IReadOnlyList<Adjoint.Tensor?>,
    System.Collections.Generic.IReadOnlyList<Adjoint.Tensor>,
    System.Collections.Generic.IReadOnlyList<Adjoint.Tensor>?>;

namespace Adjoint.Nn;

/// <summary>
/// A part of a network: parameters, child modules, and a computation from any number of tensors to any number of them.
/// A module with a single tensor in and out is a <see cref="Layer"/>. Others have a <c>Forward</c> of their own, which
/// computes within <see cref="Call(ReadOnlySpan{Tensor}, Func{Tensor})"/>:
/// <code>
/// sealed class Cell : Module
/// {
///     private readonly Linear input, memory;
///
///     public Cell(int inputs, int width)
///     {
///         input = AddChild("input", new Linear(inputs, width));
///         memory = AddChild("memory", new Linear(width, width, bias: false));
///     }
///
///     public (Tensor Y, Tensor State) Forward(Tensor x, Tensor state) => Call([x, state], () =>
///     {
///         var next = (input.Forward(x) + memory.Forward(state)).Tanh();
///         return (next.Relu(), next);
///     });
/// }
/// </code>
/// </summary>
public abstract partial class Module
{
    private const int BytesPerName = 1024;
    private readonly List<(string Name, Tensor Value)> parameters = [];
    private readonly List<(string Name, Tensor Value)> buffers = [];
    private readonly List<(string Name, Tensor Value)> unsavedBuffers = [];
    private readonly List<(string Name, Generator Value)> generators = [];
    private readonly List<(string Name, Module Value)> children = [];
    private readonly List<ForwardHook> forwardHooks = [];
    private readonly List<Func<Module, int, Tensor, Tensor?>> backwardHooks = [];

    /// <summary>
    /// Whether the module is in training mode, as a new one is, rather than in evaluation mode; see
    /// <see cref="ModuleModes"/>.
    /// </summary>
    public bool IsTraining { get; private set; } = true;

    /// <summary>
    /// The type of the module's first floating-point parameter, which inputs are to have: <c>x.To(model.DType)</c>.
    /// Without parameters, that of the buffers; without these, float32.
    /// </summary>
    public DType DType => NamedParameters().Concat(NamedBuffers())
        .Select(entry => entry.Value.DType).Where(type => type.IsFloating()).FirstOrDefault(DType.Float32);

    /// <summary>The child modules, by name, in order.</summary>
    public IReadOnlyList<(string Name, Module Value)> Children => children;

    /// <summary>
    /// Calls a function with module, inputs and outputs after each call; a list that is not null replaces the outputs.
    /// A <see cref="Layer"/> has a simpler one.
    /// </summary>
    /// <param name="hook">Takes module, inputs and outputs, and returns replacements or null.</param>
    /// <returns>Dispose of it to remove the hook.</returns>
    public IDisposable RegisterForwardHook(ForwardHook hook) => Register(forwardHooks, hook);

    /// <summary>
    /// Calls a function with module, index of the output (from 0) and ∂loss/∂output when that gradient arrives; a
    /// result that is not null replaces it. A tensor that is several outputs at once counts as the first of them.
    /// </summary>
    /// <param name="hook">Takes module, index and gradient, and returns a replacement or null.</param>
    /// <returns>Dispose of it to remove the hook from later calls.</returns>
    public IDisposable RegisterBackwardHook(Func<Module, int, Tensor, Tensor?> hook) => Register(backwardHooks, hook);

    /// <summary>The path of a module within this one, such as <c>features.3.conv</c>.</summary>
    /// <param name="part">The module to look for.</param>
    /// <returns>
    /// Its own name if it is a child, else the first path through another child; null if it is not in this module.
    /// </returns>
    public string? PathOf(Module part)
    {
        foreach (var (name, child) in children)
            if (child == part) return name;
        foreach (var (name, child) in children)
            if (child.PathOf(part) is { } path) return $"{name}.{path}";
        return null;
    }

    /// <summary>
    /// All parameters, by path: <c>layers.0.weight</c>. A parameter shared by several places comes once, by its first
    /// path; <see cref="StateDict"/> has it by each.
    /// </summary>
    /// <returns>Paths and tensors, in the order of registration.</returns>
    public IEnumerable<(string Name, Tensor Value)> NamedParameters() => Once(Paths(module => module.parameters));

    /// <summary>All parameters; one that several places share comes once.</summary>
    /// <returns>The tensors themselves, in the order of registration.</returns>
    public IEnumerable<Tensor> Parameters() => NamedParameters().Select(parameter => parameter.Value);

    /// <summary>
    /// All buffers, by path: tensors that belong to the module but are not learned, such as running means. One shared
    /// by several places comes once, by its first path.
    /// </summary>
    /// <returns>Paths and tensors, in the order of registration.</returns>
    public IEnumerable<(string Name, Tensor Value)> NamedBuffers() =>
        Once(Paths<Tensor>(module => [.. module.buffers, .. module.unsavedBuffers]));

    /// <summary>
    /// All random streams that the module draws from, by path. One shared by several places comes once, by its first
    /// path.
    /// </summary>
    /// <returns>Paths and generators, in the order of registration.</returns>
    public IEnumerable<(string Name, Generator Value)> NamedGenerators() => Once(Paths(module => module.generators));

    /// <summary>
    /// Switches this module and its children to evaluation mode until the result is disposed of; those that were
    /// training then train again. Does not turn off gradients, as <see cref="NoGrad"/> does.
    /// </summary>
    /// <returns>Dispose of it to restore the modes.</returns>
    public IDisposable EvalScope() => new ModeScope(this);

    /// <summary>
    /// A table of the module's children, those in lists and dictionaries one by one, and their numbers of parameters; a
    /// shared parameter is counted once, in the first module that has it. Output shapes need a call,
    /// <c>model.Summary(() => model.Forward(x, state))</c>, which runs in evaluation mode, without gradients. Modules
    /// that it does not call, or calls without <see cref="Call(ReadOnlySpan{Tensor}, Func{Tensor})"/>, are marked.
    /// </summary>
    /// <param name="call">Runs the module once; null: no output shapes.</param>
    /// <returns>The table, over several lines.</returns>
    /// <exception cref="AdjointException">The call threw an exception.</exception>
    public string Summary(Action? call = null) => ModuleSummary.Of(this, call);

    /// <inheritdoc/>
    public override string ToString() => TypeName;

    /// <summary>The type's name, without the number of its type arguments.</summary>
    internal string TypeName => GetType().Name.Split('`')[0];

    /// <summary>Whether it only holds others, and computes nothing.</summary>
    internal virtual bool IsContainer => false;

    /// <summary>
    /// Runs the computation of this module: an error then says in which module it arose, traces and captured functions
    /// know the module, and hooks see and may replace the result.
    /// </summary>
    /// <param name="inputs">The inputs that hooks see; an absent one is null.</param>
    /// <param name="body">Computes the result from the inputs.</param>
    /// <returns>The result, or what a hook replaced it by.</returns>
    /// <exception cref="AdjointException">
    /// The body threw it; the message begins with the path of the innermost module, such as <c>cell.input</c>.
    /// </exception>
    protected Tensor Call(ReadOnlySpan<Tensor?> inputs, Func<Tensor> body) =>
        Call(inputs, body, static y => [y], static all => all[0]);

    /// <inheritdoc cref="Call(ReadOnlySpan{Tensor}, Func{Tensor})"/>
    protected (Tensor, Tensor) Call(ReadOnlySpan<Tensor?> inputs, Func<(Tensor, Tensor)> body) =>
        Call(inputs, body, static y => [y.Item1, y.Item2], static all => (all[0], all[1]));

    /// <inheritdoc cref="Call(ReadOnlySpan{Tensor}, Func{Tensor})"/>
    protected (Tensor, Tensor, Tensor) Call(ReadOnlySpan<Tensor?> inputs, Func<(Tensor, Tensor, Tensor)> body) =>
        Call(inputs, body, static y => [y.Item1, y.Item2, y.Item3], static all => (all[0], all[1], all[2]));

    /// <inheritdoc cref="Call(ReadOnlySpan{Tensor}, Func{Tensor})"/>
    protected Tensor[] Call(ReadOnlySpan<Tensor?> inputs, Func<Tensor[]> body) =>
        Call(inputs, body, static y => [.. y], static all => all);

    /// <summary>As the other overloads, for a result of any type.</summary>
    /// <typeparam name="T">The type of the result.</typeparam>
    /// <param name="inputs">The inputs that hooks see; an absent one is null.</param>
    /// <param name="body">Computes the result from the inputs.</param>
    /// <param name="outputs">The tensors in a result, in a new array.</param>
    /// <param name="result">Builds a result from as many tensors; called where a hook may have replaced one.</param>
    /// <returns>The result, or what a hook replaced it by.</returns>
    /// <exception cref="AdjointException">
    /// The body threw it; the message begins with the path of the innermost module, such as <c>cell.input</c>.
    /// </exception>
    protected T Call<T>(
        ReadOnlySpan<Tensor?> inputs, Func<T> body, Func<T, Tensor[]> outputs, Func<Tensor[], T> result)
    {
        using var call = new ModuleCall(this);
        T value;
        try
        {
            value = body();
        }
        catch (AdjointException error)
        {
            call.Explain(error);
            throw;
        }
        var all = outputs(value);
        return call.End(inputs, all) ? result(all) : value;
    }

    /// <summary>Makes a tensor a parameter of this module.</summary>
    /// <param name="name">A name without dots, unique in this module.</param>
    /// <param name="value">The initial values, a floating-point leaf.</param>
    /// <returns>The tensor itself, which now requires a gradient.</returns>
    /// <exception cref="AdjointException">The name is taken, is empty, or has a dot.</exception>
    protected Tensor AddParameter(string name, Tensor value)
    {
        RequireNewTensor(name);
        value.Name = name;
        parameters.Add((name, value.RequireGrad()));
        return value;
    }

    /// <summary>
    /// Makes a tensor a buffer of this module: it is not learned, moves with the module, and is written in place
    /// (<c>CopyFrom</c>), so that it stays the same tensor.
    /// </summary>
    /// <param name="name">A name without dots, unique in this module.</param>
    /// <param name="value">The initial values of the buffer.</param>
    /// <param name="isSaved">
    /// Whether it is part of the state that is saved and averaged; false for what the constructor computes, such as a
    /// mask or a table of positions.
    /// </param>
    /// <returns>The tensor itself.</returns>
    /// <exception cref="AdjointException">The name is taken, is empty, or has a dot.</exception>
    protected Tensor AddBuffer(string name, Tensor value, bool isSaved = true)
    {
        RequireNewTensor(name);
        value.Name = name;
        (isSaved ? buffers : unsavedBuffers).Add((name, value.Keep()));
        return value;
    }

    /// <summary>Makes a random stream part of this module's state, so that a resumed run continues it.</summary>
    /// <param name="name">A name without dots, unique in this module.</param>
    /// <param name="generator">The random stream to keep.</param>
    /// <returns>The generator itself.</returns>
    /// <exception cref="AdjointException">The name is taken, is empty, or has a dot.</exception>
    protected Generator AddGenerator(string name, Generator generator)
    {
        RequireNew(name, generators);
        generators.Add((name, generator));
        return generator;
    }

    /// <summary>Makes a module a child of this one.</summary>
    /// <typeparam name="TModule">The type of the child.</typeparam>
    /// <param name="name">A name without dots, unique in this module.</param>
    /// <param name="child">The module to add.</param>
    /// <returns>The child itself.</returns>
    /// <exception cref="AdjointException">
    /// The name is taken, is empty, or has a dot; or this module is the child, or inside it.
    /// </exception>
    protected TModule AddChild<TModule>(string name, TModule child) where TModule : Module
    {
        ArgumentNullException.ThrowIfNull(child);
        RequireNew(name, children);
        if (child.Holds(this))
            throw new AdjointException(
                $"{TypeName}: '{name}' holds this module itself, and nothing that walks through the parts would "
                + "end; keep it in a field instead");
        children.Add((name, child));
        return child;
    }

    /// <summary>Switches this module and its parts between training and use.</summary>
    internal void SetTraining(bool on)
    {
        if (Execution.Current.Arena is { } recording) AssumeUnchanged(recording);
        IsTraining = on;
        foreach (var (_, child) in children) child.SetTraining(on);
    }

    /// <summary>Notes what a captured function takes for granted of this module: as it is when first met.</summary>
    internal void AssumeUnchanged(Arena recording)
    {
        if (!recording.IsNew(this)) return;
        var subject = $"whether {this} is training, its parts, or its hooks";
        recording.NoteSwitch(() => IsTraining, on => IsTraining = on, subject);
        var (parts, forward, backward) = (children.Count, forwardHooks.ToArray(), backwardHooks.ToArray());
        recording.Assume(
            () => children.Count == parts && AreStill(forwardHooks, forward) && AreStill(backwardHooks, backward),
            subject);

        static bool AreStill<T>(List<T> hooks, T[] before) =>
            hooks.Count == before.Length && (before.Length == 0 || hooks.SequenceEqual(before));
    }

    /// <summary>Lets an error that leaves this module name it.</summary>
    internal void Explain(AdjointException error) =>
        error.PassThrough(this, ToString()!, inner => PathOf((Module)inner));

    internal bool HasForwardHooks => forwardHooks.Count > 0;

    internal bool HasBackwardHooks => backwardHooks.Count > 0;

    /// <summary>Calls the hooks in the order in which they were registered; they may replace the outputs.</summary>
    internal void CallForwardHooks(ReadOnlySpan<Tensor?> inputs, Span<Tensor> outputs)
    {
        var seen = inputs.ToArray();
        foreach (var hook in forwardHooks.ToArray())
        {
            if (hook(this, seen, outputs.ToArray()) is not { } replaced) continue;
            if (replaced.Count != outputs.Length)
                throw new AdjointException(
                    $"{TypeName}: a forward hook must return as many outputs as it saw, or null: found "
                    + $"{replaced.Count} for {outputs.Length}");
            for (var i = 0; i < outputs.Length; i++) outputs[i] = replaced[i];
        }
    }

    /// <summary>Registers the backward hooks where gradients of the outputs will arrive.</summary>
    internal void CallBackwardHooksAt(ReadOnlySpan<Tensor> outputs)
    {
        for (var i = 0; i < outputs.Length; i++)
        {
            // One tensor has one gradient, however often it comes out.
            if (!outputs[i].RequiresGrad || outputs[..i].Contains(outputs[i])) continue;
            var output = i;
            foreach (var hook in backwardHooks) outputs[i].RegisterHook(gradient => hook(this, output, gradient));
        }
    }

    // A path names one thing.
    private void RequireNew<T>(string name, IEnumerable<(string Name, T Value)> present)
    {
        if (name.Length == 0 || name.Contains('.'))
            throw new AdjointException($"{TypeName}: a name in a module must be a word without dots: found '{name}'");
        // Few bytes each, but a file can ask for many.
        Execution.Current.Budget?.Take(BytesPerName);
        if (present.Any(entry => entry.Name == name))
            throw new AdjointException(
                $"{TypeName}: there is a '{name}' already; names within a module must be unique");
    }

    private void RequireNewTensor(string name) => RequireNew(name, parameters.Concat(buffers).Concat(unsavedBuffers));

    private bool Holds(Module part) => this == part || children.Any(child => child.Value.Holds(part));

    private IEnumerable<(string Name, T Value)> Paths<T>(Func<Module, List<(string Name, T Value)>> own)
    {
        foreach (var entry in own(this)) yield return entry;
        foreach (var (name, child) in children)
            foreach (var (path, value) in child.Paths(own))
                yield return ($"{name}.{path}", value);
    }

    private static IEnumerable<(string Name, T Value)> Once<T>(IEnumerable<(string Name, T Value)> all) =>
        all.DistinctBy(entry => entry.Value);

    private sealed class ModeScope : IDisposable
    {
        private readonly List<Module> training = [];

        internal ModeScope(Module module) => Switch(module);

        public void Dispose()
        {
            foreach (var module in training) module.IsTraining = true;
            training.Clear();
        }

        // Nothing is written to a module that is in use already: others may be computing with it.
        private void Switch(Module module)
        {
            if (module.IsTraining)
            {
                if (Execution.Current.Arena is { } recording) module.AssumeUnchanged(recording);
                module.IsTraining = false;
                training.Add(module);
            }
            foreach (var (_, child) in module.children) Switch(child);
        }
    }

    private static HookHandle<T> Register<T>(List<T> hooks, T hook)
    {
        ArgumentNullException.ThrowIfNull(hook);
        hooks.Add(hook);
        return new(hooks, hook);
    }

    private sealed class HookHandle<T>(List<T> hooks, T hook) : IDisposable
    {
        private bool isRemoved;

        // Once: the same delegate may have been registered again.
        public void Dispose()
        {
            if (!isRemoved) hooks.Remove(hook);
            isRemoved = true;
        }
    }
}
