using System.Globalization;
using Adjoint.Data;
using Adjoint.Training;

namespace Adjoint.TensorBoard;

/// <summary>
/// Writes a training run as an event file for TensorBoard. By epoch: <c>loss/train</c>, <c>loss/validation</c>, each
/// metric as <c>accuracy/validation</c>, <c>epoch/seconds</c>, <c>epoch/learningRate</c>; by batch, counted over all
/// epochs: <c>batch/loss</c>, <c>batch/learningRate</c>, <c>batch/samplesPerSecond</c>. The rate of
/// another group of parameters is <c>learningRate/1</c> and so on, where it differs from the first's. The run computes
/// the same bits as without it.
/// </summary>
/// <param name="folder">
/// The folder of the run, one for each run. Each call of <see cref="Trainer.Fit"/> writes a file of its own; one that
/// resumes goes on with the steps, and what earlier files have beyond them no longer holds.
/// </param>
/// <param name="time">The clock of the wall times; null: that of the system.</param>
public sealed class TensorBoardCallback(string folder, TimeProvider? time = null) : Callback
{
    private readonly TimeProvider time = time ?? TimeProvider.System;
    private EventFileWriter? writer;
    private bool isStarted, isFirstBatch;
    private long lastStep, samples, since;

    /// <summary>The number of batches from one point by batch to the next; 0: there are none.</summary>
    /// <exception cref="AdjointException">The number is negative.</exception>
    public int BatchInterval { get; init => field = Checked(value, nameof(BatchInterval)); } = 10;

    /// <summary>
    /// The number of epochs from one histogram of each parameter to the next, as <c>parameters/NAME</c>, and of its
    /// gradient in the epoch's last step, as <c>gradients/NAME</c>; 0, the default: there are none. Where elements of
    /// one are NaN or ±∞, <c>notFinite/parameters/NAME</c> has their number.
    /// </summary>
    /// <exception cref="AdjointException">The number is negative.</exception>
    public int HistogramInterval { get; init => field = Checked(value, nameof(HistogramInterval)); }

    /// <summary>
    /// How many images of the first batch are shown, as <c>images/firstBatch</c>, stretched together to their full
    /// contrast; 0, the default: none. Inputs that are not (N, 1 or 3, H, W) are no images.
    /// </summary>
    /// <exception cref="AdjointException">The number is negative.</exception>
    public int Images { get; init => field = Checked(value, nameof(Images)); }

    /// <summary>Texts in Markdown by their tags, written when a run begins: its settings, for example.</summary>
    public IReadOnlyDictionary<string, string> Texts { get; init; } = new Dictionary<string, string>();

    /// <summary>The path of the event file of the latest run; null before the first.</summary>
    public string? Path { get; private set; }

    /// <summary>
    /// Why the file of the latest run is not complete, such as a disk that is full: the run goes on without it. Null
    /// where it is complete.
    /// </summary>
    public string? Problem { get; private set; }

    /// <summary>Makes the writer of a run.</summary>
    internal Func<EventFileWriter> Open { get; init; } = () => new(folder, time);

    /// <inheritdoc/>
    /// <exception cref="IOException">The file cannot be created.</exception>
    public override void BeforeFit(Trainer trainer)
    {
        Close();
        (isStarted, isFirstBatch, lastStep, Problem) = (false, false, 0, null);
        writer = Open();
        Path = writer.Path;
    }

    /// <inheritdoc/>
    public override void BeforeEpoch(Trainer trainer, int epoch) => StartClock();

    /// <inheritdoc/>
    public override void BeforeBatch(Trainer trainer, Batch batch)
    {
        if (!isFirstBatch) return;
        isFirstBatch = false;
        if (Images == 0 || !batch.Has(Field.Inputs)) return;
        var inputs = batch.Inputs;
        if (inputs.Rank == 4 && inputs.Shape[1] is 1 or 3 && inputs.Length > 0)
            Write(file => file.AddImage("images/firstBatch", Stretch(inputs), 0));
    }

    /// <inheritdoc/>
    public override void AfterBatch(Trainer trainer, StepInfo step)
    {
        lastStep = (step.Epoch - 1L) * step.Steps + step.Step;
        samples += step.Samples;
        Start(lastStep);
        if (BatchInterval > 0 && lastStep % BatchInterval == 0)
        {
            Write(file =>
            {
                file.AddScalar("batch/loss", step.Loss, lastStep);
                AddRates(file, "batch", trainer, lastStep);
                file.AddScalar("batch/samplesPerSecond", samples / time.GetElapsedTime(since).TotalSeconds, lastStep);
            });
            StartClock();
        }
        if (step.Step == step.Steps && HasHistograms(step.Epoch))
            foreach (var (name, parameter) in trainer.Model.NamedParameters())
                if (parameter.Grad is { } gradient)
                    Write(file => AddHistogram(file, $"gradients/{name}", gradient, step.Epoch));
    }

    /// <inheritdoc/>
    public override void AfterEpoch(Trainer trainer, EpochResult epoch)
    {
        if (epoch.Epoch == 0)
        {
            isFirstBatch = true;
            Start(0);
            foreach (var (tag, text) in Texts) Write(file => file.AddText(tag, text, 0));
        }
        Write(file =>
        {
            if (epoch.TrainLoss is { } loss) file.AddScalar("loss/train", loss, epoch.Epoch);
            if (trainer.Validation is not null) file.AddScalar("loss/validation", epoch.ValidationLoss, epoch.Epoch);
            foreach (var (name, value) in epoch.Metrics) file.AddScalar($"{name}/validation", value, epoch.Epoch);
            file.AddScalar("epoch/seconds", epoch.Seconds, epoch.Epoch);
            AddRates(file, "epoch", trainer, epoch.Epoch);
        });
        if (HasHistograms(epoch.Epoch))
            foreach (var (name, parameter) in trainer.Model.NamedParameters())
                Write(file => AddHistogram(file, $"parameters/{name}", parameter, epoch.Epoch));
        Write(file => file.Flush());
    }

    /// <inheritdoc/>
    public override void AfterFit(Trainer trainer, TrainingResult result) => Close();

    /// <inheritdoc/>
    public override void OnException(Trainer trainer, Exception error)
    {
        if (error is DivergedException) Write(file => file.AddText("problem", error.Message, lastStep));
        Close();
    }

    private void Start(long step)
    {
        if (isStarted) return;
        isStarted = true;
        Write(file => file.AddStart(step));
    }

    private void StartClock() => (samples, since) = (0, time.GetTimestamp());

    private bool HasHistograms(int epoch) => HistogramInterval > 0 && epoch % HistogramInterval == 0;

    private void Close()
    {
        Write(file => file.Dispose());
        writer = null;
    }

    private void Write(Action<EventFileWriter> write)
    {
        if (writer is null) return;
        try
        {
            write(writer);
        }
        catch (IOException problem)
        {
            // What cannot be written now cannot be written when the file is closed.
            (Problem, writer) = ($"{Path}: {problem.Message}", null);
        }
    }

    private static void AddRates(EventFileWriter file, string group, Trainer trainer, long step)
    {
        var groups = trainer.Optimizer.Groups;
        file.AddScalar($"{group}/learningRate", groups[0].LearningRate, step);
        for (var i = 1; i < groups.Count; i++)
            if (groups[i].LearningRate != groups[0].LearningRate)
                file.AddScalar(string.Create(CultureInfo.InvariantCulture, $"{group}/learningRate/{i}"),
                    groups[i].LearningRate, step);
    }

    private static void AddHistogram(EventFileWriter file, string tag, Tensor values, long step)
    {
        if (file.AddHistogram(tag, values, step) is > 0 and var left) file.AddScalar($"notFinite/{tag}", left, step);
    }

    private Tensor Stretch(Tensor inputs)
    {
        using var _ = new NoGrad();
        var images = inputs.Detach()[..Math.Min(Images, inputs.Shape[0])];
        var values = images.To(DType.Float32).ToArray<float>();
        var finite = values.Where(float.IsFinite).DefaultIfEmpty().ToArray();
        var (low, high) = (finite.Min(), finite.Max());
        var range = high > low ? high - low : 1;
        return Tensor.From(Array.ConvertAll(values, value => (value - low) / range)).Reshape([.. images.Shape.Sizes]);
    }

    private static int Checked(int value, string name) => value >= 0
        ? value
        : throw new AdjointException($"TensorBoardCallback: {name} must not be negative: found {value}; 0 is none");
}
