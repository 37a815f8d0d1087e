using System.Collections.Concurrent;
using System.Text.Json;
using Adjoint.Data;
using Adjoint.Data.Tables;
using Adjoint.IO;
using Adjoint.Nn;

namespace Adjoint.Training;

/// <summary>
/// A model that is used: loaded from a file, in evaluation mode, called from any number of threads at once, which all
/// get the same bits. What a thread computes is captured where that is possible.
/// <code>
/// var predictor = Predictor.Load("runs/1/best.safetensors");
/// var prediction = predictor.Predict(x);                  // x (n, …): as the samples that it learned from
/// Console.WriteLine(prediction.Names[prediction.ClassOf(0)]);
/// var price = predictor.Predict(new Dictionary&lt;string, string?&gt; { ["km"] = "61000", … }).ValueOf(0);
/// </code>
/// </summary>
public sealed class Predictor
{
    // More would not compute at once, and each has buffers of its own.
    private static readonly int MaxCaptured = Environment.ProcessorCount;

    private readonly LearningTask? task;
    private readonly ConcurrentDictionary<string, Pool> pools = [];

    /// <summary>
    /// Takes over a model that was read: its parameters are frozen, so that gradients are those of inputs alone.
    /// </summary>
    /// <param name="file">The model and what its file says of it.</param>
    /// <param name="task">
    /// What the model was trained for; null: the task of that name in the file. One of your own has to be given.
    /// </param>
    public Predictor(ModelFile file, LearningTask? task = null)
    {
        (Model, Info) = (file.Model.Eval(), file.Info);
        foreach (var parameter in Model.Parameters()) parameter.RequireGrad(false);
        this.task = task ?? LearningTask.Named(Info.Task);
    }

    /// <summary>The model, in evaluation mode and frozen. While others predict, it must not be changed.</summary>
    public Module Model { get; }

    /// <summary>What the file says of the model: task, names, fields, preprocessing, measures.</summary>
    public ModelInfo Info { get; }

    /// <summary>Loads a model file, such as <c>best.safetensors</c> of a run.</summary>
    /// <param name="path">The path of the file.</param>
    /// <param name="task">
    /// What the model was trained for; null: the task of that name in the file. One of your own has to be given.
    /// </param>
    /// <returns>The predictor, which any number of threads may call.</returns>
    /// <exception cref="DataFormatException">
    /// The file is damaged or of another kind, or has a type of module that is not registered.
    /// </exception>
    /// <exception cref="FileNotFoundException">There is nothing at that path.</exception>
    public static Predictor Load(string path, LearningTask? task = null) => new(ModelFile.Read(path), task);

    /// <summary>Predicts a batch of samples.</summary>
    /// <param name="inputs">The samples (n, …), as the data set gave them to the model.</param>
    /// <param name="recordGradients">
    /// Whether the outputs have a graph, for the gradients of an input that requires one, such as a saliency map:
    /// <c>prediction.Outputs.Select(1, c).Sum().Backward()</c>, then <c>inputs.Grad</c>.
    /// </param>
    /// <returns>Outputs, probabilities or values, and their names; tensors that belong to the caller.</returns>
    /// <exception cref="AdjointException">The samples have another shape or type than the model takes.</exception>
    public Prediction Predict(Tensor inputs, bool recordGradients = false) =>
        Predict(new Batch((Field.Inputs, inputs)), recordGradients);

    /// <summary>Predicts a batch of samples of several tensors. Targets and weights do not matter.</summary>
    /// <param name="batch">The samples, as the data set gave them to the model.</param>
    /// <param name="recordGradients">Whether the outputs have a graph, for the gradients of inputs.</param>
    /// <returns>Outputs, probabilities or values, and their names; tensors that belong to the caller.</returns>
    /// <exception cref="AdjointException">The samples have another shape or type than the model takes.</exception>
    public Prediction Predict(Batch batch, bool recordGradients = false)
    {
        RequireFields(batch);
        if (recordGradients) return ToPrediction(Forward(batch));
        using var _ = new NoGrad();
        var given = batch.Names.Zip(batch.Tensors)
            .Where(entry => entry.First is not (Field.Targets or Field.Weights)).ToArray();
        string[] names = [.. given.Select(entry => entry.First)];
        Tensor[] tensors = [.. given.Select(entry => entry.Second.Detach())];
        var pool = pools.GetOrAdd(string.Join('\n', names), _ => new Pool(this, names));
        return ToPrediction(pool.Run(tensors));
    }

    /// <summary>Predicts rows of a table, with the preprocessing of the training data.</summary>
    /// <param name="rows">The rows, with the columns of training in any order; the target need not be there.</param>
    /// <returns>Outputs, probabilities or values, and their names.</returns>
    /// <exception cref="AdjointException">
    /// The model did not learn from a table, columns are missing, or a value does not fit.
    /// </exception>
    public Prediction Predict(Table rows) => Predict(rows, out _);

    /// <summary>
    /// Predicts rows of a table, with the preprocessing of the training data, and says what was unusual in them.
    /// </summary>
    /// <param name="rows">The rows, with the columns of training in any order; the target need not be there.</param>
    /// <param name="report">Unknown categories, unexpected gaps, columns that are ignored.</param>
    /// <returns>Outputs, probabilities or values, and their names.</returns>
    /// <exception cref="AdjointException">
    /// The model did not learn from a table, columns are missing, or a value does not fit.
    /// </exception>
    public Prediction Predict(Table rows, out EncodingReport report) =>
        Predict(Standardized(Encoder.Encode(rows, out report)));

    /// <summary>Predicts one row of texts, as a form or a query of the web has them.</summary>
    /// <param name="row">The texts by column; null where a value is missing.</param>
    /// <returns>Outputs, probabilities or values of one sample, and their names.</returns>
    /// <exception cref="AdjointException">
    /// The model did not learn from a table, columns are missing, or a value does not fit.
    /// </exception>
    public Prediction Predict(IReadOnlyDictionary<string, string?> row) => Predict(Standardized(Encoder.Encode(row)));

    /// <summary>Predicts a row as a JSON object by column, or an array of such rows.</summary>
    /// <param name="json">Numbers, texts, true, false, or null where a value is missing.</param>
    /// <returns>Outputs, probabilities or values, and their names.</returns>
    /// <exception cref="AdjointException">
    /// The model did not learn from a table, the JSON is something else, columns are missing, or a value does not fit.
    /// </exception>
    public Prediction Predict(JsonElement json) => Predict(Standardized(Encoder.Encode(json)));

    /// <summary>Predicts images, with the preprocessing of the training data.</summary>
    /// <param name="images">
    /// The pixels of each (channels, height, width), uint8, of any size; taken one by one, so that only one of them
    /// need be in memory.
    /// </param>
    /// <returns>Outputs, probabilities or values, and their names.</returns>
    /// <exception cref="AdjointException">
    /// The model did not learn from images, there is none, or a tensor is no image.
    /// </exception>
    public Prediction PredictImages(params IEnumerable<Tensor> images)
    {
        var preprocessing = Info.Preprocessing as ImagePreprocessing ?? throw OtherKind("images");
        Tensor[] inputs = [.. images.Select(preprocessing.Apply)];
        if (inputs.Length == 0) throw new AdjointException("Predictor: at least one image is needed: found none");
        return Predict(Standardized(new((Field.Inputs, Tensor.Stack(inputs)))));
    }

    /// <summary>Measures the model on a data set whose samples are prepared as those of training.</summary>
    /// <param name="data">
    /// The samples with targets, such as those of a <see cref="TableEncoder"/>. They are standardized as those of
    /// training were, unless they are already. Labels are matched to the model's classes by name.
    /// </param>
    /// <param name="metrics">Makes the metrics; null: the usual ones of the task.</param>
    /// <returns>Loss and metrics. The loss of a regression is that of errors in the target's unit.</returns>
    /// <exception cref="AdjointException">
    /// The task is not known, the samples do not fit it, or have a class that the model does not know.
    /// </exception>
    public Evaluation Evaluate(Dataset data, Func<IReadOnlyList<Metric>>? metrics = null)
    {
        var own = metrics is null ? task : LearningTask.Named(Info.Task, metrics) ?? task;
        if (own is null)
            throw new AdjointException(
                "Predictor: the model's file does not name a task to measure it by; give it to Predictor.Load");
        if (data.Statistics is null && Info.Statistics is { } statistics) data = data.Standardize(statistics);
        var loader = new DataLoader(data, Evaluation.BatchSizeOf(data));
        return Evaluation.Run(Model, own, Labels(data) is { } labels ? loader.Select(Relabel) : loader);

        Batch Relabel(Batch batch) => batch.With(
            Field.Targets,
            Tensor.From([.. batch.Targets.ToArray<long>().Select(label => label < 0 ? label : labels[label])],
                batch.Targets.Shape.Sizes));
    }

    // The model's label of each of the data set's; null where they are the same.
    private long[]? Labels(Dataset data)
    {
        if (data.ClassNames.Count == 0 || Info.ClassNames.Count == 0 || data.ClassNames.SequenceEqual(Info.ClassNames))
            return null;
        var known = Info.ClassNames.Index().ToDictionary(entry => entry.Item, entry => (long)entry.Index);
        return [.. data.ClassNames.Select(name => known.TryGetValue(name, out var label)
            ? label
            : throw new AdjointException(
                $"{data.Name}: class '{DataFormatException.Abbreviate(name)}' is none of the model's: "
                + DataFormatException.Abbreviate(string.Join(", ", Info.ClassNames))))];
    }

    private TableEncoder Encoder => Info.Preprocessing as TableEncoder ?? throw OtherKind("a table");

    private AdjointException OtherKind(string kind) => new(
        $"Predictor: the model did not learn from {kind}, "
        + (Info.Preprocessing is { } other ? $"but from '{other.Kind}'" : "and its file has no preprocessing")
        + $"; give it tensors as its data set did, or use a model of {kind}");

    /// <summary>What the data set did after the preprocessing.</summary>
    private Batch Standardized(Batch batch) => Info.Statistics is not { } statistics
        ? batch
        : batch.With(
            Field.Inputs, StandardizedDataset.Apply(batch.Inputs, batch.Inputs.Shape.Sizes[1..].ToArray(), statistics));

    private Tensor Forward(Batch batch)
    {
        if (task is not null) return task.Infer(Model, batch);
        if (Model is not Layer layer)
            throw new AdjointException(
                $"Predictor: a model that is a Layer, with one tensor in and out, is needed: found {Model}; give "
                + "Predictor.Load the task that calls it");
        var x = batch.Inputs;
        return layer.Forward(x.DType.IsFloating() ? x.To(layer.DType) : x);
    }

    private Prediction ToPrediction(Tensor outputs) =>
        new(outputs, task, Info.ClassNames.Count > 0 ? Info.ClassNames : Info.TargetNames);

    // What the first layer would say of it names neither field nor file.
    private void RequireFields(Batch batch)
    {
        foreach (var field in Info.Fields)
        {
            if (field.Name is Field.Targets or Field.Weights) continue;
            if (!batch.Has(field.Name))
                throw new AdjointException(
                    $"Predictor: the model takes '{field.Name}' {field.Shape}: found {string.Join(", ", batch.Names)}");
            var value = batch[field.Name];
            if (!field.IsRagged && value.Shape.Sizes[1..].SequenceEqual(field.Shape.Sizes)) continue;
            if (field.IsRagged && value.Rank == field.Shape.Rank + 1) continue;
            throw new AdjointException(
                $"Predictor: '{field.Name}' must be (n, {string.Join(", ", field.Shape.Sizes.ToArray())}), samples as "
                + $"the model learned from: found {value.Shape}; one sample alone takes .Unsqueeze(0)");
        }
    }

    // A captured function computes on one thread at a time. Who finds none that is free computes eagerly: with the
    // same bits.
    private sealed class Pool(Predictor owner, string[] names)
    {
        private readonly ConcurrentBag<CapturedFunction<Tensor>> idle = [];
        private int made;

        internal Tensor Run(Tensor[] tensors)
        {
            if (!idle.TryTake(out var function))
            {
                if (Interlocked.Increment(ref made) > MaxCaptured)
                {
                    Interlocked.Decrement(ref made);
                    return Forward(tensors);
                }
                function = CapturedFunction.Create<Tensor>(Forward, fallBackToEager: true);
            }
            try
            {
                return function.Run(tensors);
            }
            finally
            {
                idle.Add(function);
            }
        }

        private Tensor Forward(Tensor[] tensors) => owner.Forward(new(names.Zip(tensors)));
    }
}
