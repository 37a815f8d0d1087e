namespace Adjoint.Data;

/// <summary>
/// Where each pixel of an affinely changed image comes from: (x, y) about the image's middle comes from
/// (A·x + B·y + C, D·x + E·y + F). The parameters are those of torchvision's affine.
/// </summary>
internal readonly record struct AffineMap(double A, double B, double C, double D, double E, double F)
{
    /// <summary>The inverse of: shear rows, rotate and enlarge, then move.</summary>
    /// <param name="angle">Degrees to rotate by, clockwise.</param>
    /// <param name="move">Columns and rows to move by.</param>
    /// <param name="scale">The factor to enlarge by.</param>
    /// <param name="shear">Degrees by which columns lean.</param>
    internal static AffineMap Of(double angle, (double Across, double Down) move, double scale, double shear)
    {
        var (sin, cos) = Math.SinCos(angle / 180 * Math.PI);
        var lean = -Math.Tan(shear / 180 * Math.PI);
        // Forward: scale · rotation · (1, lean; 0, 1). The determinant of rotation and shear is 1.
        var (a, b) = (cos, cos * lean - sin);
        var (d, e) = (sin, sin * lean + cos);
        var (ia, ib, id, ie) = (e / scale, -b / scale, -d / scale, a / scale);
        return new(ia, ib, -ia * move.Across - ib * move.Down, id, ie, -id * move.Across - ie * move.Down);
    }

    /// <summary>Changes each plane of an image, with bilinear interpolation.</summary>
    internal void Apply(ReadOnlySpan<float> source, int height, int width, Span<float> result, float fill)
    {
        var pixels = height * width;
        for (var y = 0; y < height; y++)
            for (var x = 0; x < width; x++)
            {
                var (fromX, fromY) = Source(x, y, height, width);
                var (left, top) = (Math.Floor(fromX), Math.Floor(fromY));
                var (right, below) = ((float)(fromX - left), (float)(fromY - top));
                // What is further out is outside, too, and fits an int.
                var column = (int)Math.Clamp(left, -2, width);
                var row = (int)Math.Clamp(top, -2, height);
                for (var at = y * width + x; at < result.Length; at += pixels)
                {
                    var plane = source.Slice(at - at % pixels, pixels);
                    var above = (1 - right) * At(plane, row, column) + right * At(plane, row, column + 1);
                    var under = (1 - right) * At(plane, row + 1, column) + right * At(plane, row + 1, column + 1);
                    result[at] = (1 - below) * above + below * under;
                }
            }

        float At(ReadOnlySpan<float> plane, int row, int column) =>
            (uint)row < (uint)height && (uint)column < (uint)width ? plane[row * width + column] : fill;
    }

    /// <summary>For each pixel of the result, the nearest one of the source; −1 outside.</summary>
    internal void SourcePixels(int height, int width, Span<int> sources)
    {
        for (var y = 0; y < height; y++)
            for (var x = 0; x < width; x++)
            {
                var (fromX, fromY) = Source(x, y, height, width);
                var (column, row) = (Math.Floor(fromX + 0.5), Math.Floor(fromY + 0.5));
                sources[y * width + x] = row >= 0 && row < height && column >= 0 && column < width
                    ? (int)row * width + (int)column
                    : -1;
            }
    }

    private (double X, double Y) Source(int x, int y, int height, int width)
    {
        var (middleX, middleY) = ((width - 1) / 2.0, (height - 1) / 2.0);
        var (fromX, fromY) = (x - middleX, y - middleY);
        return (A * fromX + B * fromY + C + middleX, D * fromX + E * fromY + F + middleY);
    }
}
