using Adjoint.Cli;
using Adjoint.Data;
using Adjoint.Experiments;
using Adjoint.Tests.Training;
using Adjoint.Training;

namespace Adjoint.Tests.Experiments;

/// <summary>The losses within epochs are few, cover the whole run, and are no part of its result.</summary>
public sealed class StepLogTests : IDisposable
{
    private static readonly EpochResult Before = new(0, null, 1, Measures.Accuracy(0.5), 1);
    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Points_are_means_and_stay_few_over_any_number_of_steps()
    {
        // Five steps per second, at first a point each.
        const int steps = 10_000;
        var now = TimeSpan.Zero;
        var history = new StepHistory(() => now);
        for (var step = 1; step <= steps; step++)
        {
            now += TimeSpan.FromSeconds(0.2);
            history.Add(new(1, step, steps, step, 32), out _);
            Assert.InRange(history.Points.Count, step / 32, 1023);
        }
        Assert.Equal(history.Points.OrderBy(point => point.Position), history.Points);
        Assert.InRange(history.Points[0].Position, 0, 0.01);
        Assert.InRange(history.Points[^1].Position, 0.99, 1);
        // The mean of the steps since the point before: of a straight line, the middle.
        for (var i = 1; i < history.Points.Count; i++)
            Assert.Equal((history.Points[i - 1].Step + 1 + history.Points[i].Step) / 2.0, history.Points[i].Loss, 1e-9);
    }

    [Fact]
    public void A_new_run_begins_the_file_anew_and_none_that_cannot_be_written_ends_it()
    {
        var now = TimeSpan.Zero;
        var log = new StepLog(folder, new(() => now += TimeSpan.FromSeconds(1)));
        log.AfterBatch(null!, new(1, 1, 2, 0.5, 32));
        log.AfterBatch(null!, new(1, 2, 2, 0.25, 32));
        Assert.Equal([new(1, 1, 2, 0.5), new(1, 2, 2, 0.25)], StepLog.Read(folder));
        log.AfterEpoch(null!, Before);
        Assert.Empty(StepLog.Read(folder));
        var broken = new StepLog(Path.Combine(folder, "missing"), new(() => now += TimeSpan.FromSeconds(1)));
        broken.AfterEpoch(null!, Before);
        for (var step = 1; step <= 2000; step++) broken.AfterBatch(null!, new(1, step, 2000, 0.5, 32));
        Assert.False(Directory.Exists(Path.Combine(folder, "missing")));
    }

    [Fact]
    public void A_run_that_goes_on_keeps_the_epochs_that_were_measured()
    {
        var settings = TrainSettings.Table.Read([new("data-share", "0.05"), new("epochs", "2")]);
        var run = new TrainingRun(settings, settings.LoadData(), folder, TimeSpan.FromHours(1));
        run.Trainer.Fit(2);
        string[] lines =
        [
            """{"epoch":1,"step":3,"steps":3,"loss":0.5}""", """{"epoch":2,"step":1,"steps":3,"loss":0.25}""",
            """{"epoch":3,"step":1,"steps":3,"loss":0.125}""",
        ];
        File.WriteAllLines(Path.Combine(folder, "steps.jsonl"), lines);
        new StepLog(folder).Load(run.Trainer, new());
        Assert.Equal(lines[..2], File.ReadAllLines(Path.Combine(folder, "steps.jsonl")));
        File.WriteAllText(Path.Combine(folder, "steps.jsonl"), "damaged\n");
        new StepLog(folder).Load(run.Trainer, new());
        Assert.Empty(StepLog.Read(folder));
    }

    [Theory]
    [InlineData("""{"epoch":1,"step":9,"steps":5,"loss":1}""")]
    [InlineData("""{"epoch":0,"step":1,"steps":5,"loss":1}""")]
    [InlineData("""{"epoch":1,"step":1,"steps":5,"loss":null}""")]
    [InlineData("[1]")]
    [InlineData("{")]
    public void A_damaged_file_is_named(string line)
    {
        File.WriteAllText(Path.Combine(folder, "steps.jsonl"), line + "\n");
        Assert.Contains(Path.Combine(folder, "steps.jsonl") + ", offset 0",
            Assert.Throws<DataFormatException>(() => StepLog.Read(folder)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Half_a_line_and_no_file_are_no_damage()
    {
        Assert.Empty(StepLog.Read(folder));
        File.WriteAllText(Path.Combine(folder, "steps.jsonl"), """{"epoch":1,"step":1,"steps":5,"loss":0.5}"""
            + "\n{\"epoch\":1,\"st");
        Assert.Equal(new StepLoss(1, 1, 5, 0.5), Assert.Single(StepLog.Read(folder)));
    }
}
