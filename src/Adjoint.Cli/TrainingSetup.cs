using Adjoint.Data;
using Adjoint.Experiments;
using Adjoint.Nn;
using Adjoint.Optim;
using Adjoint.Training;

namespace Adjoint.Cli;

/// <summary>What a training is made of, from its settings: data, network, optimizer, trainer.</summary>
internal static class TrainingSetup
{
    /// <summary>Whether the data set has samples that are kept back for the very end.</summary>
    internal static bool HasTest(this SettingValues settings) => settings.Get(TrainSettings.Dataset) != "synth";

    internal static DataSplits LoadData(this SettingValues settings)
    {
        var (name, folder) = (settings.Get(TrainSettings.Dataset), settings.Get(TrainSettings.DataDir));
        var (pixels, share) = (settings.Get(TrainSettings.Pixels), settings.Get(TrainSettings.DataShare));
        var data = name switch
        {
            "synth" => Synth.Create(),
            "cifar10" => Cifar10.Load(DataFolder.Locate(folder, name)),
            _ => Mnist.Load(DataFolder.Locate(folder, name), name, pixels == "bytes" ? 1 : 255),
        };
        if (share < 1) data = data with { Train = Share(data.Train), Validation = Share(data.Validation) };
        return pixels == "standard" ? data.Standardize() : data;

        Dataset Share(Dataset all) => all.Slice(all.Name, 0, Math.Max(1, (int)(all.Count * share)));
    }

    internal static DataLoader CreateLoader(this SettingValues settings, Dataset train)
    {
        var transforms = TrainSettings.Augment.Items(settings.Get(TrainSettings.Augment))
            .Select(name => Transform.All.Single(one => one.Name == name).Create());
        return new(train, settings.Get(TrainSettings.BatchSize), new()
        {
            Shuffle = !settings.Get(TrainSettings.NoShuffle),
            Seed = settings.Get(TrainSettings.Seed),
            Transforms = transforms,
        });
    }

    internal static Layer CreateModel(this SettingValues settings, Dataset data)
    {
        var random = new Generator(settings.Get(TrainSettings.Seed), 1);
        var classes = data.ClassNames.Count;
        if (settings.Get(TrainSettings.Model) is not "mlp" and var name)
        {
            var images = data.Load([.. Enumerable.Range(0, Math.Min(1000, data.Count))]).Inputs;
            return ModelZoo.All.Single(model => model.Name == name)
                .Create(data.SampleShape[0], classes, random, images);
        }
        var inputs = data.SampleShape.Elements;
        var text = settings.Get(TrainSettings.Hidden);
        var hidden = HiddenSizes.Of(text, inputs, settings.Get(TrainSettings.Layers));
        int[] sizes = [inputs, .. hidden, classes];
        foreach (var (from, to) in sizes.Zip(sizes.Skip(1)))
            if ((long)from * to > int.MaxValue)
                throw new AdjointException(
                    $"--hidden: {text} makes a layer of {from} times {to} weights, and a tensor holds at most "
                    + $"{int.MaxValue}; use fewer");
        return new Mlp(inputs, hidden, classes, settings.Get(TrainSettings.Activation), random);
    }

    internal static Optimizer CreateOptimizer(this SettingValues settings, Module model)
    {
        var groups = ParameterGroup.Split(model.Parameters(), settings.Get(TrainSettings.LearningRate),
            settings.Get(TrainSettings.WeightDecay), settings.Get(TrainSettings.BiasRateFactor));
        return settings.Get(TrainSettings.Optimizer) switch
        {
            "sgd" => new Sgd(groups, settings.Get(TrainSettings.Momentum), settings.Get(TrainSettings.Nesterov)),
            "adam" => new Adam(groups),
            "adamw" => new AdamW(groups),
            _ => new RmsProp(groups),
        };
    }

    internal static LearningTask CreateTask(this SettingValues settings) => new ClassificationTask
    {
        Reduction = settings.Get(TrainSettings.LossReduction) == "sum" ? Reduction.Sum : Reduction.Mean,
        LabelSmoothing = settings.Get(TrainSettings.LabelSmoothing),
    };

    internal static Trainer CreateTrainer(this SettingValues settings, Layer model, DataSplits data,
        DataLoader validation, bool eager, Profile? profile, Checkpoints checkpoints)
    {
        var loader = settings.CreateLoader(data.Train);
        return new(model, settings.CreateOptimizer(model), settings.CreateTask(), loader, validation)
        {
            Schedule = settings.CreateSchedule(loader.StepsIn(settings.Get(TrainSettings.Epochs))),
            Average = settings.Get(TrainSettings.Ema) is > 0 and var decay ? new WeightAverage(model, decay) : null,
            Eager = eager,
            Profile = profile,
            Checkpoints = checkpoints,
        };
    }

    /// <summary>The views of an image whose logits are averaged at the end.</summary>
    internal static TestTimeAugmentation Views(this SettingValues settings) =>
        TestTimeAugmentation.All.Single(views => views.Name == settings.Get(TrainSettings.TestTime));

    private static Schedule? CreateSchedule(this SettingValues settings, long steps) =>
        settings.Get(TrainSettings.Schedule) switch
        {
            _ when steps == 0 => null,
            "cosine" => Schedule.Cosine(steps),
            "one-cycle" => Schedule.OneCycle(steps),
            "triangular" => Schedule.Triangular(steps),
            _ => null,
        };
}
