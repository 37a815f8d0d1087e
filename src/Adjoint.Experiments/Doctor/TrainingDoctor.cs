using System.Globalization;
using Adjoint.Data;
using Adjoint.Nn;
using Adjoint.Training;

namespace Adjoint.Experiments;

/// <summary>What was seen of a layer in an epoch.</summary>
/// <param name="Epoch">Which; 0 is before training.</param>
/// <param name="Layer">Its path.</param>
/// <param name="GradientNorm">2-norm of the gradient of its parameters, after the epoch's second step; NaN for layers without.</param>
/// <param name="UpdateRatio">2-norm of that step's change over that of the parameters; NaN for layers without.</param>
/// <param name="Idle">The share of ReLU units that are 0, or sigmoid outputs that lie within 0.02 of 0 or 1, on some validation samples; NaN for other layers.</param>
public sealed record LayerReading(int Epoch, string Layer, double GradientNorm, double UpdateRatio, double Idle);

/// <summary>Watches a network learn and says, in one line each, what looks wrong, by which rule, and who says so. It changes nothing: the bits of a watched run are the same.</summary>
/// <param name="samples">Some of these are sent through after each epoch.</param>
public sealed class TrainingDoctor(Dataset samples) : Callback
{
    private const int Probes = 256, WatchedStep = 2;
    private const double Saturated = 0.02, ManyDead = 0.4, ManySaturated = 0.5, StillBelow = 1e-5, WildAbove = 0.1, NormRatio = 1e3;
    private readonly List<LayerReading> history = [];
    private readonly List<(string Layer, double Gradient, double Ratio)> step = [];
    private Dictionary<string, float[]>? before;
    private bool usesSigmoid;

    /// <summary>Every layer in every epoch.</summary>
    public IReadOnlyList<LayerReading> History => history;

    /// <inheritdoc/>
    public override void OnStep(Trainer trainer, StepInfo info)
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
                    for (var i = 0; i < now.Length; i++) (change, size) = (change + (double)(now[i] - old[i]) * (now[i] - old[i]), size + (double)old[i] * old[i]);
                }
                step.Add((layer.Key, Math.Sqrt(gradient), Math.Sqrt(change / size)));
            }
            before = null;
        }
    }

    /// <inheritdoc/>
    public override void OnEpoch(Trainer trainer, EpochResult epoch)
    {
        if (epoch.Epoch == 0)
        {
            // Another run begins; the one before may have ended in the middle of an epoch.
            history.Clear();
            step.Clear();
        }
        foreach (var (layer, gradient, ratio) in step) history.Add(new(epoch.Epoch, layer, gradient, ratio, double.NaN));
        step.Clear();
        foreach (var (layer, idle) in Probe(trainer.Model)) history.Add(new(epoch.Epoch, layer, double.NaN, double.NaN, idle));
    }

    /// <inheritdoc/>
    public override void Save(TrainingState state)
    {
        state.Set("doctor", string.Join('\n', history.Select(row => $"{row.Layer} {Text(row.Epoch)} {Text(row.GradientNorm)} {Text(row.UpdateRatio)} {Text(row.Idle)}")));
        state.Set("doctor.step", string.Join('\n', step.Select(row => $"{row.Layer} {Text(row.Gradient)} {Text(row.Ratio)}")));
        if (before is not null) state.Add("doctor", before.ToDictionary(entry => entry.Key, entry => Tensor.From(entry.Value, entry.Value.Length)));
    }

    /// <inheritdoc/>
    public override void Load(Trainer trainer, TrainingState state)
    {
        history.Clear();
        step.Clear();
        foreach (var row in Rows(state.Text("doctor"), 5))
            history.Add(new(Epoch(row[1], trainer), row[0], Number(row[2]), Number(row[3]), Number(row[4])));
        foreach (var row in Rows(state.Text("doctor.step"), 3)) step.Add((row[0], Number(row[1]), Number(row[2])));
        var kept = state.Part("doctor");
        before = kept.Count == 0 ? null : trainer.Model.NamedParameters().ToDictionary(own => own.Name, own =>
            kept.TryGetValue(own.Name, out var value) && value.DType == DType.Float32
                && value.Length == own.Value.Length
                ? value.ToArray<float>()
                : throw new AdjointException($"TrainingDoctor: state {own.Name} must be {own.Value.Length} numbers"));
        usesSigmoid = Activations(trainer.Model, "").Any(layer => layer.Layer is Sigmoid);
    }

    /// <summary>What looks wrong: one line each, with the rule and its source; empty for a healthy run.</summary>
    public IReadOnlyList<string> Advice(IReadOnlyList<EpochResult> epochs)
    {
        var lines = new List<string>();
        // A run that diverged has an epoch that was begun and never ended.
        var begun = step.Select(row => new LayerReading(epochs.Count, row.Layer, row.Gradient, row.Ratio, double.NaN));
        LayerReading[] seen = [.. history, .. begun];
        var classes = samples.ClassNames.Count;
        if (epochs.Count > 0 && Math.Abs(epochs[0].ValidationLoss - Math.Log(classes)) > 0.5)
            lines.Add(Line($"The loss before training is {epochs[0].ValidationLoss:0.00}, not about ln {classes} = {Math.Log(classes):0.00}: first weights too large, or inputs not scaled; divide inputs by their range. Rule: within 0.5 of ln(classes) (Karpathy 2019, A Recipe for Training Neural Networks)."));
        foreach (var layer in seen.Where(row => !double.IsNaN(row.Idle)).GroupBy(row => row.Layer))
        {
            var worst = layer.MaxBy(row => row.Idle)!;
            var last = layer.Last();
            if (last.Idle <= (usesSigmoid ? ManySaturated : ManyDead)) continue;
            lines.Add(usesSigmoid
                ? Line($"Layer {layer.Key}: {last.Idle:P0} of its sigmoid outputs are saturated (at most {worst.Idle:P0}, epoch {worst.Epoch}), and hardly pass a gradient: smaller first weights, scaled inputs, or ReLU. Rule: at most half within {Saturated} of 0 or 1 (Glorot and Bengio 2010, §3).")
                : Line($"Layer {layer.Key}: {last.Idle:P0} of its ReLU units are dead (at most {worst.Idle:P0}, epoch {worst.Epoch}): 0 for each of {Probes} samples, so they learn nothing more; lower the learning rate or scale the inputs. Rule: at most 40 % (Karpathy, CS231n notes: a rate too high kills as many; Maas et al. 2013)."));
        }
        var ratios = seen.Where(row => double.IsFinite(row.UpdateRatio))
            .GroupBy(row => row.Layer)
            .Select(layer => (layer.Key, Median: Median([.. layer.Select(row => row.UpdateRatio)]))).ToArray();
        foreach (var (layer, ratio) in ratios)
            if (ratio is > 0 and < StillBelow)
                lines.Add(Line($"Layer {layer}: a step changes its weights by {ratio:0.0E+0} of their size, hardly at all: raise the learning rate. Rule: about 1e-3, not below 1e-5 (Karpathy, CS231n notes)."));
            else if (ratio > WildAbove)
                lines.Add(Line($"Layer {layer}: a step changes its weights by {ratio:0.0E+0} of their size: lower the learning rate. Rule: about 1e-3, not above 0.1 (Karpathy, CS231n notes)."));
        var norms = seen.Where(row => row.GradientNorm > 0)
            .GroupBy(row => row.Layer)
            .Select(layer => (layer.Key, Median: Median([.. layer.Select(row => row.GradientNorm)]))).ToArray();
        if (norms.Length > 1 && norms[0].Median * NormRatio < norms[^1].Median)
            lines.Add(Line($"The gradient of the first layer ({norms[0].Median:0.0E+0}) is over a thousand times smaller than that of the last ({norms[^1].Median:0.0E+0}): it vanishes on the way; use ReLU, normalisation or shortcuts. Rule: within a factor of 1000 (Glorot and Bengio 2010)."));
        if (norms.Length > 1 && norms[0].Median > NormRatio * norms[^1].Median)
            lines.Add(Line($"The gradient of the first layer ({norms[0].Median:0.0E+0}) is over a thousand times larger than that of the last ({norms[^1].Median:0.0E+0}): scale the inputs, or clip gradients. Rule: within a factor of 1000 (Pascanu, Mikolov and Bengio 2013)."));
        if (epochs.Count > 2)
        {
            var best = epochs.MinBy(epoch => epoch.ValidationLoss)!;
            var last = epochs[^1];
            if (last.ValidationLoss > 1.1 * best.ValidationLoss && last.TrainLoss < epochs[Math.Max(1, best.Epoch)].TrainLoss)
                lines.Add(Line($"Over-fitting: the validation loss rose from {best.ValidationLoss:0.000} (epoch {best.Epoch}) to {last.ValidationLoss:0.000} while the training loss fell to {last.TrainLoss:0.000}: stop earlier, or add data, augmentation or weight decay. Rule: more than 10 % above its lowest (Prechelt 1998)."));
        }
        return lines;
    }

    private IEnumerable<(string Layer, double Idle)> Probe(Layer model)
    {
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
            using var use = model.InUse();
            var (x, _) = samples.Batch([.. Enumerable.Range(0, Math.Min(Probes, samples.Count))]);
            model.Forward(x.To(model.DType));
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
        if (module is Sigmoid) return (double)values.Count(value => value < Saturated || value > 1 - Saturated) / values.Length;
        var (units, plane) = (output.Shape[1], output.Rank == 2 ? 1 : output.Length / output.Shape[0] / output.Shape[1]);
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

    private static string LayerOf(string parameter) => parameter.LastIndexOf('.') is >= 0 and var dot ? parameter[..dot] : parameter;

    private static double Square(float[] values) => values.Sum(value => (double)value * value);

    private static double Median(double[] values)
    {
        Array.Sort(values);
        return values[values.Length / 2];
    }

    private static IEnumerable<string[]> Rows(string text, int columns) => text.Length == 0
        ? []
        : text.Split('\n').Select(line => line.Split(' ') is { } row && row.Length == columns ? row : throw new AdjointException($"TrainingDoctor: a row of {columns} values is needed: found '{line}'"));

    private static double Number(string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw new AdjointException($"TrainingDoctor: a number is needed: found '{text}'");

    private static int Epoch(string text, Trainer trainer) =>
        Number(text) is >= 0 and var number && number < trainer.Results.Count
            ? (int)number
            : throw new AdjointException($"TrainingDoctor: an epoch that was measured is needed: found '{text}'");

    private static string Text(double number) => number.ToString("R", CultureInfo.InvariantCulture);

    private static string Line(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
