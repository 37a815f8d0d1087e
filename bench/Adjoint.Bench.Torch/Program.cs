// Reads "workload threads repetitions" lines, answers each with milliseconds per repetition.
using System.Diagnostics;
using System.Globalization;
using TorchSharp;
using static TorchSharp.torch;

var running = new Dictionary<string, Action>();
Console.WriteLine($"libtorch {torch.__version__}");
while (Console.ReadLine() is { } line)
{
    var parts = line.Split(' ');
    var (name, threads, repetitions) = (parts[0], int.Parse(parts[1], CultureInfo.InvariantCulture), int.Parse(parts[2], CultureInfo.InvariantCulture));
    set_num_threads(threads);
    if (!running.TryGetValue(name, out var work)) running[name] = work = Peer.Create(name);
    work();
    var start = Stopwatch.GetTimestamp();
    for (var i = 0; i < repetitions; i++)
    {
        using var scope = NewDisposeScope();
        work();
    }
    Console.WriteLine((Stopwatch.GetElapsedTime(start).TotalMilliseconds / repetitions).ToString(CultureInfo.InvariantCulture));
}

/// <summary>The workloads, named as in Adjoint.Bench.</summary>
internal static class Peer
{
    internal static Action Create(string name)
    {
        var shape = name.Split('-');
        switch (shape[0])
        {
            case "matmul":
            {
                var (m, k, n) = (int.Parse(shape[1], CultureInfo.InvariantCulture), int.Parse(shape[2], CultureInfo.InvariantCulture), int.Parse(shape[3], CultureInfo.InvariantCulture));
                var (a, b) = (randn(m, k), randn(k, n));
                var c = empty(m, n);
                return () => c = Replace(c, a.mm(b));
            }
            case "mlp":
            {
                var model = nn.Sequential(("1", nn.Linear(784, 3136)), ("2", nn.Sigmoid()), ("3", nn.Linear(3136, 10)));
                var optimizer = optim.SGD(model.parameters(), 0.01);
                var (x, y) = (rand(128, 784), randint(0, 10, 128));
                return () =>
                {
                    using var scope = NewDisposeScope();
                    optimizer.zero_grad();
                    nn.functional.cross_entropy(model.forward(x), y).backward();
                    optimizer.step();
                };
            }
            case "epoch":
            {
                var model = nn.Sequential(("1", nn.Linear(784, 3136)), ("2", nn.Sigmoid()), ("3", nn.Linear(3136, 10)));
                var optimizer = optim.SGD(model.parameters(), 0.01);
                var (x, y) = (rand(55_000, 784), randint(0, 10, 55_000));
                return () =>
                {
                    using var outer = NewDisposeScope();
                    var order = randperm(55_000);
                    for (var first = 0; first < 55_000; first += 128)
                    {
                        using var scope = NewDisposeScope();
                        var batch = order.slice(0, first, Math.Min(55_000, first + 128), 1);
                        optimizer.zero_grad();
                        nn.functional.cross_entropy(model.forward(x.index_select(0, batch)), y.index_select(0, batch)).backward();
                        optimizer.step();
                    }
                };
            }
            case "lenet":
            {
                var batch = int.Parse(shape[1], CultureInfo.InvariantCulture);
                var model = nn.Sequential(("1", nn.Conv2d(3, 6, 5)), ("2", nn.ReLU()), ("3", nn.MaxPool2d(2)), ("4", nn.Conv2d(6, 16, 5)), ("5", nn.ReLU()), ("6", nn.MaxPool2d(2)),
                    ("7", nn.Flatten()), ("8", nn.Linear(400, 120)), ("9", nn.ReLU()), ("10", nn.Linear(120, 84)), ("11", nn.ReLU()), ("12", nn.Linear(84, 10)));
                var optimizer = optim.SGD(model.parameters(), 0.001, momentum: 0.9);
                var (x, y) = (randn(batch, 3, 32, 32), randint(0, 10, batch));
                return () =>
                {
                    using var scope = NewDisposeScope();
                    optimizer.zero_grad();
                    nn.functional.cross_entropy(model.forward(x), y).backward();
                    optimizer.step();
                };
            }
            case "conv":
            {
                var (inputs, outputs, size) = (long.Parse(shape[1], CultureInfo.InvariantCulture), long.Parse(shape[2], CultureInfo.InvariantCulture), long.Parse(shape[3], CultureInfo.InvariantCulture));
                var (x, w, gradient) = (Leaf(64, inputs, size, size), Leaf(outputs, inputs, 3, 3), randn(64, outputs, size, size));
                return () =>
                {
                    using var scope = NewDisposeScope();
                    (x.grad, w.grad) = (null, null);
                    nn.functional.conv2d(x, w, padding: [1, 1]).backward([gradient]);
                };
            }
            case "chain":
            {
                var (x, y, z) = (Leaf(1 << 20), Leaf(1 << 20), Leaf(1 << 20));
                return () =>
                {
                    using var scope = NewDisposeScope();
                    foreach (var leaf in (Tensor[])[x, y, z]) leaf.grad = null;
                    (x * y + z).sigmoid().sum().backward();
                };
            }
            case "xent":
            {
                var (x, y) = (Leaf(4096, 1000), randint(0, 1000, 4096));
                return () =>
                {
                    using var scope = NewDisposeScope();
                    x.grad = null;
                    nn.functional.cross_entropy(x, y).backward();
                };
            }
            case "adam":
            {
                var parameter = nn.Parameter(randn(2_500_000));
                var gradient = randn(2_500_000);
                var optimizer = optim.Adam([parameter], 0.001);
                parameter.grad = gradient;
                return () => optimizer.step();
            }
            case "small":
            {
                var x = Leaf(16);
                return () =>
                {
                    using var scope = NewDisposeScope();
                    x.grad = null;
                    var y = x;
                    for (var i = 0; i < 25; i++) y = (y * x).sin();
                    y.sum().backward();
                };
            }
            default:
                throw new ArgumentException(name);
        }
    }

    private static Tensor Leaf(params long[] shape) => randn(shape, requires_grad: true);

    private static Tensor Replace(Tensor old, Tensor fresh)
    {
        old.Dispose();
        return fresh.MoveToOuterDisposeScope();
    }
}
