using System.Diagnostics;
using System.Globalization;
using Adjoint.Data;
using Adjoint.Nn;
using Adjoint.Optim;

namespace Adjoint.Bench;

/// <summary>
/// Does loading starve training? What the loader gives, with augmentation, beside what the training step takes, and how
/// long an epoch of both waits.
/// </summary>
internal static class LoaderReport
{
    internal static int Run()
    {
        Console.WriteLine(
            "| network | batch | transforms | loader alone, images/s | step alone, images/s | ratio | both, images/s " +
            "| waiting for batches |");
        Console.WriteLine("|---|---|---|---|---|---|---|---|");
        Measure("lenet", 4, []);
        Measure("lenet", 50, []);
        Measure("lenet", 50, ["crop", "flip", "cutout"]);
        Measure("lenet", 128, ["crop", "flip", "cutout"]);
        Measure("resnet20", 128, ["crop", "flip"]);
        Measure("speednet", 512, ["crop2", "alternating-flip", "cutout"]);
        return 0;
    }

    private static void Measure(string network, int batch, string[] names)
    {
        var steps = network == "lenet" ? 20_000 / batch : 12;
        var data = new TensorDataset("noise", (int[])[3, 32, 32], Tensor.Randn([steps * batch * 3072], new Generator(1))
            .ToArray<float>(), [.. Enumerable.Range(0, steps * batch).Select(i => (byte)(i % 10))], Cifar10.Classes);
        Transform[] transforms = [.. names.Select(name => Transform.All.Single(entry => entry.Name == name).Create())];
        var model = ModelZoo.All.Single(entry => entry.Name == network).Create(3, 10, new Generator(1), null);
        var optimizer = new Sgd(model.Parameters(), 0.001, momentum: 0.9);
        var step = CapturedFunction.Create(Workloads.StepOf(model, optimizer));
        void Train(Tensor x, Tensor y) => step.Run(x, y);

        var loader = new DataLoader(data, batch, new() { Shuffle = true, Seed = 1, Transforms = transforms });
        var alone =
            new DataLoader(data, batch, new() { Shuffle = true, Seed = 1, Prefetch = 0, Transforms = transforms });
        var (first, labels) = alone.First();
        Train(first, labels);
        Train(first, labels);
        var loading = Seconds(() =>
        {
            foreach (var _ in alone) { }
        });
        var training = Seconds(() =>
        {
            for (var i = 0; i < steps; i++) Train(first, labels);
        });
        foreach (var _ in loader) break;
        var waited = loader.WaitTime;
        var both = Seconds(() =>
        {
            foreach (var (x, y) in loader) Train(x, y);
        });
        var images = (double)steps * batch;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"| {network} | {batch} | {(names.Length == 0 ? "none" : string.Join(", ", names))} | " +
                $"{images / loading:N0} | {images / training:N0} | {training / loading:0.0} | {images / both:N0} | " +
                $"{(loader.WaitTime - waited).TotalSeconds / both:P1} |"));
    }

    private static double Seconds(Action work)
    {
        var start = Stopwatch.GetTimestamp();
        work();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }
}
