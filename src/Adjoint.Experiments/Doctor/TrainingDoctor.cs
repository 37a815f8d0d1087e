using System.Globalization;
using Adjoint.Data;
using Adjoint.Nn;
using Adjoint.Training;

namespace Adjoint.Experiments;

/// <summary>
/// Watches a network learn and says, in one line for each finding, what looks wrong, by which rule, and which source
/// gives the rule. It changes nothing: a watched run gives the same bits.
/// </summary>
/// <param name="samples">Up to 256 of these pass through the network after each epoch.</param>
public sealed class TrainingDoctor(Dataset samples) : Callback
{
    private const int Probes = 256, WatchedStep = 2;
    private const double Saturated = 0.02, ManyDead = 0.4, ManySaturated = 0.5;
    private const double SmallUpdate = 1e-5, LargeUpdate = 0.1, NormRatio = 1e3, LargeLoss = 100;
    private readonly List<LayerReading> history = [];
    private readonly List<(string Layer, double Gradient, double Ratio)> step = [];
    private Dictionary<string, float[]>? before;
    private bool usesSigmoid;
    private LearningTask? task;

    /// <summary>The measurements of every layer in every epoch, in order.</summary>
    public IReadOnlyList<LayerReading> History => history;

    /// <inheritdoc/>
    public override void AfterBatch(Trainer trainer, StepInfo info)
    {
        // The step before the watched one leaves the parameters as they were; short epochs have none to watch.
        if (info.Step == WatchedStep - 1) before = Copy(trainer.Model);
        else if (info.Step == WatchedStep && before is not null)
        {
            step.Clear();
            foreach (var layer in trainer.Model.NamedParameters().GroupBy(parameter => LayerOf(parameter.Name)))
            {
                var (gradient, change, size) = (0.0, 0.0, 0.0);
                foreach (var (name, value) in layer)
                {
                    if (value.Grad is { } own) gradient += Square(Numbers(own));
                    var (old, now) = (before[name], Numbers(value));
                    for (var i = 0; i < now.Length; i++)
                    {
                        change += (double)(now[i] - old[i]) * (now[i] - old[i]);
                        size += (double)old[i] * old[i];
                    }
                }
                step.Add((layer.Key, Math.Sqrt(gradient), Math.Sqrt(change / size)));
            }
            before = null;
        }
    }

    /// <inheritdoc/>
    public override void AfterEpoch(Trainer trainer, EpochResult epoch)
    {
        task = trainer.Task;
        if (epoch.Epoch == 0)
        {
            // Another run begins; the one before may have ended in the middle of an epoch.
            history.Clear();
            step.Clear();
        }
        foreach (var (layer, gradient, ratio) in step)
            history.Add(new(epoch.Epoch, layer, gradient, ratio, double.NaN));
        step.Clear();
        foreach (var (layer, idle) in Probe(trainer))
            history.Add(new(epoch.Epoch, layer, double.NaN, double.NaN, idle));
    }

    /// <inheritdoc/>
    public override void Save(TrainingState state)
    {
        state.Set("doctor", string.Join('\n', history.Select(row =>
            $"{row.Layer} {Text(row.Epoch)} {Text(row.GradientNorm)} {Text(row.UpdateRatio)} {Text(row.Idle)}")));
        state.Set("doctor.step", string.Join('\n', step.Select(row =>
            $"{row.Layer} {Text(row.Gradient)} {Text(row.Ratio)}")));
        if (before is not null)
            state.Add("doctor", before.ToDictionary(
                entry => entry.Key, entry => Tensor.From(entry.Value, entry.Value.Length)));
    }

    /// <inheritdoc/>
    public override void Load(Trainer trainer, TrainingState state)
    {
        history.Clear();
        step.Clear();
        foreach (var row in Rows(state.Text("doctor"), 5))
            history.Add(new(Epoch(row[1], trainer), row[0], Number(row[2]), Number(row[3]), Number(row[4])));
        foreach (var row in Rows(state.Text("doctor.step"), 3)) step.Add((row[0], Number(row[1]), Number(row[2])));
        var kept = state.TensorsOf("doctor");
        before = kept.Count == 0 ? null : trainer.Model.NamedParameters().ToDictionary(own => own.Name, own =>
            kept.TryGetValue(own.Name, out var value) && value.DType == DType.Float32
                && value.Length == own.Value.Length
                ? value.ToArray<float>()
                : throw new AdjointException($"TrainingDoctor: state {own.Name} must be {own.Value.Length} numbers"));
        task = trainer.Task;
        usesSigmoid = Activations(trainer.Model, "").Any(layer => layer.Layer is Sigmoid);
    }

    /// <summary>What looks wrong.</summary>
    /// <param name="epochs">The run's epochs; the one before training comes first.</param>
    /// <returns>One line for each finding, with the rule and its source; none for a healthy run.</returns>
    public IReadOnlyList<string> Advice(IReadOnlyList<EpochResult> epochs)
    {
        // A run that diverged has an epoch that was begun and never ended.
        var begun = step.Select(row => new LayerReading(epochs.Count, row.Layer, row.Gradient, row.Ratio, double.NaN));
        LayerReading[] seen = [.. history, .. begun];
        return
        [
            .. FirstLoss(epochs), .. Values(epochs), .. IdleUnits(seen), .. Updates(seen), .. Gradients(seen),
                .. Overfitting(epochs),
        ];
    }

    private IEnumerable<string> FirstLoss(IReadOnlyList<EpochResult> epochs)
    {
        var classes = samples.Preprocessing is TextPreprocessing text ? text.Size : samples.ClassNames.Count;
        if (epochs.Count == 0 || classes < 2 || task is not (null or ClassificationTask or NextTokenTask)) yield break;
        var loss = epochs[0].ValidationLoss;
        if (Math.Abs(loss - Math.Log(classes)) > 0.5)
            yield return string.Create(CultureInfo.InvariantCulture,
                $"The loss before training is {loss:0.00}, not about ln {classes} = {Math.Log(classes):0.00}: the " +
                $"initial weights are too large, or the inputs are not scaled; divide the inputs by their range. " +
                $"Rule: within 0.5 of ln(classes) (Karpathy 2019, A Recipe for Training Neural Networks).");
    }

    private IEnumerable<string> Values(IReadOnlyList<EpochResult> epochs)
    {
        if (task is not RegressionTask) yield break;
        var targets = samples.Load([.. Enumerable.Range(0, Math.Min(Probes, samples.Count))]).Targets;
        var values = Numbers(targets);
        var columns = targets.Rank > 1 ? targets.Shape[1] : 1;
        for (var k = 0; k < columns && values.Length > columns; k++)
        {
            var own = values.Where((_, i) => i % columns == k).ToArray();
            var name = columns == 1 ? "The target" : string.Create(CultureInfo.InvariantCulture, $"Target {k + 1}");
            if (own.All(value => value == own[0]))
                yield return string.Create(CultureInfo.InvariantCulture,
                    $"{name} is {own[0]:G5} for each of {own.Length} validation samples: nothing can be " +
                    $"predicted; look whether it is the right column. Rule: a target varies (R² is defined by its " +
                    $"variance).");
        }
        if (epochs.Count == 0) yield break;
        if (epochs[0].ValidationLoss > LargeLoss)
            yield return string.Create(CultureInfo.InvariantCulture,
                $"The loss before training is {epochs[0].ValidationLoss:0.0E+0}: targets lie far from the outputs, " +
                $"so that steps are huge and the mean alone takes long to learn; give RegressionTask their standard " +
                $"deviation as scale, and end the model with a Rescale by their mean and deviation. Rule: about " +
                $"1, not above {LargeLoss:0} (Bishop 1995, §8.2: targets of order unity).");
        var best = epochs.Max(epoch => epoch.Metrics.GetValueOrDefault("r2", double.NegativeInfinity));
        if (epochs.Count > 1 && best <= 0 && double.IsFinite(best))
            yield return string.Create(CultureInfo.InvariantCulture,
                $"R² is at most {best:0.00}: the model predicts no better than the mean of the targets would; look " +
                $"whether the inputs tell anything about the target, raise the learning rate, or train longer. Rule: " +
                $"above 0, the R² of the mean (Draper and Smith 1998, §1.3).");
    }

    private IEnumerable<string> IdleUnits(LayerReading[] seen)
    {
        foreach (var layer in seen.Where(row => !double.IsNaN(row.Idle)).GroupBy(row => row.Layer))
        {
            var (worst, last) = (layer.MaxBy(row => row.Idle)!, layer.Last());
            if (last.Idle <= (usesSigmoid ? ManySaturated : ManyDead)) continue;
            yield return usesSigmoid
                ? string.Create(CultureInfo.InvariantCulture,
                    $"Layer {layer.Key}: {last.Idle:P0} of its sigmoid outputs are saturated (at most " +
                    $"{worst.Idle:P0}, epoch {worst.Epoch}), which lets hardly any gradient through: use smaller " +
                    $"initial weights, scaled inputs, or ReLU. Rule: at most half within {Saturated} of 0 or 1 " +
                    $"(Glorot and Bengio 2010, §3).")
                : string.Create(CultureInfo.InvariantCulture,
                    $"Layer {layer.Key}: {last.Idle:P0} of its ReLU units are dead (at most {worst.Idle:P0}, epoch " +
                    $"{worst.Epoch}): they are 0 for each of {Probes} samples and learn nothing more; lower the " +
                    $"learning rate or scale the inputs. Rule: at most 40 % (Karpathy, CS231n notes: too high a " +
                    $"learning rate kills as many; Maas et al. 2013).");
        }
    }

    private static IEnumerable<string> Updates(LayerReading[] seen)
    {
        foreach (var (layer, ratio) in Medians(seen.Where(row => double.IsFinite(row.UpdateRatio)),
            row => row.UpdateRatio))
            if (ratio is > 0 and < SmallUpdate)
                yield return string.Create(CultureInfo.InvariantCulture,
                    $"Layer {layer}: a step changes its weights by {ratio:0.0E+0} of their size, hardly at all: " +
                        $"raise " +
                    $"the learning rate. Rule: about 1e-3, not below 1e-5 (Karpathy, CS231n notes).");
            else if (ratio > LargeUpdate)
                yield return string.Create(CultureInfo.InvariantCulture,
                    $"Layer {layer}: a step changes its weights by {ratio:0.0E+0} of their size: lower the learning " +
                    $"rate. Rule: about 1e-3, not above 0.1 (Karpathy, CS231n notes).");
    }

    private static IEnumerable<string> Gradients(LayerReading[] seen)
    {
        var norms = Medians(seen.Where(row => row.GradientNorm > 0), row => row.GradientNorm);
        if (norms.Length < 2) yield break;
        var (first, last) = (norms[0].Median, norms[^1].Median);
        if (first * NormRatio < last)
            yield return string.Create(CultureInfo.InvariantCulture,
                $"The gradient of the first layer ({first:0.0E+0}) is over a thousand times smaller than that of the " +
                $"last ({last:0.0E+0}): it vanishes on the way; use ReLU, normalization or skip connections. Rule: " +
                $"within a factor of 1000 (Glorot and Bengio 2010).");
        if (first > NormRatio * last)
            yield return string.Create(CultureInfo.InvariantCulture,
                $"The gradient of the first layer ({first:0.0E+0}) is over a thousand times larger than that of the " +
                $"last ({last:0.0E+0}): scale the inputs, or clip gradients. Rule: within a factor of 1000 (Pascanu, " +
                $"Mikolov and Bengio 2013).");
    }

    private static IEnumerable<string> Overfitting(IReadOnlyList<EpochResult> epochs)
    {
        if (epochs.Count < 3) yield break;
        var (best, last) = (epochs.MinBy(epoch => epoch.ValidationLoss)!, epochs[^1]);
        if (last.ValidationLoss > 1.1 * best.ValidationLoss
            && last.TrainLoss < epochs[Math.Max(1, best.Epoch)].TrainLoss)
            yield return string.Create(CultureInfo.InvariantCulture,
                $"Overfitting: the validation loss rose from {best.ValidationLoss:0.000} (epoch {best.Epoch}) to " +
                $"{last.ValidationLoss:0.000} while the training loss fell to {last.TrainLoss:0.000}: stop earlier, " +
                    $"or " +
                $"add data, augmentation or weight decay. Rule: more than 10 % above its lowest (Prechelt 1998).");
    }

    private static (string Layer, double Median)[] Medians(
        IEnumerable<LayerReading> readings, Func<LayerReading, double> value) =>
        [.. readings.GroupBy(row => row.Layer).Select(layer => (layer.Key, Median([.. layer.Select(value)])))];

    private IEnumerable<(string Layer, double Idle)> Probe(Trainer trainer)
    {
        var model = trainer.Model;
        var watched = Activations(model, "").ToArray();
        usesSigmoid = watched.Any(layer => layer.Layer is Sigmoid);
        if (watched.Length == 0) return [];
        var readings = new List<(string, double)>();
        // A layer that stands in several places is watched once; the order of its calls tells them apart.
        var hooks = watched.GroupBy(layer => layer.Layer, layer => layer.Path).Select(layer =>
        {
            var (paths, calls) = (layer.ToArray(), 0);
            return layer.Key.RegisterForwardHook((module, _, output) =>
            {
                readings.Add((paths[calls++ % paths.Length], Idle(module, output)));
                return null;
            });
        }).ToArray();
        try
        {
            using var recording = new NoGrad();
            using var use = model.EvalScope();
            trainer.Task.Forward(model, samples.Load([.. Enumerable.Range(0, Math.Min(Probes, samples.Count))]));
        }
        finally
        {
            foreach (var hook in hooks) hook.Dispose();
        }
        return readings;
    }

    // Sigmoid: outputs near an end. ReLU: units (channels of an image) that are 0 for every sample.
    private static double Idle(Layer module, Tensor output)
    {
        var values = Numbers(output);
        if (module is Sigmoid)
            return (double)values.Count(value => value < Saturated || value > 1 - Saturated) / values.Length;
        var units = output.Shape[1];
        var plane = output.Rank == 2 ? 1 : output.Length / output.Shape[0] / units;
        var alive = new bool[units];
        for (var i = 0; i < values.Length; i++)
            if (values[i] > 0) alive[i / plane % units] = true;
        return (double)alive.Count(one => !one) / units;
    }

    private static IEnumerable<(string Path, Layer Layer)> Activations(Module module, string path)
    {
        if (module is Layer layer and (Sigmoid or Relu)) yield return (path, layer);
        foreach (var (name, child) in module.Children)
            foreach (var inner in Activations(child, path.Length == 0 ? name : $"{path}.{name}"))
                yield return inner;
    }

    private static Dictionary<string, float[]> Copy(Module model) =>
        model.NamedParameters().ToDictionary(parameter => parameter.Name, parameter => Numbers(parameter.Value));

    // In float32, whatever the model computes in: it is statistics.
    private static float[] Numbers(Tensor tensor) => tensor.Detach().To(DType.Float32).ToArray<float>();

    private static string LayerOf(string parameter) =>
        parameter.LastIndexOf('.') is >= 0 and var dot ? parameter[..dot] : parameter;

    private static double Square(float[] values) => values.Sum(value => (double)value * value);

    private static double Median(double[] values)
    {
        Array.Sort(values);
        return values[values.Length / 2];
    }

    private static IEnumerable<string[]> Rows(string text, int columns)
    {
        if (text.Length == 0) return [];
        return text.Split('\n').Select(line => line.Split(' ') is { } row && row.Length == columns
            ? row
            : throw new AdjointException($"TrainingDoctor: a row of {columns} values is needed: found '{line}'"));
    }

    private static double Number(string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw new AdjointException($"TrainingDoctor: a number is needed: found '{text}'");

    private static int Epoch(string text, Trainer trainer) =>
        Number(text) is >= 0 and var number && number < trainer.Results.Count
            ? (int)number
            : throw new AdjointException($"TrainingDoctor: an epoch that was measured is needed: found '{text}'");

    private static string Text(double number) => number.ToString("R", CultureInfo.InvariantCulture);
}
