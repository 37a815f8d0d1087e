using Adjoint.Data;
using Adjoint.IO;
using Adjoint.Nn;
using Adjoint.Optim;
using Adjoint.Tests.Data;
using Adjoint.Training;

namespace Adjoint.Tests.Sizes;

/// <summary>Rows of <see cref="SizeArgumentTests"/>: schedules, data and training.</summary>
internal static class TrainingSizeArguments
{
    private static readonly TensorDataset Data = new("five", [2], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], [0, 1, 0, 1, 0],
        ["0",
        "1"]);

    internal static (string Member, Func<int, object?> Call)[] Rows { get; } =
    [
        ("Schedule.StepDecay", n => Schedule.StepDecay(n).Factor(5)),
        ("Schedule.Cosine", n => Schedule.Cosine(n).Factor(5)),
        ("Schedule.OneCycle", n => Schedule.OneCycle(n).Factor(5)),
        ("Schedule.Triangular", n => Schedule.Triangular(n).Factor(5)),
        ("Schedule.WarmUp", n => Schedule.WarmUp(n, Schedule.Constant()).Factor(5)),
        ("Schedule.Factor", n => Schedule.WarmUp(3, Schedule.Cosine(10)).Factor(n)),
        ("ReduceOnPlateau", n => new ReduceOnPlateau(new Sgd([Tensor.Zeros(1).RequireGrad()], 0.1), 0.1, n).Observe(1)),
        ("TensorDataset", n => new TensorDataset("x", [n], [], [], [])),
        ("TensorDataset", n => new TensorDataset("x", [n], new float[2], new byte[1], [])),
        ("TensorDataset.get_Item", n => Data[n]),
        ("TensorDataset.Slice", n => Data.Slice("p", n, 1)),
        ("TensorDataset.Slice", n => Data.Slice("p", 0, n)),
        ("TensorDataset.Slice", n => Data.Slice("p", n, n)),
        ("TensorDataset.Load", n => Data.Load(n)),
        ("Dataset.get_Item", n => new Subset("s", Data, [0, 1])[n]),
        ("Dataset.Slice", n => new Subset("s", Data, [0, 1]).Slice("p", n, n)),
        ("Dataset.Load", n => new Subset("s", Data, [0, 1]).Load(n)),
        ("Subset", n => new Subset("s", Data, [n])),
        ("Subset.get_Item", n => new Subset("s", Data, [0, 1])[n]),
        ("Subset.Load", n => new Subset("s", Data, [0, 1]).Load(n)),
        ("SequentialSampler", n => new SequentialSampler(SizeArgumentTests.Extreme(n)).Order(0).Count),
        ("SequentialSampler.Order", n => new SequentialSampler(3).Order(n).Count),
        ("RandomSampler", n => new RandomSampler(SizeArgumentTests.Extreme(n)).Order(0).Count),
        ("RandomSampler.Order", n => new RandomSampler(3).Order(n).Count),
        ("Sampler.Order", n => new RandomSampler(3).Order(n).Count),
        ("DataLoader", n => Count(new DataLoader(Data, n))),
        ("DataLoader", n => Count(new DataLoader(Data, n, new() { DropLast = true }))),
        ("DataLoaderOptions.set_Prefetch", n => Count(new DataLoader(Data, 2, new() { Prefetch = n }))),
        ("DataLoaderOptions.set_Workers", n => Count(new DataLoader(Data, 2, new() { Workers = n }))),
        ("DataLoader.set_Start", n => Count(new DataLoader(Data, 2) { Start = n })),
        ("DataLoader.set_Epoch", n => Count(new DataLoader(Data, 2, new() { Shuffle = true }) { Epoch = n })),
        ("DataLoader.StepsIn", n => new DataLoader(Data, 1).StepsIn(n)),
        ("Synth.Create", n => Synth.Create(0, SizeArgumentTests.Extreme(n), 1)),
        ("Synth.Create", n => Synth.Create(0, 1, SizeArgumentTests.Extreme(n))),
        ("RandomCrop", n => Transformed(new RandomCrop(n))),
        ("Cutout", n => Transformed(new Cutout(n))),
        ("Resize", n => Transformed(new Resize(SizeArgumentTests.Extreme(n), 3))),
        ("Resize", n => Transformed(new Resize(3, SizeArgumentTests.Extreme(n)))),
        ("CenterCrop", n => Transformed(new CenterCrop(n, 2))),
        ("CenterCrop", n => Transformed(new CenterCrop(2, n))),
        ("ImagePreprocessing", n => new ImagePreprocessing(n, 1, 1)),
        ("ImagePreprocessing", n => new ImagePreprocessing(1, n, n)),
        ("MixUp", n => new MixUp(SizeArgumentTests.Extreme(n))),
        ("CutMix", n => new CutMix(SizeArgumentTests.Extreme(n))),
        ("Transform.OutputShape", n => Refused(new RandomCrop(1), [1, n, n])),
        ("SampleRandom", n => new SampleRandom(1, n, n, n).Next(7)),
        ("SampleRandom.Next", n => new SampleRandom(1, 2, 3, 4).Next(n)),
        ("CheckpointStore", n => new CheckpointStore("/nowhere", n)),
        ("EarlyStopping", n => new EarlyStopping(n)),
        ("Trainer.Fit", n => Train(n)),
        ("TopKAccuracy", n => Measured(new TopKAccuracy(n))),
        ("CalibrationError", n => Measured(new CalibrationError(n))),
        ("ClassificationMetric.set_ClassAxis", n => Measured(new Accuracy { ClassAxis = n })),
        ("TrainingState.Numbers", n => State().Numbers("x", n)),
    ];

    private static int Count(DataLoader loader)
    {
        var samples = 0;
        foreach (var (x, _) in loader) samples += x.Shape[0];
        return samples;
    }

    private static object? Measured(Metric metric)
    {
        metric.Update(Tensor.Zeros(2, 3), Tensor.From(new long[] { 0, 1 }));
        return metric.Compute();
    }

    private static object? Transformed(Transform transform)
    {
        var random = new SampleRandom(1, 2, 3, 4);
        var result = new float[transform.OutputShape([1, 4, 4]).Elements];
        transform.Apply(new float[16], [1, 4, 4], result, ref random);
        return null;
    }

    private static object? Refused(Transform transform, Shape shape)
    {
        return transform.OutputShape(shape);
    }

    private static object? Train(int epochs)
    {
        // More than two would not end.
        var model = new Linear(2, 2);
        return new Trainer(model, new Sgd(model.Parameters(), 0.1), new ClassificationTask(), new DataLoader(Data, 2),
            new DataLoader(Data,
            5)).Fit(Math.Min(epochs, 2));
    }

    private static TrainingState State()
    {
        var state = new TrainingState();
        state.Set("x", 3);
        return state;
    }
}
