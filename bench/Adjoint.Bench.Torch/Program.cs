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
                return Train(int.Parse(shape[1], CultureInfo.InvariantCulture), LeNet());
            case "resnet20":
                return Train(int.Parse(shape[1], CultureInfo.InvariantCulture), ResNet20());
            case "speednet":
                return Train(int.Parse(shape[1], CultureInfo.InvariantCulture), SpeedNet());
            case "normgelu":
            {
                var (x, gradient, norm) = (Leaf(128, 64, 16, 16), randn(128, 64, 16, 16), nn.BatchNorm2d(64));
                return () =>
                {
                    using var scope = NewDisposeScope();
                    x.grad = null;
                    norm.zero_grad();
                    nn.functional.gelu(norm.forward(x)).backward([gradient]);
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

    private static Action Train(int batch, (nn.Module Parameters, Func<Tensor, Tensor> Forward) model)
    {
        var optimizer = optim.SGD(model.Parameters.parameters().Where(parameter => parameter.requires_grad), 0.001, momentum: 0.9);
        var (x, y) = (randn(batch, 3, 32, 32), randint(0, 10, batch));
        return () =>
        {
            using var scope = NewDisposeScope();
            optimizer.zero_grad();
            nn.functional.cross_entropy(model.Forward(x), y).backward();
            optimizer.step();
        };
    }

    private static (nn.Module, Func<Tensor, Tensor>) LeNet()
    {
        var model = nn.Sequential(("1", nn.Conv2d(3, 6, 5)), ("2", nn.ReLU()), ("3", nn.MaxPool2d(2)), ("4", nn.Conv2d(6, 16, 5)), ("5", nn.ReLU()), ("6", nn.MaxPool2d(2)),
            ("7", nn.Flatten()), ("8", nn.Linear(400, 120)), ("9", nn.ReLU()), ("10", nn.Linear(120, 84)), ("11", nn.ReLU()), ("12", nn.Linear(84, 10)));
        return (model, model.forward);
    }

    // He et al. 2015, section 4.2, shortcuts of option A.
    private static (nn.Module, Func<Tensor, Tensor>) ResNet20()
    {
        var all = new List<nn.Module<Tensor, Tensor>>();
        T Add<T>(T module) where T : nn.Module<Tensor, Tensor>
        {
            all.Add(module);
            return module;
        }

        var (first, firstNorm) = (Add(nn.Conv2d(3, 16, 3, padding: 1, bias: false)), Add(nn.BatchNorm2d(16)));
        var blocks = new List<Func<Tensor, Tensor>>();
        var inputs = 16;
        foreach (var outputs in (int[])[16, 32, 64])
            for (var block = 0; block < 3; block++)
            {
                var (stride, from, to) = (inputs == outputs ? 1 : 2, inputs, outputs);
                var (a, b) = (Add(nn.Conv2d(from, to, 3, stride: stride, padding: 1, bias: false)), Add(nn.BatchNorm2d(to)));
                var (c, d) = (Add(nn.Conv2d(to, to, 3, padding: 1, bias: false)), Add(nn.BatchNorm2d(to)));
                blocks.Add(x =>
                {
                    var shortcut = stride == 1 ? x : nn.functional.pad(x.slice(2, 0, x.shape[2], 2).slice(3, 0, x.shape[3], 2), [0, 0, 0, 0, (to - from) / 2, (to - from) / 2]);
                    return nn.functional.relu(d.forward(c.forward(nn.functional.relu(b.forward(a.forward(x))))) + shortcut);
                });
                inputs = outputs;
            }
        var last = Add(nn.Linear(64, 10));
        return (nn.Sequential(all), x =>
        {
            x = nn.functional.relu(firstNorm.forward(first.forward(x)));
            foreach (var block in blocks) x = block(x);
            return last.forward(x.mean([2, 3]));
        });
    }

    private static (nn.Module, Func<Tensor, Tensor>) SpeedNet()
    {
        var whitening = nn.Conv2d(3, 24, 2);
        whitening.weight.requires_grad = false;
        var layers = new List<nn.Module<Tensor, Tensor>> { whitening, nn.GELU() };
        var inputs = 24;
        foreach (var outputs in (int[])[64, 256, 256])
        {
            layers.AddRange([nn.Conv2d(inputs, outputs, 3, padding: 1, bias: false), nn.MaxPool2d(2), nn.BatchNorm2d(outputs), nn.GELU(),
                nn.Conv2d(outputs, outputs, 3, padding: 1, bias: false), nn.BatchNorm2d(outputs), nn.GELU()]);
            inputs = outputs;
        }
        layers.AddRange([nn.MaxPool2d(3), nn.Flatten(), nn.Linear(256, 10, hasBias: false)]);
        var model = nn.Sequential(layers);
        return (model, x => model.forward(x) * (1.0 / 9));
    }

    private static Tensor Leaf(params long[] shape) => randn(shape, requires_grad: true);

    private static Tensor Replace(Tensor old, Tensor fresh)
    {
        old.Dispose();
        return fresh.MoveToOuterDisposeScope();
    }
}
