using Adjoint.Data;
using Adjoint.Nn;
using Adjoint.Optim;
using Adjoint.Training;

namespace Adjoint.Tests.Training;

public class LearningRateFinderTests
{
    private static readonly DataSplits Data = Synth.Create(seed: 1, train: 512, validation: 64);

    [Fact]
    public void Afterwards_everything_is_as_before_bit_for_bit()
    {
        float[] Train(bool find)
        {
            var trainer = New(out var model);
            if (find)
            {
                trainer.Fit(1);
                LearningRateFinder.Run(trainer, steps: 30);
            }
            else trainer.Fit(1);
            trainer.Fit(2);
            return [.. model.StateDict().Values.SelectMany(value => value.To(DType.Float32).ToArray<float>())];
        }

        Assert.Equal(Train(find: false), Train(find: true));
    }

    [Fact]
    public void The_loss_falls_and_then_explodes_and_the_suggestion_lies_between()
    {
        var curve = LearningRateFinder.Run(New(out _), 1e-5, 1e5, 200);
        Assert.InRange(curve.Points.Count, 50, 199);
        for (var i = 0; i < curve.Points.Count; i++)
            Assert.Equal(1e-5 * Math.Pow(1e10, i / 199.0), curve.Points[i].Rate, 1e-9 * curve.Points[i].Rate);
        Assert.InRange(curve.Suggestion, 1e-3, 10);
        var lowest = curve.Points.MinBy(point => point.Loss);
        Assert.True(curve.Suggestion <= lowest.Rate && lowest.Loss < curve.Points[0].Loss, $"{curve.Suggestion}");
        // Of losses that are known: ln-steps of equal size, the steepest fall about the third rate.
        var known = new LearningRateCurve([(1, 5), (2, 4.9), (4, 4), (8, 3), (16, 3), (32, 9)]);
        Assert.Equal(4, known.Suggestion);
        Assert.True(double.IsNaN(new LearningRateCurve([(1, 1), (2, 2), (4, 3)]).Suggestion));
    }

    [Fact]
    public void Rates_out_of_order_are_refused()
    {
        var error = Assert.Throws<AdjointException>(() => LearningRateFinder.Run(New(out _), 1, 0.1));
        Assert.Contains("0 < from < to and at least 2 steps are needed: found 1, 0.1 and 100", error.Message,
            StringComparison.Ordinal);
    }

    private static Trainer New(out Layer model)
    {
        var random = new Generator(1);
        model = new Sequential(new Linear(2, 16, generator: random), new BatchNorm(16), new Relu(),
            new Dropout(0.2, new Generator(7)), new Linear(16, 2, generator: random));
        return new(model, new Adam(model.Parameters(), 0.01), new ClassificationTask(),
            new DataLoader(Data.Train, 64, new() { Shuffle = true, Seed = 1 }), new DataLoader(Data.Validation, 64));
    }
}
