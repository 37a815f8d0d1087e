namespace Adjoint.Tests.Kernels;

/// <summary>The micro-kernels of the convolutions are what their generator writes.</summary>
public class ConvTileTests
{
    [Fact]
    public void Tiles_are_as_the_generator_writes_them()
    {
        var folder = Path.Combine(LayeringTests.Root(), "src", "Adjoint.Kernels", "Convolution", "Tiles");
        var isAsked = Environment.GetEnvironmentVariable("ADJOINT_WRITE_TILES") is not null;
        foreach (var (name, text) in ConvTileGenerator.Files())
        {
            var path = Path.Combine(folder, name);
            if (isAsked) File.WriteAllText(path, text);
            Assert.True(
                File.Exists(path) && File.ReadAllText(path) == text,
                $"{path} is not what ConvTileGenerator writes; write it anew with ADJOINT_WRITE_TILES=1");
        }
        Assert.Equal(
            ConvTileGenerator.Files().Select(file => file.Name).Order(),
            Directory.GetFiles(folder, "*.g.cs").Select(Path.GetFileName).Order());
    }
}
