using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Adjoint.Memory;

namespace Adjoint.Nn;

/// <summary>A part of a network: parameters, parts of its own, and what it computes.</summary>
public abstract class Module
{
    private readonly List<(string Name, Tensor Value)> parameters = [];
    private readonly List<(string Name, Tensor Value)> buffers = [];
    private readonly List<(string Name, Generator Value)> generators = [];
    private readonly List<(string Name, Module Value)> children = [];
    private readonly List<Func<Module, Tensor, Tensor, Tensor?>> forwardHooks = [];
    private readonly List<Func<Module, Tensor, Tensor?>> backwardHooks = [];

    /// <summary>Whether the module behaves as in training (dropout drops) or as in use.</summary>
    public bool IsTraining { get; private set; } = true;

    /// <summary>The parts, by name.</summary>
    public IReadOnlyList<(string Name, Module Value)> Children => children;

    /// <summary>What the module computes, with its hooks around it.</summary>
    /// <exception cref="AdjointException">An input does not fit a layer; the message begins with the layer's path, such as <c>features.3.conv</c>.</exception>
    public Tensor Forward(Tensor x)
    {
        using var part = TraceSession.Enter(this);
        var execution = Execution.Current;
        if (execution.Arena is { } recording) AssumeUnchanged(recording);
        var isOfLibrary = GetType().Assembly == typeof(Module).Assembly;
        using var intermediates = Intermediates.Begin(execution, isPrivate: isOfLibrary);
        Tensor y;
        try
        {
            y = ForwardCore(x);
        }
        catch (AdjointException error)
        {
            error.PassThrough(this, ToString()!, inner => children.Find(child => ReferenceEquals(child.Value, inner)).Name);
            throw;
        }
        intermediates.Release(needed: y);
        if (!isOfLibrary || forwardHooks.Count > 0) intermediates.Show(x, y);
        foreach (var hook in forwardHooks.ToArray()) y = hook(this, x, y) ?? y;
        if (y.RequiresGrad)
            foreach (var hook in backwardHooks) y.RegisterHook(gradient => hook(this, gradient));
        return y;
    }

    /// <summary>Calls <paramref name="hook"/> with module, input and output after each <see cref="Forward"/>; what it returns, unless null, replaces the output.</summary>
    /// <returns>Dispose it to remove the hook.</returns>
    public IDisposable RegisterForwardHook(Func<Module, Tensor, Tensor, Tensor?> hook) => Register(forwardHooks, hook);

    /// <summary>Calls <paramref name="hook"/> with module and ∂loss/∂output when it arrives; what it returns, unless null, replaces it.</summary>
    /// <returns>Dispose it to remove the hook from later calls of <see cref="Forward"/>.</returns>
    public IDisposable RegisterBackwardHook(Func<Module, Tensor, Tensor?> hook) => Register(backwardHooks, hook);

    /// <summary>
    /// All parameters, by path: <c>layers.0.weight</c>. One that several places share is one parameter and comes once,
    /// by its first path; <see cref="StateDict"/> has it by each.
    /// </summary>
    public IEnumerable<(string Name, Tensor Value)> NamedParameters() => Once(Paths(module => module.parameters));

    /// <summary>All parameters; one that several places share comes once.</summary>
    public IEnumerable<Tensor> Parameters() => NamedParameters().Select(parameter => parameter.Value);

    /// <summary>
    /// All buffers, by path: what belongs to the state but is not learned, such as running means. One that several
    /// places share comes once, by its first path.
    /// </summary>
    public IEnumerable<(string Name, Tensor Value)> NamedBuffers() => Once(Paths(module => module.buffers));

    /// <summary>
    /// All streams of random numbers that <see cref="Forward"/> draws from, by path. One that several places share
    /// comes once, by its first path.
    /// </summary>
    public IEnumerable<(string Name, Generator Value)> NamedGenerators() => Once(Paths(module => module.generators));

    /// <summary>Switches this module and its parts to training; returns the module.</summary>
    public Module Train(bool on = true)
    {
        IsTraining = on;
        foreach (var (_, child) in children) child.Train(on);
        return this;
    }

    /// <summary>Switches this module and its parts to use; returns the module.</summary>
    public Module Eval() => Train(false);

    /// <summary>
    /// Switches this module and its parts to use; those that were training train again when what it returns is
    /// disposed.
    /// </summary>
    public IDisposable InUse() => new UseScope(this);

    /// <summary>
    /// All parameters and buffers by path: the tensors themselves, not copies. One that several places share is there
    /// by each of its paths.
    /// </summary>
    public IReadOnlyDictionary<string, Tensor> StateDict() =>
        NamedState().ToDictionary(entry => entry.Name, entry => entry.Value.Detach());

    /// <summary>
    /// Copies values into the parameters and buffers; all or nothing. For one that several places share, one of its
    /// paths is enough.
    /// </summary>
    /// <exception cref="AdjointException">
    /// A name is missing or unknown, a shape or type differs, or the paths of one parameter have different values.
    /// </exception>
    public void LoadStateDict(IReadOnlyDictionary<string, Tensor> state)
    {
        var own = NamedState().GroupBy(entry => entry.Value, entry => entry.Name).ToArray();
        var missing = own.Where(paths => !paths.Any(state.ContainsKey)).SelectMany(paths => paths).ToArray();
        var unknown = state.Keys.Except(own.SelectMany(paths => paths)).ToArray();
        if (missing.Length + unknown.Length > 0)
            throw new AdjointException($"LoadStateDict: the state does not fit the model: missing {List(missing)}, unknown {List(unknown)}; build the model with the settings it was saved with");
        var found = own.Select(paths => (Value: paths.Key, Names: paths.Where(state.ContainsKey).ToArray())).ToArray();
        foreach (var (value, names) in found)
            foreach (var name in names)
                if (state[name].Shape != value.Shape || state[name].DType != value.DType)
                    throw new AdjointException(
                        $"LoadStateDict: {name} must be {value.Shape} {value.DType.Label()}: found {state[name].Shape} "
                        + $"{state[name].DType.Label()}; build the model with the settings it was saved with");
                else RequireSame("LoadStateDict", state, names[0], name);
        using var _ = new NoGrad();
        foreach (var (value, names) in found) value.CopyFrom(state[names[0]]);
    }

    /// <summary>
    /// A table of layers, output shapes and numbers of parameters, found by sending zeros of the given shape through.
    /// Parameters that an earlier layer counts already are not counted again.
    /// </summary>
    public string Summary(params ReadOnlySpan<int> inputShape)
    {
        var rows = new List<(string Layer, string Output, long Count)>();
        var counted = new HashSet<Tensor>();
        var x = Tensor.Zeros(inputShape);
        using (InUse())
        using (new NoGrad())
        {
            if (this is Sequential sequential)
                foreach (var (name, child) in sequential.Children)
                {
                    x = child.Forward(x);
                    var shared = child.Parameters().Any(counted.Contains) ? " (shared)" : "";
                    var count = Count(child.Parameters().Where(counted.Add));
                    rows.Add(($"{name} {child}{shared}", x.Shape.ToString(), count));
                }
            else rows.Add((ToString()!, Forward(x).Shape.ToString(), Count(Parameters())));
        }
        rows.Add(("total", "", Count(Parameters())));
        var (wide, middle) = (rows.Max(row => row.Layer.Length), Math.Max("output".Length, rows.Max(row => row.Output.Length)));
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"{"layer".PadRight(wide)}  {"output".PadRight(middle)}  parameters");
        foreach (var (layer, output, count) in rows)
            text.AppendLine(CultureInfo.InvariantCulture, $"{layer.PadRight(wide)}  {output.PadRight(middle)}  {count,10:N0}");
        return text.ToString();

        static long Count(IEnumerable<Tensor> parameters) => parameters.Sum(parameter => (long)parameter.Length);
    }

    /// <inheritdoc/>
    public override string ToString() => GetType().Name;

    /// <summary>The computation of this kind of module.</summary>
    protected abstract Tensor ForwardCore(Tensor x);

    /// <summary>Makes a tensor a parameter of this module.</summary>
    /// <exception cref="AdjointException">The name is taken, is empty, or has a dot.</exception>
    protected Tensor AddParameter(string name, Tensor value)
    {
        RequireNew(name, parameters.Concat(buffers));
        value.Name = name;
        parameters.Add((name, value.RequireGrad()));
        return value;
    }

    /// <summary>Makes a tensor part of this module's state that is not learned.</summary>
    /// <exception cref="AdjointException">The name is taken, is empty, or has a dot.</exception>
    protected Tensor AddBuffer(string name, Tensor value)
    {
        RequireNew(name, parameters.Concat(buffers));
        value.Name = name;
        buffers.Add((name, value.Keep()));
        return value;
    }

    /// <summary>Makes a stream of random numbers part of this module's state, so that a resumed run draws on where it was.</summary>
    /// <exception cref="AdjointException">The name is taken, is empty, or has a dot.</exception>
    protected Generator AddGenerator(string name, Generator generator)
    {
        RequireNew(name, generators);
        generators.Add((name, generator));
        return generator;
    }

    /// <summary>Makes a module part of this one.</summary>
    /// <exception cref="AdjointException">
    /// The name is taken, is empty, or has a dot; or this module is the child, or a part of it.
    /// </exception>
    protected TModule AddChild<TModule>(string name, TModule child) where TModule : Module
    {
        RequireNew(name, children);
        if (child.Holds(this))
            throw new AdjointException(
                $"{GetType().Name}: '{name}' holds this module itself, and nothing that walks through the parts would "
                + "end; keep it in a field instead");
        children.Add((name, child));
        return child;
    }

    /// <summary>All parameters and buffers, by each of their paths.</summary>
    internal IEnumerable<(string Name, Tensor Value)> NamedState() =>
        Paths(module => module.parameters).Concat(Paths(module => module.buffers));

    /// <summary>
    /// Refuses a state that has different bits under two names of one tensor: which one counts is not ours to choose.
    /// </summary>
    internal static void RequireSame(
        string where, IReadOnlyDictionary<string, Tensor> state, string first, string second)
    {
        if (first == second || Bits(state[first]).SequenceEqual(Bits(state[second]))) return;
        throw new AdjointException(
            $"{where}: {first} and {second} are one tensor of this model, but the state has different values for them; "
            + "build the model without sharing, as it was saved, or leave one of the two out of the state");

        static ReadOnlySpan<byte> Bits(Tensor tensor) => tensor.DType switch
        {
            DType.Float32 => MemoryMarshal.AsBytes(tensor.ToArray<float>().AsSpan()),
            DType.Float64 => MemoryMarshal.AsBytes(tensor.ToArray<double>().AsSpan()),
            DType.Int64 => MemoryMarshal.AsBytes(tensor.ToArray<long>().AsSpan()),
            _ => MemoryMarshal.AsBytes(tensor.ToArray<bool>().AsSpan()),
        };
    }

    // A path names one thing.
    private void RequireNew<T>(string name, IEnumerable<(string Name, T Value)> present)
    {
        if (name.Length == 0 || name.Contains('.'))
            throw new AdjointException($"{GetType().Name}: a name in a module is a word without dots: found '{name}'");
        if (present.Any(entry => entry.Name == name))
            throw new AdjointException($"{GetType().Name}: there is a '{name}' already; names within a module differ");
    }

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

    // What a captured step took for granted of this module.
    private void AssumeUnchanged(Arena recording)
    {
        var (training, parts) = (IsTraining, children.Count);
        var (forward, backward) = (State(forwardHooks), State(backwardHooks));
        recording.Assume(() => IsTraining == training && children.Count == parts
            && State(forwardHooks) == forward && State(backwardHooks) == backward);

        // New ones are added at the end.
        static (int, object?) State<T>(List<T> hooks) => (hooks.Count, hooks.Count > 0 ? hooks[^1] : null);
    }

    private sealed class UseScope : IDisposable
    {
        private readonly List<Module> training = [];

        internal UseScope(Module module) => Switch(module);

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

    private static string List(string[] names) => names.Length == 0 ? "none" : string.Join(", ", names.Take(5)) + (names.Length > 5 ? $" and {names.Length - 5} more" : "");
}
