using System.Collections;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Security.Cryptography;
using System.Text;
using Adjoint.Data;
using Adjoint.Distributed;

namespace Adjoint.Training;

/// <summary>
/// What must be the same on all ranks for their results to be, by name: where two are told apart when a run begins,
/// nobody has to find out why a run diverged or hung.
/// </summary>
internal static class TrainingFacts
{
    // So many samples of a data set are compared, evenly spread over it.
    private const int ComparedSamples = 64;

    internal static IReadOnlyList<(string Name, string Value)> Of(
        Trainer trainer, DataParallelOptions options, int shards, int epochs, int batches)
    {
        var (model, optimizer) = (trainer.Model, trainer.Optimizer);
        var parameters = model.NamedParameters().ToArray();
        List<(string Name, string Value)> facts =
        [
            .. options.Facts,
            ("shards", $"{shards}"),
            ("ShardOptimizer", $"{options.ShardOptimizer}"),
            ("BucketBytes", $"{options.BucketBytes}"),
            ("epochs", $"{epochs}"),
            ("batches of the run so far", $"{batches}"),
            ("task", trainer.Task.Name),
            ("Reduction", $"{trainer.Task.Reduction}"),
            ("metrics", string.Join(", ", trainer.Task.CreateMetrics().Select(metric => metric.Name))),
            ("BatchesPerStep", $"{trainer.BatchesPerStep}"),
            ("MaxGradientNorm", Text(trainer.MaxGradientNorm)),
            ("MaxGradientValue", Text(trainer.MaxGradientValue)),
            ("Average", trainer.Average is null ? "none" : DigestOf(trainer.Average.StateDict())),
            ("number of parameters", $"{parameters.Length}"),
            ("parameters", string.Join(", ", parameters.Select(entry => $"{entry.Name} {entry.Value.Shape} "
                + $"{entry.Value.DType.Label()}{(entry.Value.RequiresGrad ? "" : " frozen")}"))),
            ("digest of the model", DigestOf(model.StateDict())),
            ("optimizer", optimizer.GetType().Name),
            ("steps of the optimizer", $"{optimizer.StepCount}"),
            ("learning rates", string.Join(", ", optimizer.Groups.Select(group => Text(group.LearningRate)))),
            ("weight decays", string.Join(", ", optimizer.Groups.Select(group => Text(group.WeightDecay)))),
            ("schedule", ScheduleOf(trainer)),
            ("random streams", string.Join(", ", trainer.Streams().Select(entry =>
                $"{entry.Name} {entry.Value.Seed} {entry.Value.Stream}"))),
            .. OfData("training", trainer.Training),
            .. trainer.Validation is null ? [] : OfData("validation", trainer.Validation),
            .. OfMachine(),
        ];
        if (!options.ShardOptimizer) facts.Add(("digest of the optimizer's state", DigestOf(optimizer.StateDict())));
        return facts;
    }

    private static IEnumerable<(string Name, string Value)> OfData(string what, DataLoader loader)
    {
        var data = loader.Dataset;
        yield return ($"{what} data", data.Name);
        yield return ($"{what} samples", $"{data.Count}");
        yield return ($"{what} fields", string.Join(", ", loader.Fields.Select(field =>
            $"{field.Name} {field.Shape} {field.DType.Label()}")));
        yield return ($"{what} batch size", $"{loader.BatchSize}");
        foreach (var (name, value) in loader.Facts()) yield return ($"{what} {name}", value);
        // A stream has no positions to read at.
        if (data is StreamingDataset) yield break;
        var count = Math.Min(ComparedSamples, data.Count);
        yield return ($"digest of {count} {what} samples", TensorMessages.DigestOf(
            Enumerable.Range(0, count).SelectMany(i => data.Read((int)((long)i * data.Count / count)))
                .Select(entry => entry.Value)));
    }

    private static IEnumerable<(string Name, string Value)> OfMachine()
    {
        yield return ("version of Adjoint", LibraryVersion.Text);
        yield return ("version of .NET", Environment.Version.ToString());
        yield return ("architecture", RuntimeInformation.ProcessArchitecture.ToString());
        yield return ("bits of the vectors", Vector512.IsHardwareAccelerated ? "512"
            : Vector256.IsHardwareAccelerated ? "256" : Vector128.IsHardwareAccelerated ? "128" : "none");
        yield return ("results of mathematical functions", FunctionDigest());
        foreach (var (name, value) in Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
            .Select(entry => ($"{entry.Key}", $"{entry.Value}")).Where(entry => ChangesArithmetic(entry.Item1))
            .OrderBy(entry => entry.Item1, StringComparer.Ordinal))
            yield return (name, value);
    }

    // Which instructions there are; the number of threads changes nothing.
    private static bool ChangesArithmetic(string name) =>
        name.StartsWith("DOTNET_Enable", StringComparison.OrdinalIgnoreCase)
        || name.StartsWith("COMPlus_Enable", StringComparison.OrdinalIgnoreCase)
        || name.Contains("VectorBitWidth", StringComparison.OrdinalIgnoreCase)
        || name.Contains("VectorTBitWidth", StringComparison.OrdinalIgnoreCase);

    // They come from the system's own library, which rounds differently from version to version.
    private static string FunctionDigest()
    {
        var values = new List<double>();
        for (var i = 1; i <= 50; i++)
        {
            var x = 0.37 * i;
            values.AddRange(Math.Exp(-x), Math.Log(x), Math.Pow(x, 0.7), Math.Sin(x), Math.Cos(x), Math.Tanh(x / 9));
        }
        return Digest(MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(values)));
    }

    private static string ScheduleOf(Trainer trainer)
    {
        int[] steps = [0, 1, 2, 5, 10, 100, 1000, 10_000];
        return string.Join("; ", trainer.GroupSchedules.OrderBy(entry => entry.Key)
            .Select(entry => ($"group {entry.Key}: ", entry.Value))
            .Concat(trainer.Schedule is { } schedule ? [("", schedule)] : [])
            .Select(entry => entry.Item1 + string.Join(" ", steps.Select(step => Text(entry.Item2.Factor(step)))))
            .DefaultIfEmpty("none"));
    }

    private static string DigestOf(IReadOnlyDictionary<string, Tensor> state) =>
        Digest(Encoding.UTF8.GetBytes(string.Join('\n', state.Keys)
            + TensorMessages.DigestOf(state.Values)));

    private static string Digest(ReadOnlySpan<byte> bytes) =>
        Convert.ToHexStringLower(SHA256.HashData(bytes).AsSpan(0, 8));

    private static string Text(double number) => number.ToString("R", CultureInfo.InvariantCulture);
}
