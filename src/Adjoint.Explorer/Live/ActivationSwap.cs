using Adjoint.Nn;

namespace Adjoint.Exploring;

/// <summary>Puts another activation between the layers of a network, which keep their parameters.</summary>
internal static class ActivationSwap
{
    /// <summary>Name and module of each activation.</summary>
    internal static IReadOnlyList<(string Name, Func<Module> Create, Type Type)> All { get; } =
    [
        ("sigmoid", static () => new Sigmoid(), typeof(Sigmoid)),
        ("relu", static () => new Relu(), typeof(Relu)),
        ("tanh", static () => new Tanh(), typeof(Tanh)),
        ("gelu", static () => new Gelu(), typeof(Gelu)),
    ];

    /// <summary>The activation of a network whose layers are one after another; null where there is none, or where it cannot be changed.</summary>
    internal static string? Of(Module model) => model is Sequential && model.Children.All(child => child.Value.Children.Count == 0)
        ? model.Children.Select(child => NameOf(child.Value)).FirstOrDefault(name => name is not null)
        : null;

    /// <summary>The same layers around another activation.</summary>
    internal static Module With(Module model, string name)
    {
        var create = All.First(activation => activation.Name == name).Create;
        return new Sequential([.. model.Children.Select(child => NameOf(child.Value) is null ? child.Value : create())]);
    }

    private static string? NameOf(Module module) => All.FirstOrDefault(activation => activation.Type == module.GetType()).Name;
}
