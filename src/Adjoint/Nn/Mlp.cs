namespace Adjoint.Nn;

/// <summary>
/// A multilayer perceptron: linear layers with an activation between them and none at the end, whose outputs are logits. Weights begin as
/// <see cref="Initializer.XavierNormal"/> and biases as 0, as in the course's engine, unless another initialiser is given.
/// </summary>
public sealed class Mlp : Sequential
{
    /// <summary>A network with these sizes.</summary>
    public Mlp(int inputs, ReadOnlySpan<int> hidden, int classes, string activation = "sigmoid", Generator? generator = null, Initializer? initializer = null)
        : base(Layers(inputs, hidden, classes, activation, generator ?? Generator.Default, initializer ?? Initializer.XavierNormal)) { }

    /// <summary>The names of the activations.</summary>
    public static IReadOnlyList<string> Activations { get; } = ["sigmoid", "relu", "tanh", "gelu"];

    private static Layer[] Layers(
        int inputs, ReadOnlySpan<int> hidden, int classes, string activation, Generator generator,
        Initializer initializer)
    {
        List<Layer> layers = [new Flatten()];
        var width = inputs;
        foreach (var size in hidden)
        {
            layers.Add(new Linear(width, size, initializer: initializer, generator: generator));
            layers.Add(activation switch
            {
                "sigmoid" => new Sigmoid(),
                "relu" => new Relu(),
                "tanh" => new Tanh(),
                "gelu" => new Gelu(),
                _ => throw new AdjointException($"Mlp: no activation is called '{activation}'; use {string.Join(", ", Activations)}"),
            });
            width = size;
        }
        layers.Add(new Linear(width, classes, initializer: initializer, generator: generator));
        return [.. layers];
    }
}
