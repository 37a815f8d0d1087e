using Adjoint.Data;
using Adjoint.Hosting;
using Adjoint.IO;
using Adjoint.Nn;
using Adjoint.Optim;
using Adjoint.Training;
using Microsoft.Extensions.Logging;

namespace Adjoint.Tests.Hosting;

public sealed class LoggingCallbackTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void A_run_is_written_with_its_numbers_by_name()
    {
        var log = new Written();
        var trainer = New(log, 0.1);
        var result = trainer.Fit(1);
        trainer.WriteCheckpoint();
        Assert.Equal(
            [
                (LogLevel.Information, 1), (LogLevel.Information, 3), (LogLevel.Debug, 2), (LogLevel.Debug, 2),
                (LogLevel.Information, 3), (LogLevel.Information, 6), (LogLevel.Debug, 4),
            ], log.Entries.Select(entry => (entry.Level, entry.Event)));
        Assert.Equal("Training for classification: 22 parameters, 64 samples in 2 batches per epoch",
            log.Entries[0].Text);
        var epoch = log.Entries[4].Values;
        Assert.Equal((1, result.Final.TrainLoss, result.Final.ValidationLoss),
            (epoch["Epoch"], epoch["TrainLoss"], epoch["ValidationLoss"]));
        Assert.StartsWith("accuracy 0.", (string)epoch["Metrics"]!, StringComparison.Ordinal);
        Assert.Equal(("accuracy", result.Best.ValidationAccuracy),
            (log.Entries[5].Values["Score"], log.Entries[5].Values["Value"]));
    }

    [Fact]
    public void A_run_that_diverges_is_an_error_with_its_exception()
    {
        var log = new Written();
        var error = Assert.Throws<DivergedException>(() => New(log, 1e38).Fit(9));
        Assert.Equal((LogLevel.Error, 7), (log.Entries[^1].Level, log.Entries[^1].Event));
        Assert.Same(error, log.Entries[^1].Error);
    }

    private Trainer New(ILogger log, double rate)
    {
        var data = Synth.Create(seed: 1, train: 64, validation: 32);
        var model = new Mlp(2, [4], 2, "relu", new Generator(1));
        var trainer = new Trainer(model, new Sgd(model.Parameters(), rate), new ClassificationTask(),
            new DataLoader(data.Train, 32), new DataLoader(data.Validation, 32))
        {
            Checkpoints = new(new CheckpointStore(folder), TimeSpan.FromHours(1)),
        };
        trainer.Callbacks.Add(new LoggingCallback(log));
        return trainer;
    }

    private sealed record Entry(
        LogLevel Level, int Event, string Text, IReadOnlyDictionary<string, object?> Values, Exception? Error);

    private sealed class Written : ILogger
    {
        internal List<Entry> Entries { get; } = [];

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception,
            Func<TState, Exception?, string> formatter) => Entries.Add(new(logLevel, eventId.Id,
                formatter(state, exception),
                ((IEnumerable<KeyValuePair<string, object?>>)state!).ToDictionary(), exception));
    }
}
