using System.Globalization;

namespace Adjoint.Experiments;

/// <summary>
/// The eight figures of the course report as experiments: what it sets, what it claims about each figure, and what it
/// leaves open, with the interpretations that are run.
/// </summary>
public static class CourseReport
{
    private const string Batch4 = "batch 4", TextCase = "Adam, lr 0.0005", SgdMomentum = "SGD, momentum 0.9";

    private static readonly Dictionary<string, string> Mnist = new()
    {
        ["dataset"] = "mnist",
        ["model"] = "mlp",
        ["hidden"] = "4x",
        ["layers"] = "1",
        ["activation"] = "sigmoid",
        ["epochs"] = "20",
        ["batch-size"] = "128",
        ["optimizer"] = "sgd",
        ["loss-reduction"] = "sum",
        ["lr"] = "0.0001",
        ["ema"] = "0",
    };

    private static readonly Dictionary<string, string> Cifar =
        new() { ["dataset"] = "cifar10", ["model"] = "lenet", ["batch-size"] = "50", ["ema"] = "0" };

    private const string MnistSetting =
        "Batch size, loss, learning rate and initial weights are not given: batch 128, sum of losses, learning rate "
        + "0.0001, plain SGD, Glorot's normal weights, as in the course's code.";

    private const string FiftyEpochs = "The number of epochs is not given: 50, since the best is reported after 46.";

    private static readonly Interpretation Divided =
        new("", "inputs / 255", "Inputs are divided by 255, as the report says.", [("pixels", "unit")]);

    private static readonly Interpretation Bytes = new("b", "inputs 0 to 255",
        "Run again with inputs from 0 to 255, as the course's code loads them: divided inputs give the first layer "
        + "gradients 255 times smaller at the same learning rate, which can change a verdict.", [("pixels", "bytes")]);

    private static readonly Interpretation Momentum = new("", SgdMomentum,
        "The optimizer is not given: SGD with momentum 0.9, as in the tutorial that the network is from; learning rate "
        + "0.001 where it is not varied, as there.", [("optimizer", "sgd"), ("momentum", "0.9"), ("lr", "0.001")]);

    private static readonly Interpretation Adam = new("b", "Adam",
        "Run again with Adam, the report's optimizer elsewhere; learning rate 0.001 where it is not varied, Adam's "
        + "default.", [("optimizer", "adam"), ("lr", "0.001")]);

    /// <summary>
    /// All experiments, in order of the figures; a letter behind a figure's number marks another interpretation of what
    /// the report leaves open.
    /// </summary>
    public static IReadOnlyList<Experiment> Experiments { get; } =
    [
        Activations(Divided), Activations(Bytes), Sizes(Divided), Sizes(Bytes), Layers(Divided), Layers(Bytes),
        Batches(Momentum), Batches(Adam), Rates(Momentum), Rates(Adam), Optimizers(), Overfitting(), ReportText(),
    ];

    private static Experiment Activations(Interpretation interpretation) =>
        Interpret(interpretation, "1", "Sigmoid and ReLU on MNIST", Mnist, new("activation",
            [Named("sigmoid", ("activation", "sigmoid")), Named("ReLU", ("activation", "relu"))])) with
        {
            Choices = [MnistSetting, interpretation.Choice],
            Claims =
            [
                new("Sigmoid beats ReLU", new Higher(Measure.Best, "sigmoid", "ReLU")),
                new("Sigmoid converges sooner", new Lower(Measure.Convergence, "sigmoid", "ReLU")),
                new("Sigmoid reaches 94.8 %", new Near(Measure.Best, "sigmoid", 94.8, 1)),
                new("ReLU reaches 93.3 %", new Near(Measure.Best, "ReLU", 93.3, 1)),
            ],
        };

    private static Experiment Sizes(Interpretation interpretation) =>
        Interpret(interpretation, "2", "Size of the hidden layer on MNIST", Mnist,
            new("size of the hidden layer, times the inputs",
                [Named("2×", ("hidden", "2x")), Named("4×", ("hidden", "4x")), Named("6×", ("hidden", "6x"))])) with
        {
            Choices = [MnistSetting, interpretation.Choice],
            Claims =
            [
                new("The sizes do not differ (p > 0.05)", new Alike(Measure.Best, 1)),
                new("2× reaches 94.2 %", new Near(Measure.Best, "2×", 94.2, 1)),
                new("4× reaches 94.0 %", new Near(Measure.Best, "4×", 94.0, 1)),
                new("6× reaches 93.6 %", new Near(Measure.Best, "6×", 93.6, 1)),
            ],
        };

    private static Experiment Layers(Interpretation interpretation) =>
        Interpret(interpretation, "3", "One and two hidden layers on MNIST", Mnist,
            new("layers", [Named("1 layer", ("layers", "1")), Named("2 layers", ("layers", "2"))])) with
        {
            Choices = [MnistSetting, interpretation.Choice],
            Claims = [new("One layer beats two", new Higher(Measure.Best, "1 layer", "2 layers"))],
        };

    private static Experiment Batches(Interpretation interpretation) =>
        Interpret(interpretation, "4", "Batch size on CIFAR-10", With(Cifar, ("epochs", "50")),
            Numbers("batch size", "batch-size", 25, 50, 100, 200, 300)) with
        {
            Choices = [interpretation.Choice, FiftyEpochs],
            Claims =
            [
                new("Smaller batches do better", new Falling(Measure.Best, "batch size")),
                new("The best batch size is 50", new Top(Measure.Best, "50")),
                new("It reaches 63.3 %", new Near(Measure.Best, "50", 63.3, 1)),
                new("That comes after 46 epochs", new Near(Measure.BestEpoch, "50", 46, 2)),
            ],
        };

    private static Experiment Rates(Interpretation interpretation) =>
        Interpret(interpretation, "5", "Learning rate on CIFAR-10", With(Cifar, ("epochs", "20")),
            Numbers("learning rate", "lr", 0.0005, 0.001, 0.003, 0.005, 0.01)) with
        {
            Choices =
            [
                interpretation.Choice,
                "The learning rates besides 0.0005 and 0.003 are not given: 0.001, 0.005 and 0.01 fill the range and "
                + "go past its best.",
            ],
            Claims =
            [
                new("The best learning rate is 0.003", new Top(Measure.Best, "0.003")),
                new("It reaches 65.1 %", new Near(Measure.Best, "0.003", 65.1, 1)),
                new("That comes after 20 epochs", new Near(Measure.BestEpoch, "0.003", 20, 2)),
            ],
        };

    private static Experiment Optimizers() =>
        new("6", "Adam and SGD on CIFAR-10", With(Cifar, ("epochs", "50"), ("lr", "0.003")),
            [new("optimizer",
            [
                Named("Adam", ("optimizer", "adam")), Named("SGD", ("optimizer", "sgd")),
                Named(SgdMomentum, ("optimizer", "sgd"), ("momentum", "0.9")),
            ])], Measure.Best)
        {
            Plots = [new("6", Quantity.ValidationAccuracy, "Adam and SGD on CIFAR-10, batch 50, learning rate 0.003")],
            Choices =
            [
                "Whether SGD has momentum is not given: run with and without. \"Still improving after 50 epochs\" fits "
                + "the latter.",
            ],
            Claims =
            [
                new("Adam reaches 63.2 %", new Near(Measure.Best, "Adam", 63.2, 1)),
                new("Adam is best after 14 epochs", new Near(Measure.BestEpoch, "Adam", 14, 2)),
                new("Adam converges sooner than SGD", new Lower(Measure.Convergence, "Adam", "SGD")),
                new("Adam converges sooner than SGD with momentum",
                    new Lower(Measure.Convergence, "Adam", SgdMomentum)),
                new("Adam then decays", new Beyond(Measure.Fall, "Adam", 1)),
                new("SGD reaches 62.7 %", new Near(Measure.Best, "SGD", 62.7, 1)),
                new("SGD still improves after 50 epochs", new Beyond(Measure.LateSlope, "SGD", 0)),
                new("SGD with momentum still improves after 50 epochs",
                    new Beyond(Measure.LateSlope, SgdMomentum, 0)),
                new("Adam's best is above SGD's", new Higher(Measure.Best, "Adam", "SGD")),
            ],
        };

    private static Experiment Overfitting() =>
        new("7", "Overfitting on CIFAR-10: batch 4, Adam",
            With(Cifar, ("epochs", "50"), ("batch-size", "4"), ("optimizer", "adam"), ("lr", "0.001")),
            [new("batch-size", [Named(Batch4, ("batch-size", "4"))])], Measure.Best)
        {
            Plots =
            [
                new("7", Quantity.ValidationAccuracy, "Validation accuracy, CIFAR-10, batch 4, Adam"),
                new("8", Quantity.TrainLoss, "Training loss, CIFAR-10, batch 4, Adam"),
            ],
            Choices =
            [
                "Adam's learning rate is not given: 0.001, its default. The 0.003 of figure 6 is for batches of 50.",
            ],
            Claims =
            [
                new("The best is 62.3 %", new Near(Measure.Best, Batch4, 62.3, 1)),
                new("It comes after 6 epochs", new Near(Measure.BestEpoch, Batch4, 6, 2)),
                new("Overfitting: accuracy then falls while the training loss keeps dropping",
                    new Beyond(Measure.Fall, Batch4, 1), new Beyond(Measure.LateLossSlope, Batch4, 0, Above: false)),
            ],
        };

    private static Experiment ReportText() =>
        new("text", "The report's text: Adam, learning rate 0.0005",
            With(Cifar, ("epochs", "20"), ("optimizer", "adam"), ("lr", "0.0005")),
            [new("optimizer", [Named(TextCase, ("optimizer", "adam"))])], Measure.Best)
        {
            Plots = [new("text", Quantity.ValidationAccuracy, "CIFAR-10, batch 50, Adam, learning rate 0.0005")],
            Claims =
            [
                new("The best is 64.7 %", new Near(Measure.Best, TextCase, 64.7, 1)),
                new("It comes in epoch 17", new Near(Measure.BestEpoch, TextCase, 17, 2)),
            ],
        };

    private static Experiment Interpret(
        Interpretation interpretation, string figure, string title, Dictionary<string, string> settings, Factor varied)
    {
        var (name, full) = (figure + interpretation.Suffix, $"{title}, {interpretation.Label}");
        return new(name, full, With(settings, interpretation.Settings), [varied], Measure.Best)
        {
            Reading = new(figure, interpretation.Label),
            Plots = [new(name, Quantity.ValidationAccuracy, full)],
        };
    }

    private static Factor Numbers(string name, string setting, params double[] values) => new(name,
        [.. values.Select(value => value.ToString("0.####", CultureInfo.InvariantCulture))
            .Select(value => Named(value, (setting, value)))]);

    private static Level Named(string label, params (string Name, string Value)[] settings) =>
        new(label, settings.ToDictionary(setting => setting.Name, setting => setting.Value));

    private static Dictionary<string, string> With(
        Dictionary<string, string> settings, params (string Name, string Value)[] more)
    {
        var result = new Dictionary<string, string>(settings);
        foreach (var (name, value) in more) result[name] = value;
        return result;
    }

    // One interpretation of what the report leaves open: what it adds to a figure's number, what it is called, why it
    // is chosen, and what it sets.
    private sealed record Interpretation(
        string Suffix, string Label, string Choice, (string Name, string Value)[] Settings);
}
