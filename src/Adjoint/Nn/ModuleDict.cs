using System.Collections;
using System.Diagnostics.CodeAnalysis;
using Adjoint.Memory;

namespace Adjoint.Nn;

/// <summary>
/// Modules of one type by name, in the order in which they were added, which the module that has them calls as it
/// likes. One may stand under several names, which then share its parameters.
/// <code>
/// heads = AddChild("heads", new ModuleDict&lt;Layer&gt;(("mean", new Linear(8, 1)), ("spread", new Linear(8, 1))));
/// …
/// return (heads["mean"].Forward(x), heads["spread"].Forward(x));
/// </code>
/// </summary>
/// <typeparam name="T">What they are: <see cref="Layer"/>, a class of one's own, or <see cref="Module"/>.</typeparam>
public sealed class ModuleDict<T> : Module, IReadOnlyDictionary<string, T>, ISavableModule<ModuleDict<T>>
    where T : Module
{
    private readonly OrderedDictionary<string, T> modules = [];

    /// <summary>Creates a dictionary of the given modules.</summary>
    /// <param name="modules">Names without dots, and modules, in order.</param>
    /// <exception cref="AdjointException">A name comes twice, is empty, or has a dot.</exception>
    public ModuleDict(params ReadOnlySpan<(string Key, T Module)> modules)
    {
        foreach (var (key, module) in modules) Add(key, module);
    }

    /// <summary>The number of modules.</summary>
    public int Count => Noted.Count;

    /// <summary>The names in order.</summary>
    public IEnumerable<string> Keys => Noted.Keys;

    /// <summary>The modules in order.</summary>
    public IEnumerable<T> Values => Noted.Values;

    /// <summary>The module of the given name.</summary>
    /// <param name="key">The name of the module.</param>
    /// <returns>The module itself.</returns>
    /// <exception cref="AdjointException">There is no module of that name.</exception>
    public T this[string key] => TryGetValue(key, out var module)
        ? module
        : throw new AdjointException(
            $"ModuleDict: there is no module '{key}'; there {(Count == 1 ? "is" : "are")} "
            + (Count == 0 ? "none" : string.Join(", ", Keys)));

    static string ISavableModule<ModuleDict<T>>.TypeName => $"ModuleDict<{typeof(T).Name}>";

    internal override bool IsContainer => true;

    // A captured function has asked for what there was.
    private OrderedDictionary<string, T> Noted
    {
        get
        {
            if (Execution.Current.Arena is { } recording) AssumeUnchanged(recording);
            return modules;
        }
    }

    /// <summary>Adds a module under a name.</summary>
    /// <param name="key">A name without dots, not taken yet.</param>
    /// <param name="module">The module to add.</param>
    /// <exception cref="AdjointException">
    /// The name is taken, is empty, or has a dot; or it is the module that has this one, or one around it.
    /// </exception>
    public void Add(string key, T module) => modules.Add(key, AddChild(key, module));

    /// <inheritdoc/>
    public bool ContainsKey(string key) => Noted.ContainsKey(key);

    /// <inheritdoc/>
    public bool TryGetValue(string key, [MaybeNullWhen(false)] out T value) => Noted.TryGetValue(key, out value);

    /// <inheritdoc/>
    public IEnumerator<KeyValuePair<string, T>> GetEnumerator() => Noted.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <inheritdoc/>
    public override string ToString() => $"ModuleDict({string.Join(", ", modules.Keys)})";

    static ModuleDict<T> ISavableModule<ModuleDict<T>>.Create(ModuleSettings settings) =>
        new([.. settings.Modules.Select(one => (one.Name, settings.Module<T>(one.Name)))]);

    void ISavableModule.Describe(ModuleSettings settings)
    {
        foreach (var (name, module) in Children) settings.Set(name, module);
    }
}
