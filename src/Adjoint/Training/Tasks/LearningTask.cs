using Adjoint.Data;
using Adjoint.Nn;

namespace Adjoint.Training;

/// <summary>
/// What a model is trained for: how a batch passes through it, the loss that a step minimizes, and the metrics by which
/// it is judged. Ready ones are <see cref="ClassificationTask"/>, <see cref="RegressionTask"/>,
/// <see cref="MultiLabelTask"/>, <see cref="SegmentationTask"/> and <see cref="NextTokenTask"/>; <see cref="Of"/> makes
/// one from functions of model and batch; for more, derive.
/// </summary>
public abstract class LearningTask
{
    /// <summary>The name of the task in messages, files and reports, such as <c>regression</c>.</summary>
    public abstract string Name { get; }

    /// <summary>
    /// Whether the loss of a batch, whose gradient is followed, is the mean over its samples, as by default, or the
    /// sum.
    /// </summary>
    /// <exception cref="AdjointException">The value is neither of the two.</exception>
    public Reduction Reduction
    {
        get;
        init => field = value is Reduction.Mean or Reduction.Sum
            ? value
            : throw new AdjointException($"{Name}: a loss to minimize is a mean or a sum: found {value}");
    } = Reduction.Mean;

    /// <summary>
    /// Makes the metrics by which the model is judged, in place of the task's usual ones; null: those.
    /// </summary>
    public Func<IReadOnlyList<Metric>>? Metrics { get; init; }

    /// <summary>
    /// The metric that chooses the best epoch, by its name; <c>loss</c>, the validation loss, where a task names none.
    /// </summary>
    public virtual string Score { get; init; } = MonitoredMetric.Loss;

    /// <summary>
    /// Passes a batch through the model. By default the model is a <see cref="Layer"/>, which gets
    /// <see cref="Batch.Inputs"/>, in its own type where they are floating-point numbers.
    /// </summary>
    /// <param name="model">The model to call.</param>
    /// <param name="batch">The samples of a step.</param>
    /// <returns>The model's raw outputs: logits (n, classes), values (n, k).</returns>
    /// <exception cref="AdjointException">The model is no <see cref="Layer"/>, or does not take the inputs.</exception>
    public virtual Tensor Forward(Module model, Batch batch)
    {
        if (model is not Layer layer)
            throw new AdjointException(
                $"{Name}: a model that is a Layer, with one tensor in and out, is needed: found {model}; override "
                + "Forward of the task, or use LearningTask.Of with functions of the model");
        return layer.Forward(InTypeOf(model, batch.Inputs));
    }

    /// <summary>The loss of a batch from the outputs of the model.</summary>
    /// <param name="output">What <see cref="Forward"/> returned.</param>
    /// <param name="batch">The samples of a step.</param>
    /// <returns>
    /// A scalar tensor (): the mean of the samples' losses, weighted where the batch has weights, or their sum.
    /// </returns>
    /// <exception cref="AdjointException">Shapes or types of outputs and targets do not fit.</exception>
    public abstract Tensor Loss(Tensor output, Batch batch);

    /// <summary>
    /// What a step minimizes: by default the loss of what <see cref="Forward"/> returns. It is captured, so what
    /// differs from batch to batch must come from the batch's tensors.
    /// </summary>
    /// <param name="model">The model that is trained.</param>
    /// <param name="batch">The samples of a step.</param>
    /// <returns>A scalar tensor () with a graph.</returns>
    public virtual Tensor Loss(Module model, Batch batch) => Loss(Forward(model, batch), batch);

    /// <summary>
    /// The sum of the losses of a batch, for the mean over a data set. By default <see cref="Loss(Tensor, Batch)"/>,
    /// times <see cref="Weight"/> where that is a mean.
    /// </summary>
    /// <param name="output">What <see cref="Forward"/> returned.</param>
    /// <param name="batch">The samples of the batch.</param>
    /// <returns>The sum, to be divided by the sum of the weights.</returns>
    public virtual double TotalLoss(Tensor output, Batch batch)
    {
        var loss = RequireScalar(Loss(output, batch)).Item();
        return Reduction == Reduction.Mean ? loss * Weight(batch) : loss;
    }

    /// <summary>
    /// What the mean over a batch is divided by: by default the sum of the samples' weights, 1 for each where the batch
    /// has none.
    /// </summary>
    /// <param name="batch">The samples of the batch.</param>
    /// <returns>The sum of the weights, 0 or more.</returns>
    public virtual double Weight(Batch batch) =>
        batch.Weights is { } weights ? BatchRules.Numbers(weights).Sum() : batch.Count;

    /// <summary>
    /// Refuses a batch from which nothing sensible could be learned, before anything is computed with it; by default
    /// weights that are negative, not finite, or all 0.
    /// </summary>
    /// <param name="batch">The samples of the batch.</param>
    /// <exception cref="AdjointException">The batch does not fit the task; the message names the sample.</exception>
    public virtual void Check(Batch batch) => BatchRules.CheckWeights(Name, batch);

    /// <summary>Makes the metrics by which the model is judged; those of <see cref="Metrics"/>, if it is set.</summary>
    /// <returns>New metrics, without samples, with different names.</returns>
    public virtual IReadOnlyList<Metric> CreateMetrics() => Metrics?.Invoke() ?? [];

    /// <summary>Adds a batch to a metric; by default as it is.</summary>
    /// <param name="metric">One of <see cref="CreateMetrics"/>.</param>
    /// <param name="output">What <see cref="Forward"/> returned.</param>
    /// <param name="batch">The samples of the batch.</param>
    public virtual void Update(Metric metric, Tensor output, Batch batch) => metric.Update(output, batch);

    /// <summary>Turns raw outputs into what a person asks for: by default the values themselves.</summary>
    /// <param name="output">What <see cref="Forward"/> returned.</param>
    /// <returns>Probabilities or values, with the samples along the first axis.</returns>
    public virtual Tensor Predict(Tensor output) => output;

    /// <summary>
    /// Makes a task from functions of model and batch, for any model and any loss:
    /// <c>LearningTask.Of&lt;Vae&gt;((model, batch) => model.Loss(batch.Inputs))</c>.
    /// </summary>
    /// <typeparam name="TModel">The type of the model.</typeparam>
    /// <param name="loss">The loss of a batch, a scalar tensor (): a mean over its samples.</param>
    /// <param name="output">
    /// The model's outputs for a batch, which metrics and predictions see; null: there are none, and the task cannot
    /// predict.
    /// </param>
    /// <param name="metrics">Makes the metrics by which the model is judged; null: none but the loss.</param>
    /// <param name="score">The metric that chooses the best epoch, by its name; by default the loss.</param>
    /// <param name="name">The name of the task, in messages and files.</param>
    /// <returns>The task, for a <see cref="Trainer"/>.</returns>
    public static LearningTask Of<TModel>(
        Func<TModel, Batch, Tensor> loss, Func<TModel, Batch, Tensor>? output = null,
        Func<IReadOnlyList<Metric>>? metrics = null, string score = MonitoredMetric.Loss, string name = "own")
        where TModel : Module => new DelegateTask<TModel>(name, loss, output) { Metrics = metrics, Score = score };

    /// <summary>The ready task of a name, for what does not depend on its settings; null where there is none.</summary>
    internal static LearningTask? Named(
        string? name, Func<IReadOnlyList<Metric>>? metrics = null) => name switch
        {
            "classification" => new ClassificationTask { Metrics = metrics },
            "regression" => new RegressionTask { Metrics = metrics },
            "multi-label" => new MultiLabelTask { Metrics = metrics },
            "segmentation" => new SegmentationTask { Metrics = metrics },
            "next-token" => new NextTokenTask { Metrics = metrics },
            _ => null,
        };

    /// <summary>A tensor in the model's type, where it holds floating-point numbers; others as they are.</summary>
    /// <param name="model">The model whose type counts.</param>
    /// <param name="x">The tensor to convert.</param>
    /// <returns>The tensor itself, or a converted copy.</returns>
    protected static Tensor InTypeOf(Module model, Tensor x) => x.DType.IsFloating() ? x.To(model.DType) : x;

    /// <summary>
    /// Reduces losses to one number: Σ w·l / Σ w, or Σ w·l where <see cref="Reduction"/> is a sum; each weight is 1
    /// where there are none.
    /// </summary>
    /// <param name="losses">The losses, of any shape.</param>
    /// <param name="weights">Their weights, 0 or more, of the losses' shape; null: 1 for each.</param>
    /// <returns>A scalar tensor ().</returns>
    protected Tensor Reduce(Tensor losses, Tensor? weights)
    {
        if (weights is null) return Reduction == Reduction.Mean ? losses.Mean() : losses.Sum();
        var own = weights.To(losses.DType);
        var sum = (losses * own).Sum();
        return Reduction == Reduction.Mean ? sum / own.Sum() : sum;
    }

    /// <summary>The weights of the samples for each element of a shape that begins with the samples.</summary>
    /// <param name="weights">One weight per sample (n); null: none.</param>
    /// <param name="shape">The shape (n, …) of the elements.</param>
    /// <returns>Weights of that shape; null where there are none.</returns>
    protected static Tensor? ForEach(Tensor? weights, Shape shape) => weights is null || shape.Rank == 1
        ? weights
        : weights.Reshape([weights.Length, .. Enumerable.Repeat(1, shape.Rank - 1)]).Expand(shape.Sizes);

    /// <summary>Passes samples without targets through the model.</summary>
    internal virtual Tensor Infer(Module model, Batch batch) => Forward(model, batch);

    /// <summary>
    /// Passes a batch through the model, in several views of its inputs where that is asked for, and adds up its
    /// losses.
    /// </summary>
    /// <returns>The sum of the losses, and the outputs; null where the task has none.</returns>
    internal virtual (double TotalLoss, Tensor? Output) Measure(
        Module model, Batch batch, TestTimeAugmentation views)
    {
        var output = views.Predict(this, model, batch);
        return (TotalLoss(output, batch), output);
    }

    /// <summary>Refuses a loss of several numbers, whose gradient nobody asked for.</summary>
    internal Tensor RequireScalar(Tensor loss) => loss.Rank == 0
        ? loss
        : throw new AdjointException(
            $"{Name}: the loss of a task must be a scalar (): found {loss.Shape}; use .Mean() or .Sum()");
}
