namespace Adjoint.Nn;

/// <summary>
/// Squeeze and excitation (Hu et al. 2018): each channel of x (n, c, h, w) is multiplied by a gate that the means of
/// all channels decide, y = x · gate(W₂ · f(W₁ · mean(x) + b₁) + b₂). Names of parameters are torchvision's: fc1 and
/// fc2, which are 1×1 convolutions.
/// </summary>
public sealed class SqueezeExcitation : Layer, ISavableModule<SqueezeExcitation>
{
    private readonly GlobalAvgPool2d pool;
    private readonly Conv2d squeeze, excite;
    private readonly Layer activation, gate;

    /// <summary>Creates a layer for inputs (n, channels, h, w).</summary>
    /// <param name="channels">The number of channels c, 1 or more.</param>
    /// <param name="squeezed">The number of units between the two maps, 1 or more.</param>
    /// <param name="activation">The function f between the maps; ReLU by default.</param>
    /// <param name="gate">The function of the gates, from 0 to 1; the logistic one by default.</param>
    /// <param name="initializer">
    /// The initializer of the weights; null: the default of PyTorch, for the biases too.
    /// </param>
    /// <param name="generator">
    /// The random stream for the initial values; <see cref="Generator.Default"/> by default.
    /// </param>
    /// <exception cref="AdjointException">A number is not positive.</exception>
    public SqueezeExcitation(int channels, int squeezed, Layer? activation = null, Layer? gate = null,
        Initializer? initializer = null, Generator? generator = null)
    {
        Conv2dOptions options = new() { Initializer = initializer, Generator = generator };
        pool = AddChild("avgpool", new GlobalAvgPool2d());
        squeeze = AddChild("fc1", new Conv2d(channels, squeezed, 1, options));
        excite = AddChild("fc2", new Conv2d(squeezed, channels, 1, options));
        this.activation = AddChild("activation", activation ?? new Relu());
        this.gate = AddChild("scale_activation", gate ?? new Sigmoid());
    }

    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x)
    {
        var means = pool.Forward(x);
        var hidden = activation.Forward(squeeze.Forward(means.Unsqueeze(2).Unsqueeze(3)));
        return x * gate.Forward(excite.Forward(hidden));
    }

    /// <inheritdoc/>
    public override string ToString() => $"SqueezeExcitation({squeeze.Inputs} → {squeeze.Outputs})";

    static SqueezeExcitation ISavableModule<SqueezeExcitation>.Create(ModuleSettings settings) => new(
        settings.Integer("channels"), settings.Integer("squeezed"), settings.Module<Layer>("activation"),
        settings.Module<Layer>("scale_activation"));

    void ISavableModule.Describe(ModuleSettings settings)
    {
        settings.Set("channels", squeeze.Inputs);
        settings.Set("squeezed", squeeze.Outputs);
        settings.Set("activation", activation);
        settings.Set("scale_activation", gate);
    }
}
