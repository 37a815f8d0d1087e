using Adjoint.Data;
using Adjoint.Data.Tables;
using Adjoint.Experiments;
using Adjoint.Nn;
using Adjoint.Optim;
using Adjoint.Training;

namespace Adjoint.Cli;

/// <summary>What a training is made of, from its settings: data, network, optimizer, trainer.</summary>
internal static class TrainingSetup
{
    /// <summary>Whether the data set has samples that are kept back for the very end.</summary>
    internal static bool HasTest(this SettingValues settings) =>
        settings.Get(TrainSettings.Source) is null
            ? settings.Get(TrainSettings.Dataset) != "synth" && !TrainSettings.IsFormal(settings)
            : settings.Get(TrainSettings.TestShare) > 0;

    /// <summary>Reads the data set, or own data.</summary>
    /// <param name="settings">All settings.</param>
    /// <param name="own">The own data that the settings name; null: a built-in data set.</param>
    /// <param name="say">Called with what a person should know of own data, a line each; null: nobody asks.</param>
    internal static DataSplits LoadData(this SettingValues settings, OwnData? own = null, Action<string>? say = null)
    {
        var (name, folder) = (settings.Get(TrainSettings.Dataset), settings.Get(TrainSettings.DataDir));
        var (pixels, share) = (settings.Get(TrainSettings.Pixels), settings.Get(TrainSettings.DataShare));
        var data = own is not null ? own.Load(settings, say ?? (_ => { })) : name switch
        {
            "synth" => Synth.Create(),
            "brackets" => new BracketLanguage().Create(settings.Get(TrainSettings.Context)),
            "arithmetic" => new ArithmeticLanguage().Create(settings.Get(TrainSettings.Context)),
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
        if (data.Preprocessing is TextPreprocessing tokens) return settings.CreateLanguageModel(tokens.Size, random);
        // Classes and labels by their names; of values as many as there are columns.
        var isRegression = settings.Get(TrainSettings.Task) == "regression";
        var classes = isRegression ? Math.Max(1, data.FieldOf(Field.Targets).Shape.Elements) : data.ClassNames.Count;
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
        var network = new Mlp(inputs, hidden, classes, settings.Get(TrainSettings.Activation), random);
        return data.Preprocessing is TableEncoder encoder && isRegression
            ? new Sequential(network, new Rescale(encoder.TargetStatistics))
            : network;
    }

    private static LanguageModel CreateLanguageModel(this SettingValues settings, int vocabulary, Generator random)
    {
        var (width, layers) = (settings.Get(TrainSettings.Width), settings.Get(TrainSettings.Layers));
        var dropout = settings.Get(TrainSettings.Dropout);
        return settings.Get(TrainSettings.Model) == "lstm"
            ? new LstmLanguageModel(vocabulary, width, layers, dropout, random)
            : new Gpt(new()
            {
                Vocabulary = vocabulary,
                Context = settings.Get(TrainSettings.Context),
                Width = width,
                Heads = settings.Get(TrainSettings.Heads),
                Layers = layers,
                Dropout = dropout,
            }, random);
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

    internal static LearningTask CreateTask(this SettingValues settings, Dataset data)
    {
        var (task, score) = (settings.Get(TrainSettings.Task), settings.Get(TrainSettings.Metric));
        var reduction = settings.Get(TrainSettings.LossReduction) == "sum" ? Reduction.Sum : Reduction.Mean;
        IReadOnlyList<Metric> Metrics() => TaskMetrics.Create(task, score, TrainSettings.IsFormal(settings));
        return task switch
        {
            "regression" => new RegressionTask(Scales(data), settings.Get(TrainSettings.LossFunction) switch
            {
                "l1" => RegressionLoss.Absolute,
                "huber" => RegressionLoss.Huber,
                _ => RegressionLoss.Squared,
            })
            { Reduction = reduction, Metrics = Metrics, Score = score },
            "next-token" => new NextTokenTask { Reduction = reduction, Metrics = Metrics, Score = score },
            "multi-label" => new MultiLabelTask { Reduction = reduction, Metrics = Metrics, Score = score },
            _ => new ClassificationTask
            {
                Reduction = reduction,
                LabelSmoothing = settings.Get(TrainSettings.LabelSmoothing),
                Metrics = Metrics,
                Score = score,
            },
        };
    }

    // An error of one standard deviation counts as 1, whatever the unit.
    private static double[] Scales(Dataset data) => data.Preprocessing is TableEncoder encoder
        ? [.. encoder.TargetStatistics.Deviation]
        : [1];

    internal static Trainer CreateTrainer(this SettingValues settings, Layer model, DataSplits data,
        DataLoader validation, bool eager, Profile? profile, Checkpoints? checkpoints)
    {
        var loader = settings.CreateLoader(data.Train);
        return new(model, settings.CreateOptimizer(model), settings.CreateTask(data.Train), loader, validation)
        {
            Schedule = settings.CreateSchedule(loader.StepsIn(settings.Get(TrainSettings.Epochs))),
            Average = settings.Get(TrainSettings.Ema) is > 0 and var decay ? new WeightAverage(model, decay) : null,
            MaxGradientNorm = settings.Get(TrainSettings.Clip) is > 0 and var norm ? norm : double.PositiveInfinity,
            Eager = eager,
            Profile = profile,
            Checkpoints = checkpoints,
        };
    }

    /// <summary>The views of an image whose logits are averaged at the end.</summary>
    internal static TestTimeAugmentation Views(this SettingValues settings) =>
        TestTimeAugmentation.All.Single(views => views.Name == settings.Get(TrainSettings.TestTime));

    private static Schedule? CreateSchedule(this SettingValues settings, long steps)
    {
        if (steps == 0) return null;
        var rising = (int)(steps * settings.Get(TrainSettings.RisingShare));
        return settings.Get(TrainSettings.Schedule) switch
        {
            "one-cycle" => Schedule.OneCycle(steps),
            "triangular" => Schedule.Triangular(steps),
            "cosine" => WarmUp(Schedule.Cosine(steps - rising)),
            _ => rising > 0 ? WarmUp(Schedule.Constant()) : null,
        };

        Schedule WarmUp(Schedule next) => rising > 0 ? Schedule.WarmUp(rising, next) : next;
    }
}
