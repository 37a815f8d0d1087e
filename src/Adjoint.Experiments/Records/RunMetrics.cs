using System.Text.Json;
using Adjoint.Data;

namespace Adjoint.Experiments;

/// <summary>
/// The measures of a run's epochs, as its <c>metrics.jsonl</c> has them. What is not finite was not measured.
/// </summary>
public sealed class RunMetrics
{
    /// <summary>The name of the file in the folder of a run.</summary>
    internal const string FileName = "metrics.jsonl";

    // Far more than a run writes, far less than memory.
    private const int MaxBytes = 1 << 26;
    private readonly Dictionary<string, List<MeasuredValue>> values = [];
    private readonly Dictionary<string, double> test = [];

    private RunMetrics() { }

    /// <summary>The names of what was measured: losses first, then metrics in the order of the file.</summary>
    public IReadOnlyList<string> Names =>
    [
        .. ((string[])[MetricNames.TrainLoss, MetricNames.ValidationLoss]).Where(values.ContainsKey),
        .. values.Keys.Where(name => name is not (MetricNames.TrainLoss or MetricNames.ValidationLoss)),
    ];

    /// <summary>The loss and metrics of the best model on the test samples; empty where it was not tested.</summary>
    public IReadOnlyDictionary<string, double> Test => test;

    /// <summary>The number of the last epoch that was measured; null before the first.</summary>
    public int? LastEpoch { get; private set; }

    /// <summary>The time of all epochs, in seconds.</summary>
    public double Seconds { get; private set; }

    /// <summary>Why the run diverged, or null.</summary>
    public string? Problem { get; private set; }

    /// <summary>The values of a measure, epoch by epoch.</summary>
    /// <param name="name">The name of the measure.</param>
    /// <returns>The values that are finite; none for a measure that was not taken.</returns>
    public IReadOnlyList<MeasuredValue> Of(string name) => values.TryGetValue(name, out var found) ? found : [];

    /// <summary>The best value of a measure, the first of equal ones.</summary>
    /// <param name="name">The name of the measure.</param>
    /// <returns>The value with its epoch; null where none was measured.</returns>
    public MeasuredValue? Best(string name) => Of(name) is not { Count: > 0 } all ? null
        : MetricNames.IsHigherBetter(name) ? all.MaxBy(one => one.Value) : all.MinBy(one => one.Value);

    /// <summary>The value of a measure after the last epoch that has one.</summary>
    /// <param name="name">The name of the measure.</param>
    /// <returns>The value with its epoch; null where none was measured.</returns>
    public MeasuredValue? Final(string name) => Of(name) is [.., var last] ? last : null;

    /// <summary>Reads the measures of a run; half a line at the end, of a run that is under way, is left out.</summary>
    /// <param name="folder">The path of the run's folder.</param>
    /// <returns>The measures; none where there is no file yet.</returns>
    /// <exception cref="DataFormatException">The file is damaged, or longer than 64 MiB.</exception>
    internal static RunMetrics Load(string folder)
    {
        var path = Path.Combine(folder, FileName);
        var metrics = new RunMetrics();
        JsonLines.Read(path, MaxBytes, "the measures of an epoch", metrics.Add);
        return metrics;
    }

    private void Add(JsonElement line)
    {
        var epoch = line.GetProperty("epoch").GetInt32();
        if (epoch < 0) throw new FormatException($"epoch {epoch} is negative");
        if (line.TryGetProperty("problem", out var problem))
        {
            Problem = problem.GetString();
            return;
        }
        if (line.TryGetProperty("testLoss", out var loss))
        {
            AddTest("loss", loss);
            if (line.TryGetProperty("testMetrics", out var metrics))
                foreach (var metric in metrics.EnumerateObject()) AddTest(metric.Name, metric.Value);
            // Version 0.1 measured nothing else.
            else AddTest("accuracy", line.GetProperty("testAccuracy"));
            return;
        }
        if (epoch <= LastEpoch) throw new FormatException($"epoch {epoch} comes after epoch {LastEpoch}");
        LastEpoch = epoch;
        foreach (var one in line.EnumerateObject())
            switch (one.Name)
            {
                case "epoch": break;
                case "seconds": Seconds += Finite(one.Value) ?? 0; break;
                case "metrics":
                    foreach (var metric in one.Value.EnumerateObject()) Add(metric.Name, epoch, metric.Value);
                    break;
                // The same as among the metrics, where there are any.
                case "validationAccuracy":
                    if (!line.TryGetProperty("metrics", out _)) Add("accuracy", epoch, one.Value);
                    break;
                case MetricNames.TrainLoss or MetricNames.ValidationLoss: Add(one.Name, epoch, one.Value); break;
            }
    }

    private void Add(string name, int epoch, JsonElement value)
    {
        if (Finite(value) is not { } number) return;
        if (!values.TryGetValue(name, out var list)) values.Add(name, list = []);
        list.Add(new(epoch, number));
    }

    private void AddTest(string name, JsonElement value)
    {
        if (Finite(value) is { } number) test[name] = number;
    }

    private static double? Finite(JsonElement value) => value.ValueKind == JsonValueKind.Null ? null
        : value.GetDouble() is var number && double.IsFinite(number) ? number : null;
}
