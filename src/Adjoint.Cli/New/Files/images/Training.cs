using Adjoint;
using Adjoint.Data;
using Adjoint.Formats;
using Adjoint.Nn;
using Adjoint.Optim;
using Adjoint.Training;

/// <summary>Learns to tell apart the classes of images: a folder of PNG or JPEG files for each.</summary>
public static class Training
{
    /// <summary>Trains a network and saves it, with all that it needs to know about the images, as one file.</summary>
    /// <param name="folder">The folder with a folder for each class.</param>
    /// <param name="path">The file of the model.</param>
    /// <param name="epochs">How often the network sees every image.</param>
    /// <returns>The measures on images that it has not seen, by name, such as accuracy.</returns>
    public static IReadOnlyDictionary<string, double> Run(string folder, string path, int epochs)
    {
        // Images of any size are resized. Larger ones show more, and take longer: twice the side, four times the work.
        var images = ImageFolder.Open(folder, new() { Size = (32, 32) });
        Console.WriteLine($"{images.Count} images: {string.Join(", ", images.Summary.Classes)}");

        // A fifth of each class is set aside: only on images that it has not seen does a network show what it has
        // learned.
        var splits = images.Split(validation: 0.2, options: new() { Seed = 1, Stratify = Field.Targets });
        var training = new DataLoader(splits.Train, batchSize: 16, new()
        {
            Shuffle = true,
            Seed = 1,
            // Random changes that leave the class as it is make few images go further.
            Transforms = [new RandomFlip(), new RandomCrop(2)],
        });
        var validation = new DataLoader(splits.Validation, batchSize: 100);

        // Three convolutions find ever larger patterns; the last layer weighs them up.
        var random = new Generator(seed: 1);
        var network = new Sequential(
            Convolution(images.SampleShape[0], 16, random), new MaxPool2d(2),
            Convolution(16, 32, random), new MaxPool2d(2),
            Convolution(32, 64, random), new GlobalAvgPool2d(),
            new Linear(64, images.ClassNames.Count, generator: random));
        var optimizer = new AdamW(network.Parameters(), learningRate: 0.005);
        var task = new ClassificationTask();
        var trainer = new Trainer(network, optimizer, task, training, validation)
        {
            Schedule = Schedule.OneCycle(training.StepsIn(epochs)),
        };
        trainer.Callbacks.Add(new Lines());
        var measures = trainer.Fit(epochs).Final.Metrics;

        network.Save(path, new()
        {
            Task = task.Name,
            ClassNames = images.ClassNames,
            Preprocessing = images.Preprocessing,
            Fields = images.Fields,
            Metrics = measures,
        });
        Console.WriteLine($"{path}: {measures["accuracy"]:P1} of the images that it has not seen are recognized");
        return measures;
    }

    private static Sequential Convolution(int from, int to, Generator random) => new(
        new Conv2d(from, to, kernel: 3, new() { Padding = 1, Bias = false, Generator = random }),
        new BatchNorm(to), new Relu());

    // Prints a line for every fifth epoch.
    private sealed class Lines : Callback
    {
        public override void AfterEpoch(Trainer trainer, EpochResult epoch)
        {
            if (epoch.Epoch % 5 == 0) Console.WriteLine($"epoch {epoch.Epoch}: accuracy {epoch.ValidationAccuracy:P1}");
        }
    }
}
