using Adjoint.Data;
using Adjoint.Nn;
using Adjoint.Optim;
using Adjoint.Training;

namespace Adjoint.Tests.Training;

/// <summary>
/// Losses of the ready tasks against loops in float64, with weights, missing labels and soft targets.
/// </summary>
public class LearningTaskTests
{
    private const int Samples = 5, Classes = 3;
    private readonly Generator random;
    private readonly float[] weights;

    public LearningTaskTests()
    {
        var seed = (ulong)Environment.TickCount;
        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}");
        random = new(seed);
        weights = [0.5f, 2, 0, 1, 3];
    }

    [Theory]
    [InlineData(false, 0)]
    [InlineData(true, 0)]
    [InlineData(true, 0.1)]
    public void Classification_is_cross_entropy_of_labels_weighted(bool weighted, double smoothing)
    {
        long[] labels = [2, 0, 1, 1, 0];
        var logits = Tensor.Randn([Samples, Classes], random);
        var batch = Batch(Tensor.From(labels, Samples), weighted);
        var target = new double[Samples, Classes];
        for (var i = 0; i < Samples; i++)
            for (var k = 0; k < Classes; k++)
                target[i, k] = (labels[i] == k ? 1 - smoothing : 0) + smoothing / Classes;
        Compare(new ClassificationTask { LabelSmoothing = smoothing }, logits, batch,
            Mean(Losses(logits, target), weighted));
        // Smoothing is a device of training, not of measuring.
        for (var i = 0; i < Samples; i++)
            for (var k = 0; k < Classes; k++) target[i, k] = labels[i] == k ? 1 : 0;
        var task = new ClassificationTask { LabelSmoothing = smoothing };
        Assert.Equal(Mean(Losses(logits, target), weighted), task.TotalLoss(logits, batch) / task.Weight(batch), 1e-5);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Classification_takes_probabilities_as_targets(bool weighted)
    {
        var logits = Tensor.Randn([Samples, Classes], random);
        var soft = Tensor.Rand([Samples, Classes], random);
        soft /= soft.Sum(1, keepDims: true);
        var (values, target) = (soft.ToArray<float>(), new double[Samples, Classes]);
        for (var i = 0; i < values.Length; i++) target[i / Classes, i % Classes] = values[i];
        var batch = Batch(soft, weighted);
        Compare(new ClassificationTask(), logits, batch, Mean(Losses(logits, target), weighted));
        var accuracy = new Accuracy();
        new ClassificationTask().Update(accuracy, logits, batch);
        double right = 0, all = 0;
        for (var i = 0; i < Samples; i++)
        {
            var own = weighted ? weights[i] : 1;
            all += own;
            var (row, wanted) =
                (logits.ToArray<float>()[(i * Classes)..][..Classes], values[(i * Classes)..][..Classes]);
            if (Array.IndexOf(row, row.Max()) == Array.IndexOf(wanted, wanted.Max())) right += own;
        }
        Assert.Equal(right / all, accuracy.Compute(), 1e-12);
    }

    [Theory]
    [InlineData(RegressionLoss.Squared, false)]
    [InlineData(RegressionLoss.Squared, true)]
    [InlineData(RegressionLoss.Absolute, true)]
    [InlineData(RegressionLoss.Huber, true)]
    public void Regression_divides_errors_by_the_scale(RegressionLoss loss, bool weighted)
    {
        double[] scales = [2, 0.25];
        var (output, targets) = (Tensor.Randn([Samples, 2], random), Tensor.Randn([Samples, 2], random));
        var (y, t) = (output.ToArray<float>(), targets.ToArray<float>());
        var losses = new double[Samples];
        for (var i = 0; i < y.Length; i++)
        {
            var error = Math.Abs((y[i] - t[i]) / scales[i % 2]);
            losses[i / 2] += 0.5 * loss switch
            {
                RegressionLoss.Squared => error * error,
                RegressionLoss.Absolute => error,
                _ => error <= 1 ? 0.5 * error * error : error - 0.5,
            };
        }
        Compare(new RegressionTask(scales, loss), output, Batch(targets, weighted), Mean(losses, weighted));
        // A column of outputs fits targets without one.
        var single = new RegressionTask(2, loss);
        var one = Batch(targets.Slice(1, 0, 1).Contiguous().Reshape(Samples), weighted);
        var column = output.Slice(1, 0, 1).Contiguous();
        Assert.Equal(single.Loss(column.Reshape(Samples), one).Item(), single.Loss(column, one).Item());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Multi_label_leaves_out_what_is_not_known(bool weighted)
    {
        float[] targets = [0, 1, -100, 1, 1, 0, 0.3f, 0, -100, -100, -100, 1, 1, 1, 0];
        var logits = Tensor.Randn([Samples, Classes], random) * 3;
        var (x, sum, all) = (logits.ToArray<float>(), 0.0, 0.0);
        for (var i = 0; i < x.Length; i++)
        {
            if (targets[i] == -100) continue;
            var p = 1 / (1 + Math.Exp(-x[i]));
            var own = weighted ? weights[i / Classes] : 1;
            sum -= own * (targets[i] * Math.Log(p) + (1 - targets[i]) * Math.Log(1 - p));
            all += own;
        }
        Compare(new MultiLabelTask(), logits, Batch(Tensor.From(targets, Samples, Classes), weighted), sum / all);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Pixels_and_tokens_without_a_label_are_left_out(bool weighted)
    {
        long[] labels = [.. Enumerable.Range(0, Samples * 4).Select(i => i % 7 == 3 ? -100 : i % 5 % Classes)];
        var images = Tensor.Randn([Samples, Classes, 2, 2], random);
        var (x, sum, all) = (images.ToArray<float>(), 0.0, 0.0);
        for (var i = 0; i < labels.Length; i++)
        {
            if (labels[i] == -100) continue;
            double Logit(long k) => x[(i / 4 * Classes + k) * 4 + i % 4];
            var own = weighted ? weights[i / 4] : 1;
            sum += own * (Math.Log(Enumerable.Range(0, Classes).Sum(k => Math.Exp(Logit(k)))) - Logit(labels[i]));
            all += own;
        }
        Compare(new SegmentationTask(), images, Batch(Tensor.From(labels, Samples, 2, 2), weighted), sum / all);
        // The same as texts, whose classes come last.
        var texts = images.Reshape(Samples, Classes, 4).Permute(0, 2, 1).Contiguous();
        Compare(new NextTokenTask(), texts, Batch(Tensor.From(labels, Samples, 4), weighted), sum / all);
    }

    [Fact]
    public void Tokens_without_targets_are_their_own_targets_one_further()
    {
        var tokens = Tensor.From(new long[] { 0, 1, 2, 1, 2, 2, 0, 1 }, 2, 4);
        var model = new Sequential(new Embedding(3, 4, random), new Linear(4, 3, generator: random));
        var task = new NextTokenTask();
        var alone = new Batch([(Field.Inputs, tokens)]);
        var beside = new Batch(
        [
            (Field.Inputs, Tensor.From(new long[] { 0, 1, 2, 2, 2, 0 }, 2, 3)),
            (Field.Targets, Tensor.From(new long[] { 1, 2, 1, 2, 0, 1 }, 2, 3)),
        ]);
        Assert.Equal(task.Loss(model, beside).Item(), task.Loss(model, alone).Item());
        Assert.Equal(6, task.Weight(alone));
    }

    [Theory]
    [InlineData(4)]
    [InlineData(4, 1)]
    public void Tokens_that_cannot_be_shifted_are_refused_by_name(params int[] shape)
    {
        var model = new Sequential(new Embedding(3, 4, random), new Linear(4, 3, generator: random));
        var data = new TensorDataset("tokens", [("inputs", Tensor.Zeros(shape).To(DType.Int64))]);
        var trainer = new Trainer(model, new Sgd(model.Parameters(), 0.1), new NextTokenTask(), new(data, 2));
        Assert.Contains("next-token: tokens (n, t + 1) with t from 1, or targets beside them, are needed: found (2",
            Assert.Throws<AdjointException>(() => trainer.Fit(1)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false, Reduction.Mean)]
    [InlineData(true, Reduction.Mean)]
    [InlineData(true, Reduction.Sum)]
    public void A_language_model_is_trained_by_the_loss_of_its_logits(bool weighted, Reduction reduction)
    {
        var model = new Tokens(random);
        var task = new NextTokenTask { Reduction = reduction };
        long[] labels = [.. Enumerable.Range(0, Samples * 4).Select(i => i % 7 == 3 ? -100 : i % 5 % Classes)];
        var tokens = Tensor.From([.. Enumerable.Range(0, Samples * 4).Select(i => (long)i % Classes)], Samples, 4);
        var batch = Batch(Tensor.From(labels, Samples, 4), weighted).With(Field.Inputs, tokens);
        var fused = task.Loss(model, batch);
        var plain = task.Loss(task.Forward(model, batch), batch);
        Assert.Equal(plain.Item(), fused.Item(), 1e-12);
        var all = model.Parameters().ToArray();
        var expected = Differentiation.Gradients(plain, all);
        foreach (var (gradient, own) in Differentiation.Gradients(fused, all).Zip(expected))
            Assert.Equal(0, (gradient! - own!).Abs().Max().Item(), 1e-12);
        Refuses("next-token: hidden states (n, t, width) and labels (n, t) are needed: found",
            () => task.Loss(model, batch.With(Field.Targets, Tensor.Zeros([Samples, 3], DType.Int64))));
    }

    [Fact]
    public void An_own_task_is_a_function_of_model_and_batch()
    {
        var (model, batch) = (new Linear(2, 1, generator: random), Batch(Tensor.Randn([Samples], random), false)
            .With(Field.Inputs, Tensor.Randn([Samples, 2], random)));
        var task = LearningTask.Of<Linear>((own, given) =>
            (own.Forward(given.Inputs).Reshape(-1) - given.Targets).Square().Mean() + own.Weight.Square().Sum() * 0.1);
        var (w, b) = (model.Weight.ToArray<float>(), model.Bias!.ToArray<float>()[0]);
        var (x, t, sum) = (batch.Inputs.ToArray<float>(), batch.Targets.ToArray<float>(), 0.0);
        for (var i = 0; i < Samples; i++) sum += Math.Pow(w[0] * x[2 * i] + w[1] * x[2 * i + 1] + b - t[i], 2);
        var expected = sum / Samples + 0.1 * (w[0] * w[0] + w[1] * w[1]);
        Assert.Equal(expected, task.Loss(model, batch).Item(), 1e-5 * expected);
        Refuses("own: a model of type Linear is needed: found Sequential",
            () => task.Loss(new Sequential(model), batch));
        Refuses("give LearningTask.Of the function 'output'", () => task.Forward(model, batch));
    }

    [Fact]
    public void Targets_and_weights_that_nothing_can_be_learned_from_are_refused_by_sample()
    {
        Refuses("regression: the target of sample 12 is NaN", () => new RegressionTask().Check(
            new([(Field.Targets, Tensor.From([0f, float.NaN], 2))]) { Indices = [3, 12] }));
        Refuses("targets must be floating-point numbers: found (2,) int64", () => new RegressionTask().Check(
            Batch(Tensor.From(new long[] { 1, 2 }, 2), false)));
        Refuses("labels must be int64 class indices: found (2,) float32", () => new ClassificationTask().Check(
            Batch(Tensor.From([1f, 2], 2), false)));
        Refuses("all targets of a batch, whose first is sample 0 of the batch, are -100, which stands for a missing",
            () => new ClassificationTask().Check(Batch(Tensor.From(new long[] { -100, -100 }, 2), false)));
        Refuses("a loss to minimize is a mean or a sum: found None",
            () => _ = new ClassificationTask { Reduction = Reduction.None });
        Refuses("a target must be from 0 to 1, or −100 where it is not known: found 2 for sample 1 of the batch",
            () => new MultiLabelTask().Check(Batch(Tensor.From([0f, 1, 1, 2], 2, 2), false)));
        Refuses("a weight must be finite and 0 or more: found -1 for sample 0 of the batch", () => new RegressionTask()
            .Check(new([(Field.Targets, Tensor.Zeros(2)), (Field.Weights, Tensor.From([-1f, 1], 2))])));
        Refuses("the weights of all 2 samples of a batch are 0", () => new RegressionTask()
            .Check(new([(Field.Targets, Tensor.Zeros(2)), (Field.Weights, Tensor.Zeros(2))])));
        Refuses("outputs must have the targets' shape: found (4, 2) and (4,)", () => new RegressionTask()
            .Loss(Tensor.Zeros(4, 2), Batch(Tensor.Zeros(4), false)));
        Refuses("a scale must be positive and finite: found 0; where the target is constant",
            () => _ = new RegressionTask(0));
        Refuses("classification: a model that is a Layer", () => new ClassificationTask()
            .Forward(new ModuleList<Layer>(), Batch(Tensor.Zeros(4), false)));
    }

    private Batch Batch(Tensor targets, bool weighted) => weighted
        ? new([(Field.Targets, targets), (Field.Weights, Tensor.From(weights, Samples))])
        : new([(Field.Targets, targets)]);

    // −Σ t·ln softmax(x) of each row.
    private static double[] Losses(Tensor logits, double[,] target)
    {
        var x = logits.ToArray<float>();
        return
        [
            .. Enumerable.Range(0, Samples).Select(i =>
            {
                var sum = Enumerable.Range(0, Classes).Sum(k => Math.Exp(x[i * Classes + k]));
                return -Enumerable.Range(0, Classes).Sum(k => target[i, k] * (x[i * Classes + k] - Math.Log(sum)));
            }),
        ];
    }

    private double Mean(double[] losses, bool weighted) =>
        losses.Select((loss, i) => weighted ? loss * weights[i] : loss).Sum()
        / (weighted ? weights.Sum() : losses.Length);

    // The loss as a mean; and as a sum, which is the mean times the weight.
    private static void Compare(LearningTask task, Tensor output, Batch batch, double expected)
    {
        task.Check(batch);
        Assert.Equal(expected, task.Loss(output, batch).Item(), 2e-6 * (1 + Math.Abs(expected)));
        if (task is not ClassificationTask { LabelSmoothing: > 0 })
            Assert.Equal(expected, task.TotalLoss(output, batch) / task.Weight(batch), 2e-6 * (1 + Math.Abs(expected)));
    }

    private static void Refuses(string message, Action action) => Assert.Contains(
        message, Assert.Throws<AdjointException>(action).Message, StringComparison.Ordinal);

    private sealed class Tokens : LanguageModel
    {
        private readonly Tensor table, bias;

        internal Tokens(Generator random)
        {
            table = AddParameter("table", Tensor.Randn([Classes, 3], random, DType.Float64));
            OutputWeight = AddParameter("weight", Tensor.Randn([Classes, 3], random, DType.Float64));
            bias = AddParameter("bias", Tensor.Randn([Classes], random, DType.Float64));
        }

        public override int VocabularySize => Classes;

        public override int? MaxLength => null;

        public override Tensor OutputWeight { get; }

        public override Tensor? OutputBias => bias;

        public override DecodingState CreateState(int batch, int capacity) => throw new NotSupportedException();

        protected override Tensor HiddenCore(Tensor tokens, DecodingState? state) => table.Embedding(tokens).Tanh();
    }
}
