namespace Adjoint.Nn;

/// <summary>
/// A multilayer perceptron: linear layers with an activation between them and none at the end, whose outputs are
/// logits. Weights begin as <see cref="Initializer.XavierNormal"/> and biases as 0, as in the course's engine, unless
/// another initializer is given.
/// </summary>
public sealed class Mlp : Sequential, ISavableModule<Mlp>
{
    private readonly string activation;

    /// <summary>Creates a network with the given layer sizes.</summary>
    /// <param name="inputs">The number of inputs, 1 or more.</param>
    /// <param name="hidden">The sizes of the hidden layers; none: a linear classifier.</param>
    /// <param name="classes">The number of outputs, 1 or more.</param>
    /// <param name="activation">The name of the activation: one of <see cref="Activations"/>.</param>
    /// <param name="generator">
    /// The random stream for the initial values; <see cref="Generator.Default"/> by default.
    /// </param>
    /// <param name="initializer">The initializer of the weights; Xavier normal by default.</param>
    /// <exception cref="AdjointException">A size is not positive, or there is no such activation.</exception>
    public Mlp(int inputs, ReadOnlySpan<int> hidden, int classes, string activation = "sigmoid",
        Generator? generator = null, Initializer? initializer = null)
        : base(Layers(inputs, hidden, classes, activation, generator ?? Generator.Default, initializer
            ?? Initializer.XavierNormal)) => this.activation = activation;

    /// <summary>The names of the activations that the constructor takes.</summary>
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
                _ => throw new AdjointException(
                    $"Mlp: no activation is called '{activation}'; use {string.Join(", ", Activations)}"),
            });
            width = size;
        }
        layers.Add(new Linear(width, classes, initializer: initializer, generator: generator));
        return [.. layers];
    }

    static Mlp ISavableModule<Mlp>.Create(ModuleSettings settings) => new(
        settings.Integer("inputs"), settings.Integers("hidden"), settings.Integer("classes"),
        settings.Text("activation"));

    void ISavableModule.Describe(ModuleSettings settings)
    {
        Linear[] linear = [.. this.OfType<Linear>()];
        settings.Set("inputs", linear[0].Inputs);
        settings.Set("hidden", linear[..^1].Select(layer => layer.Outputs));
        settings.Set("classes", linear[^1].Outputs);
        settings.Set("activation", activation);
    }
}
