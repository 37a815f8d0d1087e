using Adjoint.Memory;

namespace Adjoint.Nn;

// What a module's tensors hold, out and in.
public abstract partial class Module
{
    /// <summary>
    /// All parameters and buffers, by path: the tensors themselves, not copies. One shared by several places is there
    /// by each of its paths.
    /// </summary>
    /// <returns>A dictionary from path to tensor.</returns>
    public IReadOnlyDictionary<string, Tensor> StateDict() =>
        NamedState().ToDictionary(entry => entry.Name, entry => entry.Value.Detach());

    /// <summary>
    /// Copies values into the parameters and buffers; all or nothing. For one shared by several places, one of its
    /// paths is enough. The counters <c>num_batches_tracked</c> of PyTorch's batch norms, which
    /// <see cref="BatchNorm"/> does not need, are left out.
    /// </summary>
    /// <param name="state">Tensors by path, as <see cref="StateDict"/> gives them.</param>
    /// <exception cref="AdjointException">
    /// A name is missing or unknown, a shape or type differs, or the paths of one parameter have different values.
    /// </exception>
    public void LoadStateDict(IReadOnlyDictionary<string, Tensor> state) => LoadStateDict(state, new());

    /// <summary>
    /// Copies values into the parameters and buffers, and says which; all or nothing: what is refused changes no bit.
    /// For one shared by several places, one of its paths is enough.
    /// </summary>
    /// <param name="state">Tensors by path, or by names that the options rename to paths.</param>
    /// <param name="options">What need not fit, and what is renamed or converted.</param>
    /// <returns>What was loaded, and what was not.</returns>
    /// <exception cref="AdjointException">
    /// A name, shape or type differs and the options do not allow it; nothing fits; the paths of one parameter have
    /// different values; values cannot be converted exactly; or two names are renamed to one.
    /// </exception>
    public LoadReport LoadStateDict(IReadOnlyDictionary<string, Tensor> state, LoadOptions options)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(options);
        return StateLoading.Run(this, "LoadStateDict", options,
            [.. state.Select(entry => new StateOffer(entry.Key, [.. entry.Value.Shape.Select(size => (long)size)],
                entry.Value.DType, entry.Value.DType, entry.Value.DType.Label(), () => entry.Value))]);
    }

    /// <summary>All parameters, and buffers that are saved, by each of their paths.</summary>
    internal IEnumerable<(string Name, Tensor Value)> NamedState() =>
        Paths(module => module.parameters).Concat(Paths(module => module.buffers));

    /// <summary>Names within this module that parameters have in older files, and those that they have now.</summary>
    internal virtual IReadOnlyList<(string Older, string Name)> OlderNames => [];

    /// <summary>The older names of all parts, by path.</summary>
    internal IEnumerable<(string Older, string Name)> OlderPaths()
    {
        foreach (var entry in OlderNames) yield return entry;
        foreach (var (child, module) in Children)
            foreach (var (older, name) in module.OlderPaths()) yield return ($"{child}.{older}", $"{child}.{name}");
    }

    /// <summary>
    /// Refuses a state that has different bits under two names of one tensor: which one counts is not ours to choose.
    /// </summary>
    internal static void RequireSame(
        string where, (string Name, Tensor Value) first, (string Name, Tensor Value) second)
    {
        if (first.Value == second.Value || first.Value.To(Device.Cpu).HasBitsOf(second.Value.To(Device.Cpu))) return;
        throw new AdjointException(
            $"{where}: {first.Name} and {second.Name} are one tensor of this model, but the state has different values "
            + "for them; build the model without sharing, as it was saved, or leave one of the two out of the state");
    }
}
