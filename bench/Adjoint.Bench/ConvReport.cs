using System.Diagnostics;
using System.Globalization;
using Adjoint.Kernels;

namespace Adjoint.Bench;

/// <summary>
/// Every algorithm of a convolution on the shapes that it supports, each forced by its name, side by side: what the
/// order of the lists and their preferences rest on. Names as arguments leave the others out.
/// </summary>
internal static unsafe class ConvReport
{
    private const int Rounds = 15;

    private static readonly (string Name, ConvShape Shape)[] Shapes =
    [
        ("lenet-1", new(128, 3, 32, 32, 6, 5, 5, 1, 1, 0, 0, 1, 1, 1)),
        ("lenet-2", new(128, 6, 14, 14, 16, 5, 5, 1, 1, 0, 0, 1, 1, 1)),
        ("resnet-first", new(64, 3, 32, 32, 16, 3, 3, 1, 1, 1, 1, 1, 1, 1)),
        ("resnet-16", new(64, 16, 32, 32, 16, 3, 3, 1, 1, 1, 1, 1, 1, 1)),
        ("resnet-64", new(64, 64, 8, 8, 64, 3, 3, 1, 1, 1, 1, 1, 1, 1)),
        ("strided", new(64, 16, 32, 32, 32, 3, 3, 2, 2, 1, 1, 1, 1, 1)),
        ("pointwise", new(64, 64, 16, 16, 64, 1, 1, 1, 1, 0, 0, 1, 1, 1)),
        ("depthwise", new(64, 64, 16, 16, 64, 3, 3, 1, 1, 1, 1, 1, 1, 64)),
        ("dilated", new(16, 32, 32, 32, 48, 3, 3, 1, 1, 2, 2, 2, 2, 1)),
    ];

    internal static int Run(string[] names)
    {
        var known = Enum.GetValues<ConvDirection>().SelectMany(Names).Distinct().ToArray();
        if (names.FirstOrDefault(name => !known.Contains(name)) is { } unknown)
        {
            Console.Error.WriteLine($"conv: no algorithm {unknown}; there are {string.Join(", ", known)}");
            return 2;
        }
        Workers.ThreadCount = 1;
        Console.WriteLine($"One thread, float32, medians of {Rounds} rounds in turns; * marks the default choice.");
        Console.WriteLine("| shape | direction | algorithm | ms | GFLOP/s | scratch, KiB |");
        Console.WriteLine("|---|---|---|---:|---:|---:|");
        foreach (var (name, shape) in Shapes)
            foreach (var direction in Enum.GetValues<ConvDirection>()) Measure(name, shape, direction, names);
        return 0;
    }

    private static IEnumerable<string> Names(ConvDirection direction) =>
        ConvAlgorithms<float>.For(direction).ToArray().Select(algorithm => algorithm.Name);

    private static void Measure(string name, ConvShape shape, ConvDirection direction, string[] names)
    {
        var algorithms = ConvAlgorithms<float>.For(direction).ToArray()
            .Where(one => one.Supports(shape) && (names.Length == 0 || names.Contains(one.Name))).ToArray();
        var x = new float[shape.Samples * shape.Channels * shape.Height * shape.Width];
        var w = new float[shape.Filters * shape.GroupChannels * shape.KernelHeight * shape.KernelWidth];
        var y = new float[shape.Samples * shape.Filters * shape.OutHeight * shape.OutWidth];
        var random = new Random(1);
        foreach (var values in (float[][])[x, w, y])
            for (var i = 0; i < values.Length; i++) values[i] = random.NextSingle() - 0.5f;
        var times = algorithms.Select(_ => new double[Rounds]).ToArray();
        fixed (float* px = x, pw = w, py = y)
            for (var round = -1; round < Rounds; round++)
                for (var i = 0; i < algorithms.Length; i++)
                {
                    using var forced = new ForcedConvAlgorithm(direction, algorithms[i].Name);
                    var start = Stopwatch.GetTimestamp();
                    switch (direction)
                    {
                        case ConvDirection.Forward: Convolution.Forward(shape, px, pw, null, py); break;
                        case ConvDirection.DataGradient: Convolution.DataGradient(shape, py, pw, px); break;
                        default: Convolution.WeightGradient(shape, px, py, pw); break;
                    }
                    if (round >= 0) times[i][round] = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
                }
        var chosen = ConvAlgorithms<float>.Choose(direction, shape);
        var flops = 2.0 * y.Length * shape.Taps;
        for (var i = 0; i < algorithms.Length; i++)
        {
            Array.Sort(times[i]);
            var (milliseconds, mark) = (times[i][Rounds / 2], algorithms[i] == chosen ? " *" : "");
            var scratch = algorithms[i].ScratchBytes(shape) / 1024;
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"| {name} | {direction} | {algorithms[i].Name}{mark} | {milliseconds:0.000} "
                    + $"| {flops / milliseconds / 1e6:0.0} | {scratch:N0} |"));
        }
    }
}
