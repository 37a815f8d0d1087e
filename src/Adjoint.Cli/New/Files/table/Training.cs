using Adjoint;
using Adjoint.Data;
using Adjoint.Data.Tables;
using Adjoint.Formats;
using Adjoint.Nn;
using Adjoint.Optim;
using Adjoint.Training;

/// <summary>Learns to predict one column of a CSV file from the others.</summary>
public static class Training
{
    // The column to predict. For your own file, this name and that of the file are all there is to change.
    private const string Target = "price";

    /// <summary>Trains a network and saves it, with all that it needs to know about the columns, as one file.</summary>
    /// <param name="data">The CSV file; columns, separator and types are found.</param>
    /// <param name="path">The file of the model.</param>
    /// <param name="epochs">How often the network sees every row.</param>
    /// <returns>The measures on rows that it has not seen, by name, such as r2.</returns>
    public static IReadOnlyDictionary<string, double> Run(string data, string path, int epochs)
    {
        var table = CsvFile.Read(data);
        Console.WriteLine(TableProfile.Of(table));

        // A fifth of the rows is set aside: only on rows that it has not seen does a network show what it has learned.
        var random = new Generator(seed: 1);
        var order = random.Permutation(table.RowCount);
        var (seen, unseen) = (table.Take(order[(order.Length / 5)..]), table.Take(order[..(order.Length / 5)]));

        // Numbers are standardized, categories become one input each, missing values get an input that says so. What
        // this takes (means, names of categories) comes from the training rows alone.
        var encoder = TableEncoder.Fit(seen, Target, new() { Task = TargetKind.Regression });
        var training = new DataLoader(encoder.ToDataset(seen), batchSize: 32, new() { Shuffle = true, Seed = 1 });
        var validation = new DataLoader(encoder.ToDataset(unseen), batchSize: 1000);

        // Two hidden layers of 64 units. The last layer brings their output to the target's own unit.
        var statistics = encoder.TargetStatistics;
        var network = new Sequential(
            new Linear(encoder.InputCount, 64, generator: random), new Relu(),
            new Linear(64, 64, generator: random), new Relu(),
            new Linear(64, 1, generator: random), new Rescale(statistics));
        var optimizer = new AdamW(network.Parameters(), learningRate: 0.005);
        var task = new RegressionTask(scale: statistics.Deviation[0]) { Metrics = () => [new R2(), new Mae()] };
        var trainer = new Trainer(network, optimizer, task, training, validation)
        {
            Schedule = Schedule.OneCycle(training.StepsIn(epochs)),
        };
        trainer.Callbacks.Add(new Lines());
        var measures = trainer.Fit(epochs).Final.Metrics;

        network.Save(path, new()
        {
            Task = task.Name,
            TargetNames = [Target],
            Preprocessing = encoder,
            Fields = training.Dataset.Fields,
            Metrics = measures,
        });
        Console.WriteLine($"{path}: predicts {Target} with a mean error of {measures["mae"]:0}");
        return measures;
    }

    // Prints a line for every tenth epoch.
    private sealed class Lines : Callback
    {
        public override void AfterEpoch(Trainer trainer, EpochResult epoch)
        {
            if (epoch.Epoch % 10 == 0)
                Console.WriteLine($"epoch {epoch.Epoch}: r2 {epoch.Metrics["r2"]:0.000}, mae {epoch.Metrics["mae"]:0}");
        }
    }
}
