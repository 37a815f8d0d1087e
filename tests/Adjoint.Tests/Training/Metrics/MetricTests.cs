using Adjoint.Training;

namespace Adjoint.Tests.Training;

/// <summary>Published values, shapes, and what metrics refuse.</summary>
public class MetricTests
{
    private static readonly Tensor TwoOfTwo = Tensor.From(new float[] { 2, 0, 0, 1 }, 2, 2);

    private static double Of(Metric metric, Tensor outputs, Tensor targets, Tensor? weights = null)
    {
        metric.Update(outputs, targets, weights);
        return metric.Compute();
    }

    // The examples of scikit-learn's documentation of each function.
    [Fact]
    public void Published_values_of_scores()
    {
        var (y, scores) = (Tensor.From(new long[] { 0, 0, 1, 1 }), Tensor.From(new[] { 0.1, 0.4, 0.35, 0.8 }));
        Assert.Equal(0.75, Of(new RocAuc { FromLogits = false }, scores, y));
        Assert.Equal(0.83, Of(new PrAuc { FromLogits = false }, scores, y), 0.005);
        // Spam 0.9, 0.1, 0.2, 0.65 for spam, ham, ham, spam.
        Assert.Equal(0.21616, Of(new LogLoss { FromLogits = false }, Tensor.From(new[] { 0.9, 0.1, 0.2, 0.65 }),
            Tensor.From(new[] { true, false, false, true })), 0.000005);
        var top = Tensor.From(new[] { 0.5, 0.2, 0.2, 0.3, 0.4, 0.2, 0.2, 0.4, 0.3, 0.7, 0.2, 0.1 }, 4, 3);
        Assert.Equal(0.75, Of(new TopKAccuracy(2), top, Tensor.From(new long[] { 0, 1, 2, 2 })));
    }

    [Fact]
    public void Published_values_of_decisions()
    {
        var y = Tensor.From(new long[] { 0, 1, 2, 0, 1, 2 });
        var decided = OneHot([0, 2, 1, 0, 0, 1], 3);
        foreach (var (average, precision, recall, f1) in (ReadOnlySpan<(Averaging, double, double, double)>)
            [(Averaging.Macro, 0.222, 0.333, 0.267), (Averaging.Micro, 0.333, 0.333, 0.333),
                (Averaging.Weighted, 0.222, 0.333, 0.267)])
        {
            Assert.Equal(precision, Of(new Precision { Average = average }, decided, y), 0.0005);
            Assert.Equal(recall, Of(new Recall { Average = average }, decided, y), 0.0005);
            Assert.Equal(f1, Of(new F1 { Average = average }, decided, y), 0.0005);
        }
        var each = new F1();
        Of(each, decided, y);
        Assert.Equal([0.8, 0, 0], each.PerClass());
        var jaccard = new IoU();
        Of(jaccard, OneHot([0, 2, 1, 2], 3), Tensor.From(new long[] { 0, 1, 2, 2 }));
        Assert.Equal([1, 0, 1.0 / 3], jaccard.PerClass());
        var labels = new IoU { MultiLabel = true, FromLogits = false };
        Assert.Equal(2.0 / 3, Of(labels, Tensor.From(new double[] { 1, 1, 1, 1, 0, 0 }, 2, 3),
            Tensor.From(new float[] { 0, 1, 1, 1, 1, 0 }, 2, 3)), 1e-15);
        Assert.Equal([0.5, 0.5, 1], labels.PerClass());
        Assert.Equal(0.5, Of(new Accuracy { MultiLabel = true, FromLogits = false },
            Tensor.Ones(2, 2), Tensor.From(new float[] { 0, 1, 1, 1 }, 2, 2)));
    }

    [Fact]
    public void Published_values_of_regression()
    {
        var (y, x) = (Tensor.From(new[] { 3, -0.5, 2, 7 }), Tensor.From(new[] { 2.5, 0, 2, 8 }));
        Assert.Equal(0.948, Of(new R2(), x, y), 0.001);
        Assert.Equal(0.5, Of(new Mae(), x, y));
        Assert.Equal(0.612, Of(new Rmse(), x, y), 0.0005);
        (y, x) = (Tensor.From(new[] { 0.5, 1, -1, 1, 7, -6 }, 3, 2), Tensor.From(new double[] { 0, 2, -1, 2, 8, -5 },
            3, 2));
        Assert.Equal(0.75, Of(new Mae(), x, y));
        Assert.Equal(0.8227, Of(new Rmse(), x, y), 0.00005);
        // Of the mean; of the reverse; and constant targets.
        y = Tensor.From(new double[] { 1, 2, 3 });
        Assert.Equal(0, Of(new R2(), Tensor.Full([3], 2.0).To(DType.Float64), y));
        Assert.Equal(-3, Of(new R2(), Tensor.From(new double[] { 3, 2, 1 }), y));
        var constant = Tensor.From(new[] { 0.1, 0.1, 0.1 });
        Assert.Equal(1, Of(new R2(), constant, constant));
        Assert.Equal(0, Of(new R2(), constant + 1e-8, constant));
        Assert.True(double.IsNaN(Of(new R2(), Tensor.Zeros(1), Tensor.Zeros(1))));
    }

    [Fact]
    public void A_large_mean_of_the_targets_costs_no_digits()
    {
        var random = new Random(2);
        var noise = Enumerable.Range(0, 1000).Select(_ => (Y: random.NextDouble(), E: random.NextDouble())).ToArray();
        double At(double shift) => Of(new R2(), Tensor.From(noise.Select(one => shift + one.Y + one.E / 4).ToArray()),
            Tensor.From(noise.Select(one => shift + one.Y).ToArray()));
        Assert.Equal(At(0), At(1 << 20), 1e-8);
    }

    [Fact]
    public void Logits_far_apart_neither_overflow_nor_tie()
    {
        var logits = Tensor.From(new double[] { 800, 0, -800, 0, 900, -900, 0, 1000, -1000 }, 3, 3);
        Assert.Equal(800.0 / 3, Of(new LogLoss(), logits, Tensor.From(new long[] { 1, 1, 1 })), 1e-12);
        // As probabilities, 800 and 1000 are both 1.
        var (y, sure) = (Tensor.From(new[] { false, true }), Tensor.From(new double[] { 800, 1000 }));
        Assert.Equal(1, Of(new RocAuc(), sure, y));
        Assert.Equal(1, Of(new RocAuc { Average = Averaging.Binary }, Tensor.From(new double[] { 0, 800, 0, 1000 },
            2, 2), y.To(DType.Int64)));
        Assert.Equal(4.139937e-8, Of(new LogLoss(), Tensor.From(new[] { 17.0 }), Tensor.From(new[] { true })), 1e-14);
        Assert.Equal(double.PositiveInfinity, Of(new LogLoss(),
            Tensor.From(new[] { 0, double.NegativeInfinity }, 1, 2), Tensor.From(new long[] { 1 })));
    }

    [Fact]
    public void Probabilities_of_0_are_clipped_as_scikit_learn_does()
    {
        foreach (var (type, epsilon) in ((DType, double)[])[(DType.Float64, Math.Pow(2, -52)),
            (DType.Float32, Math.Pow(2, -23))])
            Assert.Equal(-Math.Log(epsilon), Of(new LogLoss { FromLogits = false },
                Tensor.From(new double[] { 1, 0 }, 1, 2).To(type), Tensor.From(new long[] { 1 })), 1e-12);
    }

    [Fact]
    public void A_uniform_guess_of_v_tokens_has_perplexity_v()
    {
        var (logits, tokens) = (Tensor.Zeros(2, 5, 7), Tensor.From(Enumerable.Range(0, 10).Select(i => i % 7L)
            .ToArray(), 2, 5));
        Assert.Equal(7, Of(new Perplexity(), logits, tokens), 1e-12);
        Assert.Equal("Perplexity: outputs (n, classes) with labels (n), or outputs and targets of one shape, are "
            + "needed: found (2, 7, 5) and (2, 5); use .Reshape(…) on one of them, or set ClassAxis: found -1",
            Assert.Throws<AdjointException>(() => Of(new Perplexity(), logits.Transpose(1, 2), tokens)).Message);
    }

    [Fact]
    public void Images_and_texts_are_their_elements()
    {
        var generator = new Generator(4);
        var images = Tensor.Randn([2, 3, 4, 5], generator);
        var labels = Tensor.From(Enumerable.Range(0, 40).Select(i => i % 9 == 8 ? -100L : i * 7 % 3).ToArray(), 2, 4,
            5);
        var flat = images.Permute(0, 2, 3, 1).Reshape(-1, 3);
        var each = Tensor.Rand([2, 4, 5], generator);
        var perImage = Tensor.From(new float[] { 1, 3 });
        foreach (var create in (Func<int, Metric>[])[axis => new Accuracy { ClassAxis = axis },
            axis => new IoU { ClassAxis = axis }, axis => new RocAuc { ClassAxis = axis },
            axis => new LogLoss { ClassAxis = axis }, axis => new CalibrationError { ClassAxis = axis }])
        {
            Assert.Equal(Of(create(1), flat, labels.Reshape(-1)), Of(create(1), images, labels));
            Assert.Equal(Of(create(1), flat, labels.Reshape(-1)),
                Of(create(-1), images.Permute(0, 2, 3, 1), labels));
            Assert.Equal(Of(create(1), flat, labels.Reshape(-1), each.Reshape(-1)),
                Of(create(1), images, labels, each));
            Assert.Equal(Of(create(1), flat, labels.Reshape(-1), perImage.Reshape(2, 1).Expand(2, 20).Reshape(-1)),
                Of(create(1), images, labels, perImage));
        }
        // One logit per pixel: (n, 1, h, w) with (n, h, w).
        Assert.Equal(Of(new Dice(), images[.., ..1].Reshape(-1), (labels.Reshape(-1).EqualTo(1))),
            Of(new Dice(), images[.., ..1], labels.EqualTo(1)));
    }

    [Fact]
    public void Two_classes_are_one_logit()
    {
        var x = Tensor.Randn([50], new Generator(5));
        var y = Tensor.Rand([50], new Generator(6)).Greater(0.5);
        var two = Tensor.Stack([Tensor.Zeros(50), x], 1);
        foreach (var create in (Func<Metric>[])[() => new Accuracy(), () => new F1(), () => new PrAuc(),
            () => new IoU(),
            () => new LogLoss(), () => new CalibrationError(), () => new F1 { Threshold = 0.3 }])
        {
            var expected = Of(create(), two, y.To(DType.Int64));
            Assert.Equal(expected, Of(create(), x, y), 1e-14);
            Assert.Equal(expected, Of(create(), x.Reshape(50, 1), y.To(DType.Float32)), 1e-14);
        }
        var (none, all) = (new Recall { Threshold = 0.999 }, new Recall { Threshold = 0.001 });
        Assert.Equal(0, Of(none, x, y));
        Assert.Equal(1, Of(all, x, y));
    }

    [Fact]
    public void Areas_without_a_class()
    {
        var (scores, none) = (Tensor.From(new[] { 1.0, 2, 3 }), Tensor.From(new[] { false, false, false }));
        Assert.True(double.IsNaN(Of(new RocAuc(), scores, none)));
        Assert.Equal(0, Of(new PrAuc(), scores, none));
        Assert.Equal(1, Of(new PrAuc(), scores, none.Not()));
        var three = Tensor.Randn([20, 3], new Generator(7));
        var two = Tensor.From(Enumerable.Range(0, 20).Select(i => i % 2L).ToArray());
        Assert.True(double.IsNaN(Of(new RocAuc(), three, two)));
        Assert.False(double.IsNaN(Of(new RocAuc { Average = Averaging.Weighted }, three, two)));
        // A class that neither occurs nor is predicted has no intersection over union.
        var far = new IoU();
        Assert.Equal(1, Of(far, OneHot([0, 1], 3), Tensor.From(new long[] { 0, 1 })));
        Assert.Equal([1, 1, double.NaN], far.PerClass());
    }

    [Fact]
    public void Names_tell_averages_apart()
    {
        Assert.Equal(["accuracy", "top5", "precision", "recallMicro", "f1Weighted", "rocAuc", "prAucMacro", "logLoss",
            "calibrationError", "mae", "rmse", "r2", "iou", "diceBinary", "perplexity"],
            ((Metric[])[new Accuracy(), new TopKAccuracy(), new Precision(), new Recall { Average = Averaging.Micro },
                new F1 { Average = Averaging.Weighted }, new RocAuc(), new PrAuc { Average = Averaging.Macro },
                new LogLoss(), new CalibrationError(), new Mae(), new Rmse(), new R2(), new IoU(),
                new Dice { Average = Averaging.Binary }, new Perplexity()]).Select(metric => metric.Name));
        Assert.All((Metric[])[new LogLoss(), new CalibrationError(), new Mae(), new Rmse(), new Perplexity()],
            metric => Assert.False(metric.IsHigherBetter));
        Assert.All((Metric[])[new Accuracy(), new TopKAccuracy(), new F1(), new RocAuc(), new R2(), new IoU()],
            metric => Assert.True(metric.IsHigherBetter));
    }

    public static TheoryData<string, Action> Refusals() => new()
    {
        { "Accuracy: target 2 of sample 1 is not in 0..1; use −100 to leave it out",
            () => Of(new Accuracy(), TwoOfTwo, Tensor.From(new long[] { 0, 2 })) },
        { "LogLoss: target NaN of sample 0 is not in 0 to 1; use −100 to leave it out",
            () => Of(new LogLoss(), Tensor.Zeros(1), Tensor.From(new[] { float.NaN })) },
        { "F1: target 2 of sample 1 is not in 0 to 1; use −100 to leave it out", () => Of(new F1 { MultiLabel = true },
            TwoOfTwo, Tensor.From(new float[] { 0, 1, 2, 1 }, 2, 2)) },
        { "LogLoss: target -100 of sample 1 is not in 0 to 1; use −100 to leave a whole element out",
            () => Of(new LogLoss(), TwoOfTwo, Tensor.From(new float[] { 0, 1, 1, -100 }, 2, 2)) },
        { "Accuracy: a target per output is a probability, of a floating type: found (2, 2) float32 and (2, 2) int64; "
            + "use MultiLabel = true for truth values of several labels",
            () => Of(new Accuracy(), TwoOfTwo, Tensor.Zeros([2, 2], DType.Int64)) },
        { "Accuracy: outputs (n, classes) with labels (n), or outputs and targets of one shape, are needed: found "
            + "(2, 2) and (3,); use .Reshape(…) on one of them",
            () => Of(new Accuracy(), TwoOfTwo, Tensor.Zeros([3], DType.Int64)) },
        { "RocAuc: outputs and targets of one shape (n, labels) are needed: found (2, 2) and (2,); use .Reshape(…) on "
            + "one of them", () => Of(new RocAuc { MultiLabel = true }, TwoOfTwo, Tensor.Zeros([2], DType.Int64)) },
        { "Accuracy: outputs (n, …) of a floating type are needed: found (2,) int64; cast with .To(DType.Float32)",
            () => Of(new Accuracy(), Tensor.Zeros([2], DType.Int64), Tensor.Zeros([2], DType.Int64)) },
        { "Accuracy: ClassAxis 2 is no axis of classes of outputs (2, 2); use 1..1, or −1 for the last",
            () => Of(new Accuracy { ClassAxis = 2 }, TwoOfTwo, Tensor.Zeros([2], DType.Int64)) },
        { "Accuracy: weights (2,) are needed: found (1,); use .Reshape(…)",
            () => Of(new Accuracy(), TwoOfTwo, Tensor.Zeros([2], DType.Int64), Tensor.Ones(1)) },
        { "Mae: weights must be finite and 0 or more: found -1 at position 1; use 0 for samples to leave out",
            () => Of(new Mae(), Tensor.Zeros(2), Tensor.Zeros(2), Tensor.From(new float[] { 1, -1 })) },
        { "R2: outputs and targets of one shape (n) or (n, k) are needed, nothing is broadcast: found (2, 1) float32 "
            + "and (2,) float32; use .Reshape(…) on one of them",
            () => Of(new R2(), Tensor.Zeros(2, 1), Tensor.Zeros(2)) },
        { "TopKAccuracy: k must be in 1..2, the number of classes: found 5",
            () => Of(new TopKAccuracy(), TwoOfTwo, Tensor.Zeros([2], DType.Int64)) },
        { "TopKAccuracy: exactly one class is to be right: found MultiLabel = true; use F1 for several labels",
            () => Of(new TopKAccuracy(1) { MultiLabel = true }, TwoOfTwo, Tensor.Zeros(2, 2)) },
        { "F1: a binary average is of two classes or one label: found 3; use Averaging.Macro",
            () => Of(new F1 { Average = Averaging.Binary }, Tensor.Zeros(2, 3), Tensor.Zeros([2], DType.Int64)) },
        { "F1: Threshold decides for labels, or for one class of two: found 0.4 with 3 classes; leave it at 0.5",
            () => Of(new F1 { Threshold = 0.4 }, Tensor.Zeros(2, 3), Tensor.Zeros([2], DType.Int64)) },
        { "F1: Threshold must be in (0, 1): found 1; 0.5 is the usual one",
            () => Of(new F1 { Threshold = 1 }, TwoOfTwo, Tensor.Zeros([2], DType.Int64)) },
        { "CalibrationError: the number of bins must be in 1..1048576: found 0; 15 is the usual one",
            () => Of(new CalibrationError(0), TwoOfTwo, Tensor.Zeros([2], DType.Int64)) },
    };

    [Theory, MemberData(nameof(Refusals))]
    public void Refuses_with_rule_and_remedy(string message, Action act) =>
        Assert.Equal(message, Assert.Throws<AdjointException>(act).Message);

    [Fact]
    public void What_is_refused_adds_nothing()
    {
        var metric = new Accuracy();
        metric.Update(TwoOfTwo, Tensor.From(new long[] { 0, 0 }));
        foreach (var (outputs, targets) in ((Tensor, Tensor)[])[(TwoOfTwo, Tensor.From(new long[] { 0, 2 })),
            (Tensor.Zeros(2, 3), Tensor.From(new long[] { 0, 1 }))])
            Assert.Throws<AdjointException>(() => metric.Update(outputs, targets));
        Assert.Equal(0.5, metric.Compute());
    }

    private static Tensor OneHot(int[] classes, int count) =>
        Tensor.Arange(count).EqualTo(Tensor.From(classes).To(DType.Int64).Unsqueeze(1)).To(DType.Float32);
}
