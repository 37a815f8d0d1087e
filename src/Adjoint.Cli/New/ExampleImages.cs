using Adjoint.Formats;

namespace Adjoint.Cli;

/// <summary>
/// The example data of a new project: drawings of circles, squares and triangles of any size, place and color on any
/// background, a folder of PNG files for each.
/// </summary>
internal static class ExampleImages
{
    private const int Side = 32, Count = 80;

    private static readonly (string Name, Func<double, double, bool> IsInside)[] Shapes =
    [
        ("circle", (x, y) => x * x + y * y < 1),
        ("square", (x, y) => Math.Max(Math.Abs(x), Math.Abs(y)) < 0.9),
        ("triangle", (x, y) => y is > -0.9 and < 0.9 && Math.Abs(x) < (y + 0.9) / 1.8),
    ];

    /// <summary>Writes the files, always the same.</summary>
    internal static void Write(string folder)
    {
        var random = new Random(1);
        foreach (var (name, isInside) in Shapes)
        {
            Directory.CreateDirectory(Path.Combine(folder, name));
            for (var number = 1; number <= Count; number++)
                ImageFile.Write(Path.Combine(folder, name, $"{number:00}.png"), Draw(random, isInside));
        }
    }

    private static Tensor Draw(Random random, Func<double, double, bool> isInside)
    {
        var radius = random.Next(6, 12);
        var (centerX, centerY) = (random.Next(radius, Side - radius), random.Next(radius, Side - radius));
        // Dark on light or light on dark.
        var isDark = random.Next(2) == 0;
        byte Shade(bool dark) => (byte)(dark ? random.Next(0, 100) : random.Next(156, 256));
        byte[] shape = [Shade(isDark), Shade(isDark), Shade(isDark)];
        byte[] ground = [Shade(!isDark), Shade(!isDark), Shade(!isDark)];
        var pixels = new byte[3 * Side * Side];
        for (var i = 0; i < pixels.Length; i++)
        {
            var (channel, y, x) = (i / (Side * Side), i / Side % Side, i % Side);
            var color = isInside((x - centerX) / (double)radius, (y - centerY) / (double)radius) ? shape : ground;
            pixels[i] = (byte)Math.Clamp(color[channel] + random.Next(-12, 13), 0, 255);
        }
        return Tensor.From(pixels, 3, Side, Side);
    }
}
