using System.Globalization;
using Adjoint.Training;
using Microsoft.Extensions.Logging;

namespace Adjoint.Hosting;

/// <summary>
/// Writes a training run to a logger: begin, epochs and end at level Information; batches and checkpoints at Debug;
/// steps that cannot be captured at Warning; an exception that ends the run at Error. Numbers are structured values.
/// </summary>
/// <param name="logger">The logger to write to.</param>
public sealed partial class LoggingCallback(ILogger logger) : Callback
{
    /// <inheritdoc/>
    public override void BeforeFit(Trainer trainer) => LogBegin(
        logger, trainer.Task.Name, trainer.Model.Parameters().Sum(parameter => (long)parameter.Length),
        trainer.Training.SampleCount, trainer.Training.Count);

    /// <inheritdoc/>
    public override void AfterBatch(Trainer trainer, StepInfo step) =>
        LogBatch(logger, step.Epoch, step.Step, step.Steps, step.Loss);

    /// <inheritdoc/>
    public override void AfterEpoch(Trainer trainer, EpochResult epoch) => LogEpoch(
        logger, epoch.Epoch, epoch.TrainLoss, epoch.ValidationLoss, Text(epoch), epoch.Seconds);

    /// <inheritdoc/>
    public override void AfterSave(Trainer trainer) => LogCheckpoint(logger, trainer.Results.Count - 1);

    /// <inheritdoc/>
    public override void AfterFit(Trainer trainer, TrainingResult result)
    {
        if (result.Capture?.Refusal is { } refusal) LogEager(logger, refusal);
        LogEnd(logger, result.WasCanceled ? "canceled" : "complete", result.Best.Epoch, result.Score.Name,
            result.Score.Of(result.Best));
    }

    /// <inheritdoc/>
    public override void OnException(Trainer trainer, Exception error) => LogError(logger, error);

    private static string Text(EpochResult epoch) => string.Join(", ", epoch.Metrics.Select(
        metric => string.Create(CultureInfo.InvariantCulture, $"{metric.Key} {metric.Value:0.0000}")));

    [LoggerMessage(1, LogLevel.Information,
        "Training for {Task}: {Parameters} parameters, {Samples} samples in {Batches} batches per epoch")]
    private static partial void LogBegin(ILogger logger, string task, long parameters, int samples, int batches);

    [LoggerMessage(2, LogLevel.Debug, "Epoch {Epoch}, batch {Batch} of {Batches}: loss {Loss}")]
    private static partial void LogBatch(ILogger logger, int epoch, int batch, int batches, double loss);

    [LoggerMessage(3, LogLevel.Information,
        "Epoch {Epoch}: train loss {TrainLoss}, validation loss {ValidationLoss}, {Metrics}, {Seconds} s")]
    private static partial void LogEpoch(
        ILogger logger, int epoch, double? trainLoss, double validationLoss, string metrics, double seconds);

    [LoggerMessage(4, LogLevel.Debug, "Checkpoint written after {Epoch} whole epochs")]
    private static partial void LogCheckpoint(ILogger logger, int epoch);

    [LoggerMessage(5, LogLevel.Warning, "Steps run eagerly: {Refusal}")]
    private static partial void LogEager(ILogger logger, string refusal);

    [LoggerMessage(6, LogLevel.Information, "Training {State}: best epoch {Epoch} with {Score} {Value}")]
    private static partial void LogEnd(ILogger logger, string state, int epoch, string score, double value);

    [LoggerMessage(7, LogLevel.Error, "Training ended by an exception")]
    private static partial void LogError(ILogger logger, Exception error);
}
