using System.Text.Json;

namespace Adjoint.Explorer;

/// <summary>Where a training is, for the page.</summary>
internal static class TrainingJson
{
    private const int Cells = 64;
    private const double Reach = 3;
    private const int MostPoints = 400;
    private const int MostCurvePoints = 2000;

    /// <summary>
    /// Settings, the points of the curves after a step, and, when asked, pictures of what the network does now.
    /// </summary>
    internal static void Write(Utf8JsonWriter json, LiveTraining training, int after, bool detailed)
    {
        json.WriteStartObject();
        json.WriteNumber("step", training.Step);
        json.WriteNumber("resets", training.Resets);
        json.WriteNumber("stepsPerEpoch", training.StepsPerEpoch);
        json.WriteNumber("batchSize", training.Task.BatchSize);
        json.WriteBoolean("playing", training.IsPlaying);
        json.WriteNumber("speed", training.Speed);
        json.WriteReal("learningRate", training.Optimizer.LearningRate);
        json.WriteString("optimizer", training.OptimizerName);
        Names(json, "optimizers", training.Task.Optimizers);
        var activation = ActivationSwap.Of(training.Model);
        if (activation is not null) json.WriteString("activation", activation);
        Names(json, "activations", activation is null ? [] : ActivationSwap.All.Select(known => known.Name));
        json.WriteNumber("seed", training.Seed);
        if (training.Problem is { } problem) json.WriteString("problem", problem);
        Curve(json, "training", training.Training, after);
        Curve(json, "validation", training.Validation, after);
        if (detailed)
        {
            Layers(json, training);
            if (training.Task.Data.Train.SampleShape.Rank == 1 && training.Task.Data.Train.SampleShape[0] == 2)
                Boundary(json, training);
            if (training.Task.Data.Train.SampleShape.Rank == 3) Pictures(json, training);
        }
        json.WriteEndObject();
    }

    private static void Names(Utf8JsonWriter json, string name, IEnumerable<string> values)
    {
        json.WriteStartArray(name);
        foreach (var value in values) json.WriteStringValue(value);
        json.WriteEndArray();
    }

    // Of very many points every so many-th.
    private static void Curve(Utf8JsonWriter json, string name, List<CurvePoint> points, int after)
    {
        var first = points.FindIndex(point => point.Step > after);
        json.WriteStartArray(name);
        if (first >= 0)
        {
            var every = (points.Count - first + MostCurvePoints - 1) / MostCurvePoints;
            for (var i = first; i < points.Count; i++)
            {
                if ((points.Count - 1 - i) % every != 0) continue;
                json.WriteStartArray();
                json.WriteNumberValue(points[i].Step);
                json.WriteReal(points[i].Loss);
                json.WriteReal(points[i].Accuracy);
                json.WriteEndArray();
            }
        }
        json.WriteEndArray();
    }

    private static void Layers(Utf8JsonWriter json, LiveTraining training)
    {
        json.WriteStartArray("layers");
        foreach (var layer in LayerWatch.Run(training.Model, training.Probe.Inputs, training.Probe.Targets))
        {
            json.WriteStartObject();
            json.WriteString("path", layer.Path);
            json.WriteString("label", layer.Label);
            json.WriteNumber("units", layer.Units);
            json.WriteNumbers("dead", layer.Dead);
            Histogram(json, "output", layer.Output);
            Histogram(json, "gradient", layer.Gradient);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void Histogram(Utf8JsonWriter json, string name, double[] values)
    {
        var summary = TensorSummary.Of(values);
        json.WriteStartObject(name);
        json.WriteReal("minimum", summary.Minimum);
        json.WriteReal("maximum", summary.Maximum);
        json.WriteNumbers("counts", summary.Histogram(values));
        json.WriteEndObject();
    }

    // The probability of class 1 over both features, from the upper left; 255 is certain. With some of the data.
    private static void Boundary(Utf8JsonWriter json, LiveTraining training)
    {
        using var _ = new NoGrad();
        var grid = new float[Cells * Cells * 2];
        for (var i = 0; i < Cells * Cells; i++)
            (grid[2 * i], grid[2 * i + 1]) = (At(i % Cells), -At(i / Cells));
        training.Model.Eval();
        var probability = training.Model.Forward(Tensor.From(grid, Cells * Cells, 2)).Softmax().ToArray<float>();
        training.Model.Train();
        json.WriteStartObject("boundary");
        json.WriteNumber("cells", Cells);
        json.WriteNumber("reach", Reach);
        json.WriteBase64String("bytes", [.. Enumerable.Range(0, Cells * Cells).Select(i =>
            float.IsNaN(probability[2 * i + 1]) ? (byte)127 : (byte)MathF.Round(255 * probability[2 * i + 1]))]);
        var data = training.Task.Data.Validation;
        var (points, labels) = data.Load([.. Enumerable.Range(0, Math.Min(MostPoints, data.Count))]);
        json.WriteStartArray("points");
        for (var i = 0; i < labels.Length; i++)
        {
            json.WriteStartArray();
            json.WriteNumberValue((float)points.ItemAt(i, 0));
            json.WriteNumberValue((float)points.ItemAt(i, 1));
            json.WriteNumberValue((long)labels.ItemAt(i));
            json.WriteEndArray();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static float At(int cell) => (float)(-Reach + (cell + 0.5) * 2 * Reach / Cells);

    // The batch that the next step learns from, as the network classifies it now: wrong predictions first, the most
    // confident of them at the beginning.
    private static void Pictures(Utf8JsonWriter json, LiveTraining training)
    {
        using var _ = new NoGrad();
        var (x, y) = training.Batch;
        training.Model.Eval();
        var probability = training.Model.Forward(x).Softmax();
        training.Model.Train();
        var (predicted, labels) = (probability.ArgMax().ToArray<long>(), y.ToArray<long>());
        double Confidence(int sample) => probability.ItemAt(sample, (int)predicted[sample]);
        var order = Enumerable.Range(0, labels.Length).OrderBy(i => predicted[i] == labels[i])
            .ThenByDescending(Confidence).ToArray();
        var values = x.ToArray<float>();
        var (low, high) = (values.Min(), values.Max());
        var size = values.Length / labels.Length;
        var names = training.Task.Data.Train.ClassNames;
        json.WriteStartObject("pictures");
        json.WriteNumber("channels", x.Shape[1]);
        json.WriteNumber("height", x.Shape[2]);
        json.WriteNumber("width", x.Shape[3]);
        json.WriteBase64String("bytes", [.. order.SelectMany(i => values.Skip(i * size).Take(size))
            .Select(value => (byte)(high > low ? 255 * (value - low) / (high - low) : 0))]);
        json.WriteStartArray("samples");
        foreach (var i in order)
        {
            json.WriteStartObject();
            json.WriteString("label", names[(int)labels[i]]);
            json.WriteString("predicted", names[(int)predicted[i]]);
            json.WriteReal("probability", Confidence(i));
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }
}
