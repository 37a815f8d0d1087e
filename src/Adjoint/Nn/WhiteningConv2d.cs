namespace Adjoint.Nn;

/// <summary>
/// A convolution whose outputs are uncorrelated with variance about 1: with the eigenvectors vᵢ and eigenvalues λᵢ of
/// the second moments of the images' k×k patches, the filters are ±vᵢ / √(λᵢ + ε), twice as many as a patch has numbers
/// (Page 2018; Jordan 2024, §3.1). They are buffers, not parameters; the bias, 0 at first, is learned.
/// </summary>
public sealed class WhiteningConv2d : Layer, ISavableModule<WhiteningConv2d>
{
    private const double Epsilon = 5e-4;
    private const int MaxImages = 1000;
    private readonly Tensor weight, bias;
    private readonly int kernel;

    /// <summary>Creates a layer, with filters computed from images.</summary>
    /// <param name="channels">The channels of the images, 1 or more.</param>
    /// <param name="kernel">The side k of a patch, in pixels.</param>
    /// <param name="images">
    /// Samples (n, channels, h, w) of the training data; null: random directions as filters.
    /// </param>
    /// <param name="generator">
    /// The random stream for filters without images; <see cref="Generator.Default"/> by default.
    /// </param>
    /// <exception cref="AdjointException">The images have other channels or are smaller than the kernel.</exception>
    public WhiteningConv2d(int channels, int kernel, Tensor? images = null, Generator? generator = null)
    {
        if (channels < 1 || kernel < 1)
            throw new AdjointException(
                $"WhiteningConv2d: channels and kernel must be positive: found {channels} and {kernel}");
        if (images is not null && (images.Rank != 4 || images.Shape[0] < 1 || images.Shape[1] != channels
            || images.Shape[2] < kernel || images.Shape[3] < kernel))
            throw new AdjointException(
                $"WhiteningConv2d: images (n, {channels}, ≥ {kernel}, ≥ {kernel}) are needed: found {images.Shape}");
        this.kernel = kernel;
        var size = Shape.Size((Int128)channels * kernel * kernel, "WhiteningConv2d");
        Shape.CheckFits([Shape.Size(2L * size, "WhiteningConv2d"), size], DType.Float64, "WhiteningConv2d");
        var half = images is null
            ? InitialValues.Normal((int[])[size, size], generator) * (1 / Math.Sqrt(size))
            : Filters(images, size);
        weight = AddBuffer("weight", Tensor.Concat([half, -half]).Reshape(2 * size, channels, kernel, kernel).Clone());
        bias = AddParameter("bias", Tensor.Zeros(2 * size));
    }

    /// <summary>The filters (2·channels·k², channels, k, k).</summary>
    public Tensor Weight => weight;

    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x) => x.Conv2d(weight, bias);

    /// <inheritdoc/>
    public override string ToString() => $"WhiteningConv2d({weight.Shape[1]} → {weight.Shape[0]}, {kernel})";

    private Tensor Filters(Tensor images, int size)
    {
        var (values, vectors) = SymmetricEigen.Decompose(SecondMoments(images, size));
        var filters = new float[size * size];
        for (var i = 0; i < size; i++)
            for (var j = 0; j < size; j++)
                filters[i * size + j] = (float)(vectors[j, i] / Math.Sqrt(Math.Max(0, values[i]) + Epsilon));
        return Tensor.From(filters, size, size);
    }

    private double[,] SecondMoments(Tensor images, int size)
    {
        var (channels, height, width) = (images.Shape[1], images.Shape[2], images.Shape[3]);
        var (pixels, patch, sums) = (images.ToArray<float>(), new double[size], new double[size, size]);
        var count = 0L;
        for (var n = 0; n < Math.Min(MaxImages, images.Shape[0]); n++)
            for (var y = 0; y + kernel <= height; y++)
                for (var x = 0; x + kernel <= width; x++, count++)
                {
                    for (var i = 0; i < size; i++)
                        patch[i] = pixels[((n * channels + i / (kernel * kernel)) * height + y + i / kernel % kernel)
                            * width + x + i % kernel];
                    for (var i = 0; i < size; i++)
                        for (var j = 0; j <= i; j++) sums[i, j] += patch[i] * patch[j];
                }
        for (var i = 0; i < size; i++)
            for (var j = 0; j <= i; j++) sums[i, j] = sums[j, i] = sums[i, j] / count;
        return sums;
    }

    static WhiteningConv2d ISavableModule<WhiteningConv2d>.Create(ModuleSettings settings) =>
        new(settings.Integer("channels"), settings.Integer("kernel"));

    void ISavableModule.Describe(ModuleSettings settings)
    {
        settings.Set("channels", weight.Shape[1]);
        settings.Set("kernel", kernel);
    }
}
