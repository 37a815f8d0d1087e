using System.Collections;
using Adjoint.Memory;

namespace Adjoint.Nn;

/// <summary>
/// Modules of one type in a row, named 0, 1, …, which the module that has the list calls as it likes. It computes
/// nothing by itself (<see cref="Sequential"/> does). One may stand in several places, which then share its parameters.
/// <code>
/// blocks = AddChild("blocks", new ModuleList&lt;Block&gt;([.. Enumerable.Range(0, 6).Select(_ => new Block(width))]));
/// …
/// foreach (var block in blocks) x = block.Forward(x, mask);
/// </code>
/// </summary>
/// <typeparam name="T">What they are: <see cref="Layer"/>, a class of one's own, or <see cref="Module"/>.</typeparam>
public sealed class ModuleList<T> : Module, IReadOnlyList<T>, ISavableModule<ModuleList<T>> where T : Module
{
    private readonly List<T> modules = [];

    /// <summary>Creates a list of the given modules.</summary>
    /// <param name="modules">The modules in order.</param>
    public ModuleList(params ReadOnlySpan<T> modules)
    {
        foreach (var module in modules) Add(module);
    }

    /// <summary>The number of modules.</summary>
    public int Count => Noted.Count;

    /// <summary>The module at a position.</summary>
    /// <param name="index">The position, from 0 on.</param>
    /// <returns>The module itself.</returns>
    /// <exception cref="AdjointException">There is no module at that position.</exception>
    public T this[int index] => (uint)index < (uint)Count
        ? modules[index]
        : throw new AdjointException($"ModuleList: there is no module {index} among {Count}; they count from 0");

    static string ISavableModule<ModuleList<T>>.TypeName => $"ModuleList<{typeof(T).Name}>";

    internal override bool IsContainer => true;

    // A captured function has called as many as there were.
    private List<T> Noted
    {
        get
        {
            if (Execution.Current.Arena is { } recording) AssumeUnchanged(recording);
            return modules;
        }
    }

    /// <summary>Adds a module at the end.</summary>
    /// <param name="module">The module to add.</param>
    /// <exception cref="AdjointException">It is the module that has this list, or one around it.</exception>
    public void Add(T module) => modules.Add(AddChild($"{modules.Count}", module));

    /// <inheritdoc/>
    public IEnumerator<T> GetEnumerator() => Noted.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <inheritdoc/>
    public override string ToString() => $"ModuleList({modules.Count})";

    static ModuleList<T> ISavableModule<ModuleList<T>>.Create(ModuleSettings settings) => new(settings.ModulesOf<T>());

    void ISavableModule.Describe(ModuleSettings settings)
    {
        foreach (var (name, module) in Children) settings.Set(name, module);
    }
}
