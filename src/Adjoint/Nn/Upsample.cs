namespace Adjoint.Nn;

/// <summary>Enlarges the last two axes by integer factors, nearest or bilinear, as a layer.</summary>
public sealed class Upsample : Layer, ISavableModule<Upsample>
{
    private readonly Size2 factor;
    private readonly bool bilinear;

    /// <summary>Creates a layer with a factor for each direction.</summary>
    /// <param name="factor">The factors of height and width, 1 or more.</param>
    /// <param name="bilinear">Whether to interpolate between pixels; false: the nearest pixel.</param>
    /// <exception cref="AdjointException">A factor is not positive.</exception>
    public Upsample(Size2 factor, bool bilinear = false)
    {
        if (factor.Height < 1 || factor.Width < 1)
            throw new AdjointException($"Upsample: the factor must be positive: found {factor}");
        (this.factor, this.bilinear) = (factor, bilinear);
    }

    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x)
    {
        if (x.Rank < 2) throw new AdjointException($"Upsample: an input (…, h, w) is needed: found {x.Shape}");
        var size = new Size2(Shape.Size((Int128)x.Shape[-2] * factor.Height, "Upsample"),
            Shape.Size((Int128)x.Shape[-1] * factor.Width, "Upsample"));
        return bilinear ? x.InterpolateBilinear(size) : x.InterpolateNearest(size);
    }

    /// <inheritdoc/>
    public override string ToString() => $"Upsample({factor}{(bilinear ? ", bilinear" : "")})";

    static Upsample ISavableModule<Upsample>.Create(ModuleSettings settings) =>
        new(settings.Size("factor"), settings.Flag("bilinear"));

    void ISavableModule.Describe(ModuleSettings settings)
    {
        settings.SetSize("factor", factor);
        settings.Set("bilinear", bilinear);
    }
}
