using Adjoint.Data;

namespace Adjoint.Training;

/// <summary>The loss at growing learning rates, as <see cref="LearningRateFinder"/> found it.</summary>
/// <param name="Points">
/// Learning rate of the first group, and loss, smoothed, at each step; it ends where the loss explodes.
/// </param>
public sealed record LearningRateCurve(IReadOnlyList<(double Rate, double Loss)> Points)
{
    /// <summary>
    /// The rate at which the loss falls most steeply, against the logarithm of the rate; NaN where it does not fall.
    /// </summary>
    public double Suggestion
    {
        get
        {
            // Over some steps on either side and after the first ones: single batches are noisy.
            var (best, steepest, span) = (double.NaN, 0.0, Math.Max(1, Points.Count / 20));
            for (var i = Math.Max(span, Points.Count / 8); i < Points.Count - span; i++)
            {
                var slope = (Points[i + span].Loss - Points[i - span].Loss)
                    / Math.Log(Points[i + span].Rate / Points[i - span].Rate);
                if (slope < steepest) (best, steepest) = (Points[i].Rate, slope);
            }
            return best;
        }
    }
}

/// <summary>
/// Finds a learning rate (Smith 2017, §3.3): a few steps with rates that grow exponentially show from where on the loss
/// falls, and where it explodes. Afterwards the model, the optimizer and all random streams are as before, bit for bit.
/// </summary>
public static class LearningRateFinder
{
    // Smoothing of the losses, and how far above the lowest one explodes.
    private const double Smoothing = 0.98, Explosion = 4;

    /// <summary>
    /// Tries learning rates on the training batches of a trainer, one batch per step, without its callbacks and
    /// schedules. Groups keep the ratios of their rates.
    /// </summary>
    /// <param name="trainer">The trainer, before a run.</param>
    /// <param name="from">The first rate, above 0.</param>
    /// <param name="to">The last rate, above the first.</param>
    /// <param name="steps">The number of steps, 2 or more.</param>
    /// <returns>The losses by rate.</returns>
    /// <exception cref="AdjointException">A number is out of range, or there is no batch to train on.</exception>
    public static LearningRateCurve Run(Trainer trainer, double from = 1e-7, double to = 10, int steps = 100)
    {
        if (!(from > 0 && to > from && double.IsFinite(to)) || steps < 2)
            throw new AdjointException(
                "LearningRateFinder: rates 0 < from < to and at least 2 steps are needed: found "
                + $"{from}, {to} and {steps}");
        trainer.Training.RequireBatches(nameof(LearningRateFinder));
        var points = new List<(double, double)>();
        var (mean, lowest) = (0.0, double.PositiveInfinity);
        using var before = new Restored(trainer);
        var step = new TrainingStep(trainer, isObserved: false);
        trainer.Model.Train();
        using var batches = Endless(trainer.Training).GetEnumerator();
        for (var i = 0; i < steps && batches.MoveNext(); i++)
        {
            var rate = from * Math.Pow(to / from, (double)i / (steps - 1));
            trainer.Optimizer.LearningRate = rate;
            var loss = step.Run(batches.Current, null);
            if (trainer.Task.Reduction == Reduction.Sum) loss /= trainer.Task.Weight(batches.Current);
            mean = Smoothing * mean + (1 - Smoothing) * loss;
            var smooth = mean / (1 - Math.Pow(Smoothing, i + 1));
            if (!double.IsFinite(smooth) || smooth > Explosion * lowest) break;
            lowest = Math.Min(lowest, smooth);
            points.Add((rate, smooth));
            trainer.ClipGradients();
            trainer.Optimizer.Step();
        }
        return new(points);
    }

    private static IEnumerable<Batch> Endless(DataLoader loader)
    {
        while (true)
            foreach (var batch in loader) yield return batch;
    }

    /// <summary>What the steps change, put back at the end.</summary>
    private sealed class Restored : IDisposable
    {
        private readonly Trainer trainer;
        private readonly (Tensor Value, Tensor Copy)[] values;
        private readonly Dictionary<string, Tensor> optimizer;
        private readonly double[] rates;
        private readonly (Generator Generator, ulong Position)[] streams;
        private readonly int epoch, start;
        private readonly bool wasTraining;

        internal Restored(Trainer trainer)
        {
            this.trainer = trainer;
            values = [.. trainer.Model.NamedParameters().Concat(trainer.Model.NamedBuffers())
                .Select(entry => (entry.Value, entry.Value.Detach().Clone().Keep()))];
            optimizer = trainer.Optimizer.StateDict()
                .ToDictionary(entry => entry.Key, entry => entry.Value.Clone().Keep());
            rates = [.. trainer.Optimizer.Groups.Select(group => group.LearningRate)];
            streams = [.. trainer.Streams().Select(stream => (stream.Value, stream.Value.Position))];
            (epoch, start) = (trainer.Training.Epoch, trainer.Training.Start);
            wasTraining = trainer.Model.IsTraining;
        }

        public void Dispose()
        {
            using (new NoGrad())
                foreach (var (value, copy) in values) value.CopyFrom(copy);
            trainer.Optimizer.ZeroGrad();
            trainer.Optimizer.LoadStateDict(optimizer);
            foreach (var (group, rate) in trainer.Optimizer.Groups.Zip(rates)) group.LearningRate = rate;
            foreach (var (generator, position) in streams) generator.Position = position;
            (trainer.Training.Epoch, trainer.Training.Start) = (epoch, start);
            if (!wasTraining) trainer.Model.Eval();
        }
    }
}
