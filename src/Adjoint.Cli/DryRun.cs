using System.Diagnostics;
using System.Globalization;
using Adjoint.Data;
using Adjoint.Experiments;
using Adjoint.Nn;
using Adjoint.Training;

namespace Adjoint.Cli;

/// <summary>What a training would be: the data, its parts, the network, and what it would cost.</summary>
internal static class DryRun
{
    private const int MostClasses = 20, TimedSteps = 4;

    /// <summary>Shows it; nothing is written, and nothing learned is kept.</summary>
    internal static void Show(SettingValues settings, OwnData? own, DataSplits data, TextWriter output)
    {
        if (own is not null)
            foreach (var line in own.Describe(settings).TrimEnd().Split('\n')) output.WriteLine(Printable.Line(line));
        Parts(data, output);
        if (data.Train.ClassNames.Count > 0) Classes(data, output);
        var model = settings.CreateModel(data.Train);
        var weights = StartingWeights.Load(settings, model);
        var task = settings.CreateTask(data.Train);
        var loader = settings.CreateLoader(data.Train);
        output.WriteLine();
        output.Write(model.Summary(() => task.Forward(model, data.Train.Load(0))));
        output.WriteLine();
        if (weights is not null)
        {
            foreach (var line in StartingWeights.Lines(weights)) output.WriteLine(line);
            output.WriteLine();
        }
        foreach (var (name, value) in settings.Rows()) output.WriteLine(Printable.Line($"{name,-16} {value}"));
        output.WriteLine();
        var (step, epochs) = (SecondsOf(model, task, loader.First()), settings.Get(TrainSettings.Epochs));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{loader.Count:N0} steps an epoch, {loader.StepsIn(epochs):N0} in all; about {step * 1e3:G3} ms a step, "
            + $"{Duration(step * loader.StepsIn(epochs))} in all, validation aside"));
    }

    private static void Parts(DataSplits data, TextWriter output)
    {
        output.Write(string.Create(CultureInfo.InvariantCulture,
            $"{data.Train.Count:N0} training and {data.Validation.Count:N0} validation samples"));
        if (data.Test is { } test)
            output.Write(string.Create(CultureInfo.InvariantCulture, $", {test.Count:N0} test samples"));
        output.WriteLine($"; {string.Join(", ", data.Train.Fields.Select(field =>
            $"{field.Name} {field.Shape} {field.DType.Label()}"))}");
    }

    // How many samples of each class, of those for training and validation.
    private static void Classes(DataSplits data, TextWriter output)
    {
        var (train, validation) = (Counts(data.Train), Counts(data.Validation));
        for (var i = 0; i < Math.Min(MostClasses, train.Length); i++)
            output.WriteLine(Printable.Line(string.Create(CultureInfo.InvariantCulture,
                $"  {data.Train.ClassNames[i],-20} {train[i],9:N0} {validation[i],9:N0}")));
        if (train.Length > MostClasses) output.WriteLine($"  … and {train.Length - MostClasses} more");
    }

    private static long[] Counts(Dataset data)
    {
        var counts = new long[data.ClassNames.Count];
        foreach (var batch in new DataLoader(data, 1000))
            if (batch.Targets.DType == DType.Int64)
                foreach (var label in batch.Targets.ToArray<long>()) counts[label]++;
            else
                for (var i = 0; i < counts.Length; i++) counts[i] += (long)batch.Targets.Select(1, i).Sum().Item();
        return counts;
    }

    // The fastest of a few steps without the optimizer's, which is little of them.
    private static double SecondsOf(Layer model, LearningTask task, Batch batch)
    {
        var fastest = double.PositiveInfinity;
        for (var i = 0; i < TimedSteps; i++)
        {
            var started = Stopwatch.GetTimestamp();
            task.Loss(model, batch).Backward();
            fastest = Math.Min(fastest, Stopwatch.GetElapsedTime(started).TotalSeconds);
        }
        return fastest;
    }

    private static string Duration(double seconds) => seconds < 100
        ? string.Create(CultureInfo.InvariantCulture, $"{Math.Max(1, seconds):0} s")
        : string.Create(CultureInfo.InvariantCulture, $"{seconds / 60:0} min");
}
