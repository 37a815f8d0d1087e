using Adjoint.Shared;
using Adjoint.TensorBoard.Format;
using Google.Protobuf;

namespace Adjoint.TensorBoard;

/// <summary>Images beside each other, as one PNG file.</summary>
internal static class ImageGrid
{
    // Pixels between images.
    private const int Gap = 2;

    /// <summary>An image (C, H, W), or a grid of N of them, about as many rows as columns.</summary>
    internal static Summary.Types.Image Encode(Tensor images)
    {
        var shape = images.Shape;
        if (shape.Rank is not (3 or 4) || shape[-3] is not (1 or 3) || shape.Elements == 0)
            throw new AdjointException(
                $"AddImage: an image is a tensor (C, H, W) or (N, C, H, W) with C 1 (gray) or 3 (red, green, blue) and "
                + $"at least one pixel: found {shape}; Permute moves channels that come last, and several others are "
                + "images one by one");
        var (channels, height, width) = (shape[-3], shape[-2], shape[-1]);
        var count = shape.Rank == 4 ? shape[0] : 1;
        var columns = (int)Math.Ceiling(Math.Sqrt(count));
        var (gridWidth, gridHeight) = (Size(columns, width), Size((count + columns - 1) / columns, height));
        if (gridWidth * gridHeight * channels > Array.MaxLength)
            throw new AdjointException(
                $"AddImage: {count} images of {height} times {width} make a grid of {gridHeight:N0} times "
                + $"{gridWidth:N0} pixels, too large for one file; add fewer");
        var pixels = Bytes(images);
        var grid = new byte[gridWidth * gridHeight * channels];
        for (var image = 0; image < count; image++)
        {
            var (top, left) = (image / columns * (height + Gap), image % columns * (width + Gap));
            for (var channel = 0; channel < channels; channel++)
                for (var row = 0; row < height; row++)
                {
                    var from = ((image * channels + channel) * height + row) * width;
                    var to = ((top + row) * gridWidth + left) * channels + channel;
                    for (var column = 0; column < width; column++)
                        grid[to + column * channels] = pixels[from + column];
                }
        }
        return new()
        {
            Height = (int)gridHeight,
            Width = (int)gridWidth,
            Colorspace = channels,
            EncodedImageString = ByteString.CopyFrom(PngImage.Encode((int)gridWidth, (int)gridHeight, channels, grid)),
        };

        static long Size(long images, long pixels) => images * pixels + (images - 1) * Gap;
    }

    private static byte[] Bytes(Tensor images)
    {
        using var _ = new NoGrad();
        if (images.DType == DType.UInt8) return images.ToArray<byte>();
        if (images.DType != DType.Bool && !images.DType.IsFloating())
            throw new AdjointException(
                $"AddImage: pixels are floating numbers from 0 to 1, uint8 from 0 to 255, or bool: found "
                + $"{images.DType.Label()}; convert with .To(DType.UInt8)");
        return Array.ConvertAll(images.To(DType.Float32).ToArray<float>(), value =>
            float.IsNaN(value) ? (byte)0 : (byte)MathF.Round(Math.Clamp(value, 0, 1) * 255));
    }
}
