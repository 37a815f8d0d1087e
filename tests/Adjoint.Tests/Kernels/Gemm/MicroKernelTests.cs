namespace Adjoint.Tests.Kernels;

public class MicroKernelTests
{
    [Fact]
    public void Micro_kernels_are_what_the_generator_writes()
    {
        var path = Path.Combine(LayeringTests.Root(), "src", "Adjoint.Kernels", "Gemm", "MicroKernels.g.cs");
        var text = MicroKernelGenerator.Text();
        if (Environment.GetEnvironmentVariable("ADJOINT_WRITE_TILES") is not null) File.WriteAllText(path, text);
        Assert.True(
            File.ReadAllText(path) == text,
            $"{path} is not what MicroKernelGenerator writes; write it anew with ADJOINT_WRITE_TILES=1");
    }
}
