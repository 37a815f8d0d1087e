namespace Adjoint.Nn;

/// <summary>
/// What the networks for images are made of: convolutions that keep the size at stride 1 and begin as torchvision's,
/// N(0, 2 / fan-out).
/// </summary>
internal static class ConvUnits
{
    /// <summary>A convolution without bias, with half of the kernel as padding.</summary>
    internal static Conv2d Conv(
        int inputs, int outputs, int kernel, Generator random, int stride = 1, int groups = 1) =>
        new(inputs, outputs, kernel, new()
        {
            Stride = stride,
            Padding = (kernel - 1) / 2,
            Groups = groups,
            Bias = false,
            Initializer = Initializer.KaimingFanOut(kernel * kernel),
            Generator = random,
        });

    /// <summary>A convolution, its norm, and an activation if there is one.</summary>
    internal static Sequential ConvNorm(
        int inputs, int outputs, int kernel, Generator random, Layer? activation, int stride = 1, int groups = 1,
        double momentum = 0.1, double epsilon = 1e-5)
    {
        var (conv, norm) =
            (Conv(inputs, outputs, kernel, random, stride, groups), new BatchNorm(outputs, momentum, epsilon));
        return activation is null ? new(conv, norm) : new(conv, norm, activation);
    }

    /// <summary>
    /// The multiple of 8 nearest to a number of channels, at least 8, and the one above where it is more than a tenth
    /// below the number (Sandler et al. 2018).
    /// </summary>
    internal static int MultipleOf8(double channels)
    {
        var nearest = Math.Max(8, (int)(channels + 4) / 8 * 8);
        return nearest < 0.9 * channels ? nearest + 8 : nearest;
    }
}

/// <summary>
/// An inverted residual (Sandler et al. 2018): channels are expanded, convolved one by one, and projected to few; where
/// the shape stays, x is added.
/// </summary>
internal sealed class InvertedResidual : Layer
{
    private readonly Sequential path;
    private readonly StochasticDepth? depth;
    private readonly bool isResidual;

    internal InvertedResidual(string name, Sequential path, bool isResidual, StochasticDepth? depth = null)
    {
        (this.isResidual, this.path) = (isResidual, AddChild(name, path));
        if (depth is not null) this.depth = AddChild("stochastic_depth", depth);
    }

    protected override Tensor ForwardCore(Tensor x)
    {
        var y = path.Forward(x);
        if (!isResidual) return y;
        return (depth?.Forward(y) ?? y) + x;
    }
}
