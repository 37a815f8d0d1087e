namespace Adjoint.SystemTests.Samples;

/// <summary>The programs in samples/ print what they are to show.</summary>
public sealed class SampleTests(SampleBuild build) : IClassFixture<SampleBuild>
{
    [Theory]
    [InlineData("first-gradient", "[[-0.2500, -0.1250],\n [-0.1200, -0.0625]]")]
    [InlineData("own-dataset", "% of the batches is padding\nresumed: the same bits")]
    [InlineData("own-op", "agrees with finite differences\ncaptured: the same bits")]
    [InlineData("own-primitive", "agrees with finite differences\ncaptured: the same bits")]
    [InlineData("own-optimizer", "agrees with the plain loop, captured too")]
    [InlineData("own-module", "correct: 100 %\nthe state in float64")]
    [InlineData("own-view", "agrees with finite differences\ncaptured: the same bits")]
    [InlineData("own-initializer",
        "norm after 50 layers: 1.0000 times that of the input\nthe filters are orthonormal")]
    [InlineData("own-schedule", "step 100: rate 0.0200\nstep 400: rate 0.0100\nbest: epoch")]
    [InlineData("own-loss-and-metric", "now, 90 % are, and the loss is 0.4")]
    [InlineData("csv-to-web-service", "on rows that it has not seen: R² 0.99")]
    [InlineData("image-folder", "a new disc: disc\na new ring: ring")]
    [InlineData("load-weights",
        "loaded 2 tensors; 2 renamed, such as module.1.weight to 1.weight\nof another shape, so kept as they were: "
            + "3.weight (3, 16), there (10, 16), 3.bias (3,), there (10,)\nconverted: 1.weight float16 to float32, "
            + "1.bias float16 to float32\nthe body has the bits of the file")]
    [InlineData("fine-tune", "of new images, more than 9 of 10 are recognized: True")]
    [InlineData("explore", "graph.html")]
    [InlineData("plain-training-loop", "epoch 5: validation accuracy 9")]
    [InlineData("trainer", "validation accuracy 99")]
    [InlineData("web-service",
        "64 requests at once: the same bits as sequential ones\nmeanwhile, the next model learned")]
    public void A_sample_runs(string sample, string expected) =>
        Assert.Contains(expected, build.Run(sample), StringComparison.Ordinal);

    [Fact]
    public void Every_sample_is_run()
    {
        var listed = typeof(SampleTests).GetMethod(nameof(A_sample_runs))!
            .GetCustomAttributes(typeof(InlineDataAttribute), false).Cast<InlineDataAttribute>()
            .Select(row => $"{row.Data[0]}.cs");
        Assert.Equal(listed.Order(), SampleBuild.Paths().Select(Path.GetFileName).Order());
    }

    /// <summary>
    /// The one with all kinds of directives; a gallery's program would find a library that is not built.
    /// </summary>
    [Fact]
    public void A_sample_runs_as_its_page_says()
    {
        var path = Path.Combine(LayeringTests.Root(), "samples", "csv-to-web-service.cs");
        Assert.Contains("R² 0.99", Dotnet.Run("run", path), StringComparison.Ordinal);
    }
}
