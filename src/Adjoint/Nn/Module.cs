using System.Globalization;
using System.Text;

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
        using var part = Tracing.Enter(this);
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

    /// <summary>All parameters, by path: <c>layers.0.weight</c>.</summary>
    public IEnumerable<(string Name, Tensor Value)> NamedParameters()
    {
        foreach (var own in parameters) yield return own;
        foreach (var (name, child) in children)
            foreach (var (path, value) in child.NamedParameters())
                yield return ($"{name}.{path}", value);
    }

    /// <summary>All parameters.</summary>
    public IEnumerable<Tensor> Parameters() => NamedParameters().Select(parameter => parameter.Value);

    /// <summary>All buffers, by path: what belongs to the state but is not learned, such as running means.</summary>
    public IEnumerable<(string Name, Tensor Value)> NamedBuffers()
    {
        foreach (var own in buffers) yield return own;
        foreach (var (name, child) in children)
            foreach (var (path, value) in child.NamedBuffers())
                yield return ($"{name}.{path}", value);
    }

    /// <summary>All streams of random numbers that <see cref="Forward"/> draws from, by path.</summary>
    public IEnumerable<(string Name, Generator Value)> NamedGenerators()
    {
        foreach (var own in generators) yield return own;
        foreach (var (name, child) in children)
            foreach (var (path, value) in child.NamedGenerators())
                yield return ($"{name}.{path}", value);
    }

    /// <summary>Switches this module and its parts to training; returns the module.</summary>
    public Module Train(bool on = true)
    {
        IsTraining = on;
        foreach (var (_, child) in children) child.Train(on);
        return this;
    }

    /// <summary>Switches this module and its parts to use; returns the module.</summary>
    public Module Eval() => Train(false);

    /// <summary>All parameters and buffers by path: the tensors themselves, not copies.</summary>
    public IReadOnlyDictionary<string, Tensor> StateDict() => NamedParameters().Concat(NamedBuffers()).ToDictionary(parameter => parameter.Name, parameter => parameter.Value.Detach());

    /// <summary>Copies values into the parameters and buffers; all or nothing.</summary>
    /// <exception cref="AdjointException">A name is missing or unknown, or a shape or type differs.</exception>
    public void LoadStateDict(IReadOnlyDictionary<string, Tensor> state)
    {
        var own = NamedParameters().Concat(NamedBuffers()).ToDictionary(parameter => parameter.Name, parameter => parameter.Value);
        var missing = own.Keys.Where(name => !state.ContainsKey(name)).ToArray();
        var unknown = state.Keys.Where(name => !own.ContainsKey(name)).ToArray();
        if (missing.Length + unknown.Length > 0)
            throw new AdjointException($"LoadStateDict: the state does not fit the model: missing {List(missing)}, unknown {List(unknown)}; build the model with the settings it was saved with");
        foreach (var (name, value) in own)
            if (state[name].Shape != value.Shape || state[name].DType != value.DType)
                throw new AdjointException($"LoadStateDict: {name} must be {value.Shape} {value.DType.Label()}: found {state[name].Shape} {state[name].DType.Label()}; build the model with the settings it was saved with");
        using var _ = new NoGrad();
        foreach (var (name, value) in own)
            if (value.DType == DType.Float32) value.CopyFrom<float>(state[name].ToArray<float>());
            else value.CopyFrom<double>(state[name].ToArray<double>());
    }

    /// <summary>A table of layers, output shapes and numbers of parameters, found by sending zeros of the given shape through.</summary>
    public string Summary(params ReadOnlySpan<int> inputShape)
    {
        var rows = new List<(string Layer, string Output, int Count)>();
        var x = Tensor.Zeros(inputShape);
        var training = IsTraining;
        Eval();
        using (new NoGrad())
        {
            if (this is Sequential sequential)
                foreach (var (name, child) in sequential.Children)
                {
                    x = child.Forward(x);
                    rows.Add(($"{name} {child}", x.Shape.ToString(), child.Parameters().Sum(parameter => parameter.Length)));
                }
            else rows.Add((ToString()!, Forward(x).Shape.ToString(), Parameters().Sum(parameter => parameter.Length)));
        }
        Train(training);
        rows.Add(("total", "", Parameters().Sum(parameter => parameter.Length)));
        var (wide, middle) = (rows.Max(row => row.Layer.Length), Math.Max("output".Length, rows.Max(row => row.Output.Length)));
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"{"layer".PadRight(wide)}  {"output".PadRight(middle)}  parameters");
        foreach (var (layer, output, count) in rows)
            text.AppendLine(CultureInfo.InvariantCulture, $"{layer.PadRight(wide)}  {output.PadRight(middle)}  {count,10:N0}");
        return text.ToString();
    }

    /// <inheritdoc/>
    public override string ToString() => GetType().Name;

    /// <summary>The computation of this kind of module.</summary>
    protected abstract Tensor ForwardCore(Tensor x);

    /// <summary>Makes a tensor a parameter of this module.</summary>
    protected Tensor AddParameter(string name, Tensor value)
    {
        value.Name = name;
        parameters.Add((name, value.RequireGrad()));
        return value;
    }

    /// <summary>Makes a tensor part of this module's state that is not learned.</summary>
    protected Tensor AddBuffer(string name, Tensor value)
    {
        value.Name = name;
        buffers.Add((name, value.Keep()));
        return value;
    }

    /// <summary>Makes a stream of random numbers part of this module's state, so that a resumed run draws on where it was.</summary>
    protected Generator AddGenerator(string name, Generator generator)
    {
        generators.Add((name, generator));
        return generator;
    }

    /// <summary>Makes a module part of this one.</summary>
    protected TModule AddChild<TModule>(string name, TModule child) where TModule : Module
    {
        children.Add((name, child));
        return child;
    }

    private static HookHandle<T> Register<T>(List<T> hooks, T hook)
    {
        ArgumentNullException.ThrowIfNull(hook);
        hooks.Add(hook);
        return new(hooks, hook);
    }

    private sealed class HookHandle<T>(List<T> hooks, T hook) : IDisposable
    {
        public void Dispose() => hooks.Remove(hook);
    }

    private static string List(string[] names) => names.Length == 0 ? "none" : string.Join(", ", names.Take(5)) + (names.Length > 5 ? $" and {names.Length - 5} more" : "");
}
