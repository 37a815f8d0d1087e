using Adjoint.Data;
using Adjoint.Experiments;
using Adjoint.Nn;
using Adjoint.Optim;
using Adjoint.Training;

namespace Adjoint.Tests.Training;

/// <summary>Whether steps were captured can be seen wherever a run is looked at.</summary>
public class CapturedTrainingTests
{
    // 5 batches of 32 and one of 8 in an epoch.
    private static TensorDataset Noise => new(
        "noise", (int[])[12], Tensor.Randn([168 * 12], new Generator(1)).ToArray<float>(),
        [.. Enumerable.Range(0, 168).Select(i => (byte)(i % 3))], ["a", "b", "c"]);

    private static TrainingResult Run(Layer model, bool eager = false, Profile? profile = null)
    {
        var optimizer = new Sgd(model.Parameters(), 0.1, momentum: 0.9);
        return new Trainer(model, optimizer, new ClassificationTask(), new DataLoader(Noise, 32),
            new DataLoader(Noise, 32))
        {
            Eager = eager,
            Profile = profile,
        }.Fit(3);
    }

    private static Sequential Model(params Layer[] more) =>
        new([new Linear(12, 20, generator: new Generator(1)), .. more, new Linear(20, 3, generator: new Generator(2))]);

    private static string Html(TrainingResult result) => new RunReport(
        "run", [], result, Measures.Evaluation(0, 0, new int[3, 3]), ["a", "b", "c"], null).ToHtml();

    [Fact]
    public void A_captured_run_says_how_much_was_replayed()
    {
        var result = Run(Model(new Relu()));
        var capture = result.Capture!;
        Assert.Null(capture.Refusal);
        Assert.Equal((14L, 2L, 2L, 2), (capture.Replayed, capture.Recorded, capture.Eager, capture.Plans));
        Assert.StartsWith("captured: 14 of 18 calls replayed 2 plans of ", $"{capture}", StringComparison.Ordinal);
        Assert.Contains(
            $"<td>training steps</td><td>captured</td><td>{capture}</td>", Html(result), StringComparison.Ordinal);
        Assert.Null(Run(Model(new Relu()), eager: true).Capture);
    }

    [Fact]
    public void A_run_that_cannot_be_captured_says_why()
    {
        var result = Run(Model(new Peeks()));
        Assert.Equal((0L, 18L, 0), (result.Capture!.Replayed, result.Capture.Eager, result.Capture.Plans));
        Assert.Contains("a tensor's memory is read or written between operations", result.Capture.Refusal,
            StringComparison.Ordinal);
        Assert.Contains("<td>training steps</td><td>eager</td><td>eager: a tensor's memory is read", Html(result),
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_profile_times_a_captured_run_by_the_ops_of_its_plan()
    {
        var (captured, eager) = (new Profile(), new Profile());
        Assert.Equal(14, Run(Model(new Relu()), profile: captured).Capture!.Replayed);
        Run(Model(new Relu()), eager: true, profile: eager);
        Assert.Equal(18 * 2, eager.Rows.Single(row => row.Name == "Linear").Operations);
        // Recordings are not timed.
        Assert.Equal(16 * 2, captured.Rows.Single(row => row.Name == "Linear").Operations);
        Assert.Equal(eager.Rows.Select(row => row.Name).Order(), captured.Rows.Select(row => row.Name).Order());
    }

    private sealed class Peeks : Layer
    {
        protected override Tensor ForwardCore(Tensor x) => x.Max().Item() > 1e30 ? -x : x;
    }
}
