namespace Adjoint.Nn;

/// <summary>
/// A network that classifies images, (n, channels, h, w) → logits (n, classes): named parts, applied one after another.
/// The names of parts and parameters are those of torchvision, so that its weights load. <see cref="VisionModels"/>
/// makes them.
/// </summary>
public abstract class ImageClassifier : Layer
{
    private readonly Layer[] parts;

    private protected ImageClassifier(
        int channels, int classes, params ReadOnlySpan<(string Name, Layer Part)> parts)
    {
        (Channels, Classes) = (channels, classes);
        this.parts = new Layer[parts.Length];
        for (var i = 0; i < parts.Length; i++) this.parts[i] = AddChild(parts[i].Name, parts[i].Part);
    }

    /// <summary>The number of channels of the images.</summary>
    public int Channels { get; }

    /// <summary>The number of classes.</summary>
    public int Classes { get; }

    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x)
    {
        using var intermediates = Intermediates.Begin(Execution.Current, isPrivate: true);
        foreach (var part in parts)
        {
            x = part.Forward(x);
            intermediates.Release(needed: x);
        }
        return x;
    }

    /// <summary>Refuses numbers that fit no network, before its weights are drawn.</summary>
    private protected static Generator Check(string name, int classes, int channels, Generator? generator)
    {
        if (classes < 1 || channels < 1)
            throw new AdjointException(
                $"{name}: classes and channels must be positive: found {classes} and {channels}");
        return generator ?? Generator.Default;
    }

    /// <summary>As the other, with the channels of the first stage.</summary>
    private protected static Generator Check(
        string name, int classes, int channels, int width, Generator? generator) => width is >= 1 and <= 4096
        ? Check(name, classes, channels, generator)
        : throw new AdjointException($"{name}: the width must be from 1 to 4096 channels: found {width}");

    /// <summary>As the other, with a factor of all channels.</summary>
    private protected static Generator Check(
        string name, int classes, int channels, double width, Generator? generator) => width is > 0 and <= 64
        ? Check(name, classes, channels, generator)
        : throw new AdjointException(FormattableString.Invariant(
            $"{name}: the factor of the channels must be above 0 and at most 64: found {width}"));

    private protected void DescribeEnds(ModuleSettings settings)
    {
        settings.Set("channels", Channels);
        settings.Set("classes", Classes);
    }
}
