using System.CommandLine;
using Adjoint.Experiments;
using Adjoint.Kernels;
using Adjoint.Training;

namespace Adjoint.Cli;

/// <summary>The options of <c>adjoint train</c> on which its result depends: the settings of an experiment too.</summary>
internal sealed class SettingOptions
{
    private static readonly string Transforms = string.Join(", ",
        Data.Transform.All.Select(transform => transform.Name));
    private static readonly string Views = string.Join(", ", TestTimeAugmentation.All.Select(views => views.Name));

    private readonly Option<string> dataset = TextOption.Of("--dataset", "synth",
        $"What to learn: {string.Join(", ", TrainSettings.Datasets)}.");
    private readonly Option<double> share = NumberOption.Of("--data-share",
        "Use only this share of the training and validation samples, the first ones: for a quick look.", 1.0);
    private readonly Option<string> pixels = TextOption.Of("--pixels", "unit",
        "Of images: unit (divided by 255; cifar10: -1 to 1), bytes (0 to 255, as the course's engine has them) or "
            + "standard (each channel minus its mean, over its deviation, of the training samples).");
    private readonly Option<string> augment = TextOption.Of("--augment", "none",
        $"Random changes of training images, a list of: {Transforms}.");
    private readonly Option<bool> inOrder = NumberOption.Flag("--no-shuffle",
        "Take the training samples in the order of their files in every epoch, as the course's engine does.");
    private readonly Option<string> model = TextOption.Of("--model", "mlp",
        $"The network: {string.Join(", ", TrainSettings.Models)}.");
    private readonly Option<string> hidden = TextOption.Of("--hidden", "4x",
        "Of an mlp: hidden sizes, 4x (four times the inputs) or a list, 300,100.", "sizes");
    private readonly Option<int?> layers = NumberOption.Optional<int>("--layers",
        "Of an mlp: how many hidden layers of --hidden 4x; 1 by default.");
    private readonly Option<string?> activation = TextOption.Optional("--activation",
        $"Of an mlp, between the layers: {string.Join(", ", Nn.Mlp.Activations)}; by default sigmoid for synth and "
            + $"relu for images.");
    private readonly Option<int> epochs = NumberOption.Of("--epochs", "Passes over the training samples.", 20);
    private readonly Option<int> batchSize = NumberOption.Of("--batch-size", "Samples per step.", 128);
    private readonly Option<string?> optimizer = TextOption.Optional("--optimizer",
        $"One of {string.Join(", ", TrainSettings.Optimizers)}; by default sgd for synth and adam for images.");
    private readonly Option<double?> rate = NumberOption.Optional<double>("--lr",
        "Learning rate; by default one that suits data set and optimizer.");
    private readonly Option<string> schedule = TextOption.Of("--schedule", "constant",
        $"Of the learning rate: {string.Join(", ", TrainSettings.Schedules)}.");
    private readonly Option<double> momentum = NumberOption.Of("--momentum", "Momentum of sgd.", 0.0);
    private readonly Option<bool> nesterov = NumberOption.Flag("--nesterov", "Nesterov's momentum, for sgd.");
    private readonly Option<double?> decay = NumberOption.Optional<double>("--weight-decay",
        "Weight decay, of matrices and filters, not of biases and norms; by default 0.01 for adamw, else 0.");
    private readonly Option<double> biasFactor = NumberOption.Of("--bias-lr-factor",
        "Learning rate of biases and norms, as a multiple of --lr.", 1.0);
    private readonly Option<string> reduction = TextOption.Of("--loss-reduction", "mean",
        "Loss of a batch: mean or sum of its samples' losses.");
    private readonly Option<double> smoothing = NumberOption.Of("--label-smoothing",
        "Share of the target spread over all classes.", 0.0);
    private readonly Option<double?> average = NumberOption.Optional<double>("--ema",
        "Decay of a moving average of the weights, which is then what is validated and kept; 0: none; by default 0.99 "
        + "for images, else 0.");
    private readonly Option<int> patience = NumberOption.Of("--patience",
        "End after so many epochs without a lower validation loss; 0: never.", 0);
    private readonly Option<string> views = TextOption.Of("--tta", "none",
        $"Views of an image whose logits are averaged at the end, on the best model: {Views}.");
    private readonly Option<ulong> seed = NumberOption.Of("--seed", "Of everything random.", 1UL);

    /// <summary>All of them by subject, in the order of the help.</summary>
    internal IReadOnlyList<OptionGroup> Groups =>
    [
        new("Data", [dataset, share, pixels, augment, inOrder]),
        new("Network", [model, hidden, layers, activation]),
        new("Training", [epochs, batchSize, optimizer, rate, schedule, momentum, nesterov, decay, biasFactor,
            reduction, smoothing, average, patience, views, seed]),
    ];

    /// <summary>All of them.</summary>
    internal IReadOnlyList<Option> All => [.. Groups.SelectMany(group => group.Options)];

    /// <summary>Name, kind and description of each but the seed, which an experiment sets itself.</summary>
    internal IReadOnlyList<Setting> Settings => [.. All.Where(option => option != seed).Select(option => new Setting(option.Name[2..], KindOf(option.ValueType), option.Description!))];

    /// <summary>What was given, checked.</summary>
    /// <exception cref="UsageException">
    /// A value is out of its range, or was given though it does nothing beside the others.
    /// </exception>
    internal TrainSettings Read(ParseResult parsed, int? threads, string? dataDir)
    {
        var settings = Parse(parsed, threads, dataDir);
        settings.RefuseIdle(All.Where(option => option.IsGiven(parsed)).Select(option => option.Name[2..]));
        return settings;
    }

    private TrainSettings Parse(ParseResult parsed, int? threads, string? dataDir)
    {
        string Value(Option<string> option) => parsed.GetValue(option)!;
        var (of, by) = (Value(dataset), parsed.GetValue(optimizer) ?? TrainSettings.DefaultOptimizer(Value(dataset)));
        var settings = new TrainSettings(
            of, Value(model), Value(hidden), parsed.GetValue(layers) ?? 1,
            parsed.GetValue(activation) ?? TrainSettings.DefaultActivation(of, Value(model)),
            parsed.GetValue(batchSize), parsed.GetValue(epochs),
            parsed.GetValue(rate)
                ?? TrainSettings.DefaultLearningRate(of, by, Value(reduction), parsed.GetValue(batchSize)), by,
            parsed.GetValue(momentum), parsed.GetValue(decay) ?? TrainSettings.DefaultWeightDecay(by),
            Value(reduction), Value(pixels), parsed.GetValue(seed),
            threads ?? Workers.ThreadCount, dataDir)
        {
            Nesterov = parsed.GetValue(nesterov),
            LabelSmoothing = parsed.GetValue(smoothing),
            Schedule = Value(schedule),
            Augment = Value(augment),
            Ema = parsed.GetValue(average) ?? TrainSettings.DefaultEma(of),
            TestTime = Value(views),
            BiasRateFactor = parsed.GetValue(biasFactor),
            Patience = parsed.GetValue(patience),
            DataShare = parsed.GetValue(share),
            InOrder = parsed.GetValue(inOrder),
        };
        settings.Validate();
        return settings;
    }

    /// <summary>The settings of names and values, as in a file.</summary>
    /// <param name="given">Names and values.</param>
    /// <param name="threads">How many, or null for as many as there are cores.</param>
    /// <param name="dataDir">Where the data sets lie, or null.</param>
    /// <param name="isNoted">Whether a run noted them: version 0.1 noted those that do nothing too.</param>
    /// <exception cref="SettingException">
    /// A name or a value is wrong, or one does nothing beside the others.
    /// </exception>
    internal static TrainSettings Read(IEnumerable<KeyValuePair<string, string>> given, int? threads = null,
        string? dataDir = null, bool isNoted = false)
    {
        var options = new SettingOptions();
        var command = new Command("settings");
        foreach (var option in options.All) command.Options.Add(option);
        foreach (var (name, value) in given)
        {
            var option = options.All.FirstOrDefault(option => option.Name == "--" + name);
            if (option is null)
            {
                var hint = Spelling.Hint(name, options.All.Select(option => option.Name[2..]));
                throw new SettingException(name, $"no such setting{hint}");
            }
            if (value.Length == 0) throw new SettingException(name, "is empty; give it a value");
            if (option.ValueType == typeof(bool) && !bool.TryParse(value, out _))
                throw new SettingException(name, $"'{value}' is neither true nor false");
        }
        // One argument each, so that no value is taken for another option.
        var parsed = command.Parse([.. given.Select(setting => $"--{setting.Key}={setting.Value}")]);
        try
        {
            if (parsed.Errors.Count > 0) throw new UsageException(parsed.Errors[0].Message.TrimEnd('.'));
            return isNoted ? options.Parse(parsed, threads, dataDir) : options.Read(parsed, threads, dataDir);
        }
        catch (UsageException error)
        {
            var colon = error.Message.IndexOf(": ", StringComparison.Ordinal);
            throw colon > 2 && error.Message.StartsWith("--", StringComparison.Ordinal) && options.All.Any(option => option.Name == error.Message[..colon])
                ? new SettingException(error.Message[2..colon], error.Message[(colon + 2)..])
                : new SettingException("settings", error.Message);
        }
    }

    private static SettingKind KindOf(Type type) => type == typeof(bool) ? SettingKind.Flag
        : type == typeof(int) || type == typeof(int?) || type == typeof(ulong) ? SettingKind.Integer
        : type == typeof(double) || type == typeof(double?) ? SettingKind.Number
        : SettingKind.Text;
}
