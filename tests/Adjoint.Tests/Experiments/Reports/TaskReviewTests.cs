using Adjoint.Data;
using Adjoint.Experiments;
using Adjoint.Nn;
using Adjoint.Optim;
using Adjoint.Tests.Training;
using Adjoint.Training;

namespace Adjoint.Tests.Experiments;

/// <summary>What the report shows of the predictions of each task.</summary>
public class TaskReviewTests
{
    private const int Count = 60;

    [Fact]
    public void Values_are_drawn_against_the_true_ones_and_ranked_by_loss()
    {
        var x = Tensor.Randn([Count, 3], new Generator(1));
        var truth = x[.., 0] * 100 + 2000;
        var outputs = (truth + Tensor.Randn([Count], new Generator(2)) * 10).Unsqueeze(1);
        var (html, ranking) = Page(new RegressionTask(100), Samples(x, truth), outputs, Metric("r2", 0.9871));
        var errors = outputs.ToArray<float>().Zip(truth.ToArray<float>(), (a, b) => Math.Pow((a - b) / 100, 2))
            .ToArray();
        Assert.Equal(Enumerable.Range(0, Count).OrderByDescending(i => errors[i]).Take(24),
            ranking.Select(one => one.Sample));
        Assert.All(ranking, one => Assert.Equal(errors[one.Sample], one.Loss, 1e-5));
        foreach (var part in (string[])["Best validation r2 <b>0.9871</b> after epoch 2", ">predicted value</text>",
            "Predicted against true values of the validation samples. On the line both are equal.",
            "Residuals, predicted − true, against the prediction", "How often residuals occur",
                "<h2>Worst samples</h2>",
            "R2 on the validation samples", "<td>validation r2 of the best model</td><td>0.9871</td>"])
            Assert.Contains(part, html, StringComparison.Ordinal);
        foreach (var part in (string[])["Confusion matrix", "cross-entropy", "accuracy"])
            Assert.DoesNotContain(part, html, StringComparison.Ordinal);
    }

    [Fact]
    public void Each_label_has_its_scores()
    {
        // Label 0: one hit, one false alarm, one missed. Label 1: all right. Label 2: never.
        var targets = Tensor.From(new float[] { 1, 1, 0, 0, 0, 0, 1, 1, 0 }, 3, 3);
        var outputs = Tensor.From(new float[] { 2, 2, -1, 1, -1, -2, -1, 3, -1 }, 3, 3);
        var (html, _) = Page(new MultiLabelTask(), Samples(Tensor.Zeros(3, 2), targets, ["rock", "jazz", "folk"]),
            outputs, Metric("f1", 0.5));
        Assert.Contains("<tr><td>rock</td><td>2</td><td>0.5000</td><td>0.5000</td><td>0.5000</td><td>0.5000</td></tr>",
            html, StringComparison.Ordinal);
        Assert.Contains("<tr><td>jazz</td><td>2</td><td>1.0000</td><td>1.0000</td><td>1.0000</td><td>1.0000</td></tr>",
            html, StringComparison.Ordinal);
        Assert.Contains("<tr><td>folk</td><td>0</td><td>0.0000</td><td>0.0000</td><td>0.0000</td><td>–</td></tr>", html,
            StringComparison.Ordinal);
        Assert.Contains("mean binary cross-entropy / nats", html, StringComparison.Ordinal);
    }

    [Fact]
    public void Segments_lie_over_their_images()
    {
        var images = Tensor.Rand([3, 1, 8, 8], new Generator(4));
        var truth = Tensor.Zeros([3, 8, 8], DType.Int64);
        var labels = truth.ToArray<long>();
        for (var i = 0; i < labels.Length; i++) labels[i] = i % 8 < 4 ? 0 : i % 64 == 63 ? -100 : 1;
        truth = Tensor.From(labels, 3, 8, 8);
        // Sample 0 is right, 1 half right, 2 wrong.
        var logits = new float[3 * 2 * 64];
        for (var n = 0; n < 3; n++)
            for (var i = 0; i < 64; i++)
                logits[(n * 2 + (n == 0 || n == 1 && i < 32 ? labels[i] == 0 ? 0 : 1 : labels[i] == 0 ? 1 : 0)) * 64
                    + i] = 4;
        var (html, _) = Page(new SegmentationTask(), Samples(images, truth, ["sky", "sea"]),
            Tensor.From(logits, 3, 2, 8, 8), Metric("iou", 0.5));
        // By hand: of sky 96 pixels, 48 found, 46 of the sea taken for it; of the sea 93, 47 found.
        Assert.Contains($"<tr><td>sky</td><td>{48 / 142.0:0.0000}</td></tr>", html, StringComparison.Ordinal);
        Assert.Contains($"<tr><td>sea</td><td>{47 / 141.0:0.0000}</td></tr>", html, StringComparison.Ordinal);
        Assert.Equal(9, html.Split("<img ").Length - 1);
        Assert.True(html.IndexOf("sample 2 (loss", StringComparison.Ordinal)
            < html.IndexOf("sample 1 (loss", StringComparison.Ordinal));
    }

    [Fact]
    public void Texts_are_ranked_by_the_loss_of_their_tokens()
    {
        var tokens = Tensor.From(new long[] { 1, 2, 3, 4, 0, 1, 4, 4, 4 }, 3, 3);
        // Only the second text is predicted well: its next tokens are 0 and 1.
        var logits = new float[3 * 2 * 5];
        (logits[10], logits[16]) = (9, 9);
        var (html, ranking) = Page(new NextTokenTask(), new TensorDataset("texts", [(Field.Inputs, tokens)]),
            Tensor.From(logits, 3, 2, 5), Metric("perplexity", 3));
        Assert.Equal([0, 2, 1], ranking.Select(one => one.Sample));
        Assert.Equal(Math.Log(5), ranking[0].Loss, 1e-6);
        Assert.Contains("<td>4, 4, 4</td>", html, StringComparison.Ordinal);
    }

    [Fact]
    public void Texts_whose_tokens_are_known_are_shown_with_what_was_not_expected()
    {
        // "a", then "é" in two bytes, the end of a line, and a control character, which a page must not have.
        int[] tokens = [97, 0xC3, 0xA9, 10, 12];
        var (logits, uniform) = (new float[4 * 256], (float)Math.Log(255 * 0.8 / 0.2));
        (logits[0xC3], logits[256 + 0xA9]) = (uniform, uniform);
        logits[2 * 256 + 98] = uniform;
        var data = new TensorDataset("texts", [(Field.Inputs, Tensor.From(tokens.Select(one => (long)one).ToArray(),
            1, 5))])
        { Preprocessing = new ByteText() };
        var review = TaskReview.Of(new NextTokenTask(), data);
        review.Observe(Tensor.From(logits, 1, 4, 256), data.Load(0));
        var html = Report(new NextTokenTask(), review, Metric("perplexity", 3)).ToHtml();
        // By hand: 0.8 twice; 0.2 / 255 of what is left, where b had 0.8; 1 / 256 of nothing known.
        Assert.Contains("a<span style=\"background:rgba(213,94,0,0.22)\" title=\"64.0 %\">é</span>", html,
            StringComparison.Ordinal);
        Assert.Contains("<span style=\"background:rgba(213,94,0,0.60)\" title=\"0.1 %; b 80.0 %\">↵\n</span>", html,
            StringComparison.Ordinal);
        Assert.Contains(">\\u000c</span>", html, StringComparison.Ordinal);
    }

    [Fact]
    public void Rows_of_a_table_are_told_with_class_and_probability()
    {
        var (html, ranking) = Page(new ClassificationTask(), Samples(Tensor.From(new float[] { 1, 2, 3, 4 }, 2, 2),
            Tensor.From(new long[] { 1, 0 }), ["ham", "spam"]), Tensor.From(new float[] { 0, 3, 0, 3 }, 2, 2),
            Metric("accuracy", 0.5));
        Assert.Equal([1, 0], ranking.Select(one => one.Sample));
        Assert.Contains("<td>1</td><td>3.0486</td><td>ham</td><td>spam (95 %)</td><td>3, 4</td>", html,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_to_show_is_nothing()
    {
        foreach (var task in (LearningTask[])[new RegressionTask(), new MultiLabelTask(), new SegmentationTask(),
            new NextTokenTask(), new ClassificationTask()])
        {
            var data = Samples(Tensor.Zeros(1, 2), Tensor.Zeros(1));
            Assert.Contains("<h2>Settings</h2>", Report(task, TaskReview.Of(task, data), Metric("x", double.NaN))
                .ToHtml(),
                StringComparison.Ordinal);
        }
    }

    [Fact]
    public void The_doctor_knows_what_a_regression_is()
    {
        string[] Advice(Tensor targets, double scale, double rate)
        {
            var data = Samples(Tensor.Randn([Count, 2], new Generator(3)), targets);
            var model = new Sequential(new Linear(2, 1, generator: new Generator(1)));
            var trainer = new Trainer(model, new Sgd(model.Parameters(), rate), new RegressionTask(scale)
            {
                Metrics = () => [new R2()],
            }, new DataLoader(data, 20), new DataLoader(data, 20));
            var doctor = new TrainingDoctor(data);
            trainer.Callbacks.Add(doctor);
            return [.. doctor.Advice(trainer.Fit(3).Epochs)];
        }

        var random = Tensor.Randn([Count], new Generator(9));
        Assert.Contains(Advice(Tensor.Full([Count], 7.0), 1, 0.01),
            line => line.StartsWith("The target is 7 for each of 60 validation samples", StringComparison.Ordinal));
        var far = Advice(random + 5000, 1, 1e-9);
        Assert.Contains(far, line => line.StartsWith("The loss before training is 2.5E+7", StringComparison.Ordinal));
        Assert.Contains(far, line => line.StartsWith("R² is at most -", StringComparison.Ordinal));
        var fine = Advice(Tensor.Randn([Count, 2], new Generator(3))[.., 0] + 0.1, 1, 0.05);
        Assert.DoesNotContain(fine, line => line.Contains("ln ", StringComparison.Ordinal)
            || line.StartsWith("R²", StringComparison.Ordinal) || line.Contains("target", StringComparison.Ordinal));
    }

    private static Dictionary<string, double> Metric(string name, double value) => new() { [name] = value };

    private static TensorDataset Samples(Tensor inputs, Tensor targets, IReadOnlyList<string>? names = null) =>
        new("samples", [(Field.Inputs, inputs), (Field.Targets, targets)]) { ClassNames = names ?? [] };

    private static (string Html, IReadOnlyList<(int Sample, double Loss)> Ranking) Page(
        LearningTask task, Dataset data, Tensor outputs, Dictionary<string, double> metrics)
    {
        var (review, ranking) = (TaskReview.Of(task, data), new WorstSamples(task, data));
        // In two batches, as a loader would give them.
        foreach (var (start, end) in ((int, int)[])[(0, 2), (2, data.Count)])
        {
            var part = outputs.Slice(0, start, end - start);
            var batch = data.Load([.. Enumerable.Range(start, end - start)]);
            review.Observe(part, batch);
            ranking.Observe(part, batch);
        }
        return (Report(task, review, metrics).ToHtml(), ranking.Ranking());
    }

    private static RunReport Report(LearningTask task, TaskReview review, Dictionary<string, double> metrics)
    {
        var score = new MonitoredMetric(metrics.Keys.Single(), IsHigherBetter: true);
        var epochs = Enumerable.Range(0, 3).Select(i => new EpochResult(i, i == 0 ? null : 1.0 / i, 1.5 / (i + 1),
            metrics.ToDictionary(one => one.Key, one => one.Value * (i + 1) / 3), 1)).ToArray();
        return new RunReport("A run", [("lr", "1")], new(epochs, false, score), new(0.5, metrics), [], null)
        {
            Task = task,
            Review = review,
        };
    }
}
