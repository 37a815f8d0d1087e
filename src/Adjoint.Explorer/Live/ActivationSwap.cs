using Adjoint.Nn;

namespace Adjoint.Explorer;

/// <summary>Puts another activation between the layers of a network, which keep their parameters.</summary>
internal static class ActivationSwap
{
    /// <summary>Name and module of each activation.</summary>
    internal static IReadOnlyList<(string Name, Func<Layer> Create, Type Type)> All { get; } =
    [
        ("sigmoid", static () => new Sigmoid(), typeof(Sigmoid)),
        ("relu", static () => new Relu(), typeof(Relu)),
        ("tanh", static () => new Tanh(), typeof(Tanh)),
        ("gelu", static () => new Gelu(), typeof(Gelu)),
    ];

    /// <summary>
    /// The activation of a network whose layers are one after another; null where there is none, or where it cannot be
    /// changed.
    /// </summary>
    internal static string? Of(Layer model) =>
        model is Sequential layers && layers.All(layer => layer.Children.Count == 0)
            ? layers.Select(NameOf).FirstOrDefault(name => name is not null)
            : null;

    /// <summary>The same layers around another activation.</summary>
    internal static Layer With(Sequential model, string name)
    {
        var create = All.First(activation => activation.Name == name).Create;
        return new Sequential([.. model.Select(layer => NameOf(layer) is null ? layer : create())]);
    }

    private static string? NameOf(Layer layer) =>
        All.FirstOrDefault(activation => activation.Type == layer.GetType()).Name;
}
