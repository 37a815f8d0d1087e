using Adjoint.Data;
using Adjoint.Training;

namespace Adjoint.Tests.Training;

public class DeterminedAccuracyTests
{
    // Against a plain loop over places, through the task as an evaluation calls it.
    [Theory, InlineData(false), InlineData(true)]
    public void Counts_the_places_that_are_determined(bool weighted)
    {
        var seed = Environment.TickCount;
        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var (metric, task) = (new DeterminedAccuracy(), new NextTokenTask());
        var (right, all) = (0.0, 0.0);
        foreach (var (n, t) in ((int, int)[])[(3, 7), (1, 1), (2, 5)])
        {
            var logits = Enumerable.Range(0, n * t * 4).Select(_ => random.NextSingle()).ToArray();
            var targets = Enumerable.Range(0, n * t).Select(_ => random.Next(5) is 4 ? -100L : random.Next(4))
                .ToArray();
            var determined = targets.Select(_ => random.Next(2) == 0).ToArray();
            var weights = Enumerable.Range(0, n).Select(_ => (float)random.Next(3)).ToArray();
            for (var i = 0; i < n * t; i++)
            {
                var own = logits[(4 * i)..(4 * i + 4)];
                var weight = weighted ? weights[i / t] : 1;
                if (!determined[i] || targets[i] == -100) continue;
                all += weight;
                if (own.Max() == own[Math.Max(0, targets[i])]) right += weight;
            }
            var batch = new Batch((Field.Inputs, Tensor.Zeros([n, t], DType.Int64)),
                (Field.Targets, Tensor.From(targets, n, t)), (Field.Determined, Tensor.From(determined, n, t)));
            if (weighted) batch = batch.With(Field.Weights, Tensor.From(weights, n));
            task.Update(metric, Tensor.From(logits, n, t, 4), batch);
        }
        Assert.Equal(all == 0 ? double.NaN : right / all, metric.Compute(), 1e-12);
    }

    [Fact]
    public void Without_a_determined_place_it_is_NaN() =>
        Assert.Equal(double.NaN, Of(Tensor.From([false, false], 1, 2)).Compute());

    [Fact]
    public void A_batch_without_the_field_and_one_of_another_shape_or_type_are_refused()
    {
        var tokens = Tensor.Zeros([1, 2], DType.Int64);
        var error = Assert.Throws<AdjointException>(() => new DeterminedAccuracy().Update(Tensor.Zeros(1, 2, 3),
            new Batch((Field.Inputs, tokens), (Field.Targets, tokens))));
        Assert.Equal(
            "DeterminedAccuracy: a batch with the field 'determined' is needed, as formal languages have: found "
            + "inputs, targets; use Accuracy for other texts", error.Message);
        foreach (var wrong in (Tensor[])[Tensor.From([true, false]).Reshape(2, 1).Transpose().Slice(1, 0, 1), tokens])
            Assert.Contains("must be bool in the shape of the targets, (1, 2): found ",
                Assert.Throws<AdjointException>(() => Of(wrong)).Message, StringComparison.Ordinal);
    }

    private static DeterminedAccuracy Of(Tensor determined)
    {
        var metric = new DeterminedAccuracy();
        metric.Update(Tensor.Zeros(1, 2, 3),
            new Batch((Field.Targets, Tensor.Zeros([1, 2], DType.Int64)), (Field.Determined, determined)));
        return metric;
    }
}
