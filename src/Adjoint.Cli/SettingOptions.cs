using System.CommandLine;
using Adjoint.Experiments;
using Adjoint.Kernels;
using Adjoint.Training;

namespace Adjoint.Cli;

/// <summary>The options of <c>adjoint train</c> on which its result depends: the settings of an experiment too.</summary>
internal sealed class SettingOptions
{
    private readonly Option<string> dataset = new("--dataset") { Description = $"What to learn: {string.Join(", ", TrainSettings.Datasets)}.", DefaultValueFactory = _ => "synth" };
    private readonly Option<string> model = new("--model") { Description = $"The network: {string.Join(", ", TrainSettings.Models)}.", DefaultValueFactory = _ => "mlp" };
    private readonly Option<string> hidden = new("--hidden") { Description = "Hidden sizes: 4x (four times the inputs) or a list, 300,100.", DefaultValueFactory = _ => "4x" };
    private readonly Option<int> layers = new("--layers") { Description = "Hidden layers, for --hidden 4x.", DefaultValueFactory = _ => 1 };
    private readonly Option<string> activation = new("--activation") { Description = $"Between the layers: {string.Join(", ", Nn.Mlp.Activations)}.", DefaultValueFactory = _ => "sigmoid" };
    private readonly Option<int> batchSize = new("--batch-size") { Description = "Samples per step.", DefaultValueFactory = _ => 128 };
    private readonly Option<int> epochs = new("--epochs") { Description = "Passes over the training samples.", DefaultValueFactory = _ => 20 };
    private readonly Option<double?> rate = new("--lr") { Description = "Learning rate; the default depends on data set and optimizer." };
    private readonly Option<string> optimizer = new("--optimizer") { Description = $"One of {string.Join(", ", TrainSettings.Optimizers)}.", DefaultValueFactory = _ => "sgd" };
    private readonly Option<double> momentum = new("--momentum") { Description = "Momentum of sgd.", DefaultValueFactory = _ => 0 };
    private readonly Option<double> decay = new("--weight-decay") { Description = "Weight decay, of matrices and filters; biases and norms do not decay.", DefaultValueFactory = _ => 0 };
    private readonly Option<string> reduction = new("--loss-reduction") { Description = "Loss of a batch: mean or sum of its samples' losses.", DefaultValueFactory = _ => "mean" };
    private readonly Option<string> pixels = new("--pixels") { Description = "Of images: unit (divided by 255; cifar10: -1 to 1), bytes (0 to 255, as the course's engine has them) or standard (each channel minus its mean, over its deviation, of the training samples).", DefaultValueFactory = _ => "unit" };
    private readonly Option<bool> nesterov = new("--nesterov") { Description = "Nesterov's momentum, for sgd." };
    private readonly Option<double> smoothing = new("--label-smoothing") { Description = "Share of the target spread over all classes.", DefaultValueFactory = _ => 0 };
    private readonly Option<string> schedule = new("--schedule") { Description = $"Of the learning rate: {string.Join(", ", TrainSettings.Schedules)}.", DefaultValueFactory = _ => "constant" };
    private readonly Option<string> augment = new("--augment") { Description = $"Random changes of training images, a list of: {string.Join(", ", Data.Transform.All.Select(transform => transform.Name))}.", DefaultValueFactory = _ => "none" };
    private readonly Option<double> average = new("--ema") { Description = "Decay of a moving average of the weights, which is then what is validated and kept; 0: none.", DefaultValueFactory = _ => 0 };
    private readonly Option<string> views = new("--tta") { Description = $"Views of an image whose logits are averaged at the end, on the best model: {string.Join(", ", TestTimeAugmentation.All.Select(views => views.Name))}.", DefaultValueFactory = _ => "none" };
    private readonly Option<double> biasFactor = new("--bias-lr-factor") { Description = "Learning rate of biases and norms, as a multiple of --lr.", DefaultValueFactory = _ => 1 };
    private readonly Option<int> patience = new("--patience") { Description = "End after so many epochs without a lower validation loss; 0: never.", DefaultValueFactory = _ => 0 };
    private readonly Option<ulong> seed = new("--seed") { Description = "Of everything random.", DefaultValueFactory = _ => 1 };
    private readonly Option<double> share = new("--data-share") { Description = "Use only this share of the training and validation samples, the first ones: for a quick look.", DefaultValueFactory = _ => 1 };

    /// <summary>All of them, in the order of the help.</summary>
    internal IReadOnlyList<Option> All => [dataset, model, hidden, layers, activation, batchSize, epochs, rate, optimizer, momentum, decay, reduction, pixels, nesterov, smoothing, schedule, augment, average, views, biasFactor, patience, seed, share];

    /// <summary>Name, kind and description of each but the seed, which an experiment sets itself.</summary>
    internal IReadOnlyList<Setting> Settings => [.. All.Where(option => option != seed).Select(option => new Setting(option.Name[2..], KindOf(option.ValueType), option.Description!))];

    /// <summary>What was given, checked.</summary>
    /// <exception cref="UsageException">A value is out of its range.</exception>
    internal TrainSettings Read(ParseResult parsed, int? threads, string? dataDir)
    {
        string Value(Option<string> option) => parsed.GetValue(option)!;
        var settings = new TrainSettings(
            Value(dataset), Value(model), Value(hidden), parsed.GetValue(layers), Value(activation), parsed.GetValue(batchSize), parsed.GetValue(epochs),
            parsed.GetValue(rate) ?? TrainSettings.DefaultLearningRate(Value(dataset), Value(optimizer), Value(reduction), parsed.GetValue(batchSize)),
            Value(optimizer), parsed.GetValue(momentum), parsed.GetValue(decay), Value(reduction), Value(pixels), parsed.GetValue(seed), threads ?? Workers.ThreadCount, dataDir)
        {
            Nesterov = parsed.GetValue(nesterov),
            LabelSmoothing = parsed.GetValue(smoothing),
            Schedule = Value(schedule),
            Augment = Value(augment),
            Ema = parsed.GetValue(average),
            TestTime = Value(views),
            BiasRateFactor = parsed.GetValue(biasFactor),
            Patience = parsed.GetValue(patience),
            DataShare = parsed.GetValue(share),
        };
        settings.Validate();
        return settings;
    }

    /// <summary>The settings of names and values, as in a file.</summary>
    /// <exception cref="SettingException">A name or a value is wrong.</exception>
    internal static TrainSettings Read(IEnumerable<KeyValuePair<string, string>> given, int? threads = null, string? dataDir = null)
    {
        var options = new SettingOptions();
        var command = new Command("settings");
        foreach (var option in options.All) command.Options.Add(option);
        foreach (var (name, _) in given)
            if (options.All.All(option => option.Name != "--" + name)) throw new SettingException(name, $"no such setting{Spelling.Hint(name, options.All.Select(option => option.Name[2..]))}");
        // One argument each, so that no value is taken for another option.
        var parsed = command.Parse([.. given.Select(setting => $"--{setting.Key}={setting.Value}")]);
        if (parsed.Errors.Count > 0)
            throw new SettingException(given.FirstOrDefault(setting => parsed.Errors[0].Message.Contains($"'--{setting.Key}'", StringComparison.Ordinal)).Key ?? "settings", parsed.Errors[0].Message.TrimEnd('.'));
        try
        {
            return options.Read(parsed, threads, dataDir);
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
        : type == typeof(int) || type == typeof(ulong) ? SettingKind.Integer
        : type == typeof(double) || type == typeof(double?) ? SettingKind.Number
        : SettingKind.Text;
}
