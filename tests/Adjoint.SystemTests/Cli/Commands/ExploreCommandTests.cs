namespace Adjoint.SystemTests.Cli;

/// <summary>What <c>adjoint explore</c> refuses; its pages are tested beside them.</summary>
public sealed class ExploreCommandTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData("lr", "0.1")]
    [InlineData("batch-size", "8")]
    [InlineData("checkpoint", "")]
    public void A_file_is_not_trained(string option, string value)
    {
        // A checkpoint is looked for before anything else.
        if (value == "") File.WriteAllText(value = Path.Combine(folder, "best.safetensors"), "");
        Assert.Equal(
            $"adjoint: --{option}: has no effect on the page of a file, where nothing is trained; leave it out",
            ToolRun.Refused("explore", "some.pt", $"--{option}", value));
    }

    [Fact]
    public void What_is_no_file_of_tensors_is_one_line()
    {
        var path = Path.Combine(folder, "some.pt");
        Assert.Contains(path, Fails(path), StringComparison.Ordinal);
        File.WriteAllText(path, "neither\nof\nthese");
        Assert.Contains("a file of tensors", Fails(path), StringComparison.Ordinal);
        File.Delete(path);
        Assert.Contains(folder, Fails(folder), StringComparison.Ordinal);
    }

    private static string Fails(string path)
    {
        var (code, output, error) = ToolRun.Of("explore", path);
        Assert.Equal((1, ""), (code, output));
        return Assert.Single(error.TrimEnd().Split('\n'));
    }
}
